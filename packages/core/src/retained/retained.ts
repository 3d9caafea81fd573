import type { Message, RetainedStore } from '@hookmq/api'
import type { Broker } from '../broker.ts'
import type { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import { remainingLife } from '../session/delivery.ts'

/** The rules of retained messages; where they are kept is the store's business. */
export class Retained {
  readonly #broker: Broker
  readonly store: RetainedStore

  constructor(broker: Broker, store: RetainedStore) {
    this.#broker = broker
    this.store = store
  }

  /** A message with the retain flag is being routed. [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7] */
  keep(message: BrokerMessage): void {
    const { options, metrics, log } = this.#broker
    if (message.payload.length === 0) {
      this.store.delete(message.topic)
      return
    }
    if (options.maxRetainedPayload > 0 && message.payload.length > options.maxRetainedPayload) {
      metrics.counters[M.MESSAGES_RETAINED_REFUSED]++
      log.warn('message not retained: its payload is larger than retained messages may be', {
        topic: message.topic,
        bytes: message.payload.length,
        limit: options.maxRetainedPayload,
      })
      return
    }
    if (this.store.put(message)) {
      metrics.counters[M.MESSAGES_RETAINED]++
      return
    }
    metrics.counters[M.MESSAGES_RETAINED_REFUSED]++
    log.warn('message not retained: there are as many as there may be', {
      topic: message.topic,
      limit: options.maxRetainedMessages,
    })
  }

  /** What a new subscription gets, without what has expired. undefined: nothing is stored at all. */
  read(filter: string): Iterator<Message | undefined> | undefined {
    if (this.store.count === 0) return undefined
    return this.#unexpired(this.store.match(filter))
  }

  *#unexpired(messages: Iterator<Message | undefined>): Generator<Message | undefined, undefined> {
    for (let next = messages.next(); next.done !== true; next = messages.next()) {
      const message = next.value
      // [MQTT-3.3.2-5]: found only when it is read, which is when it matters.
      if (message !== undefined && remainingLife(message, this.#broker.clock.now()) === 0) {
        this.store.delete(message.topic)
        // Counts as a step: a long run of expired messages must not hold the loop up.
        yield undefined
      } else yield message
    }
    return undefined
  }
}
