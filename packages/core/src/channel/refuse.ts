import { type QoS, ReasonCode } from '@hookmq/mqtt'
import { publishRefusalOutcome } from '../hooks/index.ts'
import type { Refusal } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'

/**
 * The one place that turns the refusal of a PUBLISH into what the publisher's protocol version has for it, by the table that the
 * documentation shows. An older client cannot be told: it gets an ordinary acknowledgement, so that it does not send the message for ever.
 * @param when 'in turn': behind the acknowledgements of earlier messages that wait until they are safe
 */
export function refusePublish(
  channel: Channel,
  session: Session,
  refusal: Refusal,
  qos: QoS,
  packetId: number,
  when: 'now' | 'in turn' = 'in turn',
): undefined {
  const outcome = publishRefusalOutcome(refusal, channel.version, qos)
  // [MQTT-4.3.3-9]: PUBREC with an error ends the exchange; the identifier is free again, unless an earlier PUBLISH has it.
  const others = refusal.reasonCode === ReasonCode.PacketIdentifierInUse
  if (qos === 2 && !outcome.expectRelease && !others) session.release(packetId)
  if (outcome.disconnect) return void channel.fail(outcome.reasonCode, refusal.reasonString)
  if (!outcome.acknowledge || channel.state !== 'connected') return
  const type = qos === 1 ? 'puback' : 'pubrec'
  // [MQTT-4.6.0-2] [MQTT-4.6.0-3]
  if (channel.acknowledgesLate && when === 'in turn')
    writeLater(channel, type, packetId, outcome.reasonCode, refusal.reasonString)
  else channel.writeAck(type, packetId, outcome.reasonCode, refusal.reasonString)
}

function writeLater(channel: Channel, ...ack: Parameters<Channel['writeAck']>): void {
  channel.acknowledgeWhen(undefined, () => {
    if (channel.state === 'connected') channel.writeAck(...ack)
    return undefined
  })
}
