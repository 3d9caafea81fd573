import type { Message } from '@hookmq/api'
import type { QoS } from '@hookmq/mqtt'
import type { BrokerMessage } from '../message.ts'
import type { SharedGroup } from '../routing/types.ts'

/** One message on its way to one session. */
export interface Delivery {
  readonly message: BrokerMessage
  readonly qos: QoS
  readonly retain: boolean
  readonly subscriptionIdentifiers: readonly number[] | undefined
  /** The shared group that this client was chosen from. */
  readonly group: SharedGroup | undefined
  /** Its number in the store; 0: it is in memory only. */
  readonly sequence: number
}

/** What a delivery counts for in the bounds of a queue: a rough size in bytes. */
export function deliveryBytes(delivery: Delivery): number {
  return delivery.message.payload.length + delivery.message.topic.length
}

/**
 * Seconds that the message may still live: undefined = for ever, 0 or less = expired. Sent on rounded up, so that it
 * never is 0. [MQTT-3.3.2-5] [MQTT-3.3.2-6]
 */
export function remainingLife(message: Message, now: number): number | undefined {
  const interval = message.properties.messageExpiryInterval
  if (interval === undefined) return undefined
  const left = message.timestamp + interval * 1000 - now
  return left <= 0 ? 0 : Math.ceil(left / 1000)
}

/** The QoS that a message is sent with. `upgrade`: the higher of both. [MQTT-3.8.4-8] */
export function effectiveQos(message: QoS, subscription: QoS, upgrade: boolean): QoS {
  if (upgrade) return message > subscription ? message : subscription
  return message < subscription ? message : subscription
}
