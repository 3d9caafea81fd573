import { type QoS, ReasonCode } from '@hookmq/mqtt'
import { publishRefusalOutcome } from '../hooks/index.ts'
import type { Refusal } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'

/**
 * The one place that turns the refusal of a PUBLISH into what the publisher's protocol version has for it, by the table that the
 * documentation shows. An older client cannot be told: it gets an ordinary acknowledgement, so that it does not send the message for ever.
 */
export function refusePublish(
  channel: Channel,
  session: Session,
  refusal: Refusal,
  qos: QoS,
  packetId: number,
): undefined {
  const outcome = publishRefusalOutcome(refusal, channel.version, qos)
  // [MQTT-4.3.3-9]: PUBREC with an error ends the exchange; the identifier is free again, unless an earlier PUBLISH has it.
  const others = refusal.reasonCode === ReasonCode.PacketIdentifierInUse
  if (qos === 2 && !outcome.expectRelease && !others) session.release(packetId)
  if (outcome.disconnect) return void channel.fail(outcome.reasonCode, refusal.reasonString)
  if (outcome.acknowledge && channel.state === 'connected') {
    channel.writeAck(qos === 1 ? 'puback' : 'pubrec', packetId, outcome.reasonCode, refusal.reasonString)
  }
}
