import { type AckPacket, ReasonCode } from '@hookmq/mqtt'
import * as M from '../metrics/index.ts'
import type { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'

/** PUBACK, PUBREC and PUBCOMP for what the broker sent; PUBREL for what the client sent. */
export function handleAck(channel: Channel, packet: AckPacket): undefined {
  const { session, broker } = channel
  if (session === undefined) return
  const { counters } = broker.metrics
  const { packetId, reasonCode, properties } = packet
  switch (packet.type) {
    case 'puback':
      counters[M.PACKETS_PUBACK_RECEIVED]++
      if (!session.puback(packetId, reasonCode, properties)) counters[M.PACKETS_PUBACK_MISSED]++
      return
    case 'pubrec': {
      counters[M.PACKETS_PUBREC_RECEIVED]++
      const outcome = session.pubrec(packetId, reasonCode, properties)
      if (outcome === 'unknown') counters[M.PACKETS_PUBREC_MISSED]++
      // An error code from the client ends the exchange: no PUBREL follows. [MQTT-4.3.3-4]
      if (outcome === 'refused' || (outcome === 'unknown' && reasonCode >= 0x80)) return
      const code = outcome === 'unknown' ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success
      // A client that has PUBREL forgets the message: it must not get it again as a new one. [MQTT-4.3.3-7]
      return whenStored(channel, session, () => channel.writeAck('pubrel', packetId, code))
    }
    case 'pubrel': {
      counters[M.PACKETS_PUBREL_RECEIVED]++
      const known = session.release(packetId)
      if (!known) counters[M.PACKETS_PUBREL_MISSED]++
      // "Not an error during recovery": the PUBCOMP of before was lost with the connection. Clients take 0x92 for a message that did not arrive.
      const code = known || session.resumed ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound
      // [MQTT-4.3.3-11] [MQTT-4.3.3-2 v3.1.1]
      return whenStored(channel, session, () => channel.writeAck('pubcomp', packetId, code))
    }
    case 'pubcomp':
      counters[M.PACKETS_PUBCOMP_RECEIVED]++
      if (!session.pubcomp(packetId)) counters[M.PACKETS_PUBCOMP_MISSED]++
      return
  }
}

/** Answers when the store has what was changed for a durable session; at once for others. */
function whenStored(channel: Channel, session: Session, write: () => void): undefined {
  const safe = session.number === 0 ? undefined : channel.broker.durable?.pending()
  if (safe === undefined) return void write()
  channel.acknowledgeWhen(safe, () => {
    if (channel.state === 'connected') write()
    return undefined
  })
}
