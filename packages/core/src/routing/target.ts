import type { BrokerMessage } from '../message.ts'
import type { Receiver, Route } from './types.ts'

/** What every receiver in this broker's router is: something that takes messages. */
export interface DeliveryTarget extends Receiver {
  deliver(message: BrokerMessage, route: Route): void
}
