import { type QoS, ReasonCode } from '@hookmq/mqtt'
import type { Refusal } from '../refusal.ts'
import type { Channel } from './channel.ts'

/**
 * The one place that turns the refusal of a PUBLISH into what the publisher's protocol version has for it. An older client cannot
 * be told: it gets an ordinary acknowledgement, so that it does not send the message for ever.
 */
export function refusePublish(channel: Channel, refusal: Refusal, qos: QoS, packetId: number): undefined {
  if (refusal.kind === 'disconnect') {
    channel.fail(refusal.reasonCode, refusal.reasonString)
    return
  }
  if (qos === 0) return
  const code = refusal.kind === 'drop' ? ReasonCode.NoMatchingSubscribers : refusal.reasonCode
  channel.writeAck(qos === 1 ? 'puback' : 'pubrec', packetId, code, refusal.reasonString)
}
