import type { BrokerMessage } from '../message.ts'
import type { Receiver, Route, SharedGroup } from './types.ts'

/** What every receiver in this broker's router is: something that takes messages. */
export interface DeliveryTarget extends Receiver {
  /** `group`: the shared group that it was chosen from. */
  deliver(message: BrokerMessage, route: Route, group?: SharedGroup): void
}
