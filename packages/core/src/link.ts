import type { BrokerLink, ClientInfo, Message } from '@hookmq/api'
import { topicFilterError } from '@hookmq/mqtt'
import type { Broker } from './broker.ts'
import type { BrokerMessage } from './message.ts'
import type { DeliveryTarget } from './routing/target.ts'

/** A subscription of the broker's own: a function instead of a client. */
class Subscription implements DeliveryTarget {
  readonly id: string
  readonly available = true
  readonly #broker: Broker
  readonly #receive: (message: Message) => void

  constructor(broker: Broker, id: string, receive: (message: Message) => void) {
    this.#broker = broker
    this.id = id
    this.#receive = receive
  }

  deliver(message: BrokerMessage): void {
    try {
      this.#receive(message)
    } catch (error) {
      // One receiver's mistake must not keep the message from the others.
      this.#broker.log.error('a subscription of the broker threw', {
        subscription: this.id,
        topic: message.topic,
        error: error instanceof Error ? error.stack : String(error),
      })
    }
  }
}

/** The broker as plugins and embedding programs see it. */
export function createLink(broker: Broker): BrokerLink {
  let subscriptions = 0
  return {
    node: broker.options.node,
    version: broker.options.version,
    publish: (message) => broker.publish(message),
    subscribe(filter, receive, options = {}) {
      const fault = topicFilterError(filter)
      if (fault !== undefined) throw new TypeError(`subscribe: ${fault.message}`)
      const subscription = new Subscription(broker, `internal:${++subscriptions}`, receive)
      broker.router.subscribe(filter, subscription, {
        qos: 2,
        noLocal: false,
        retainAsPublished: true,
        retainHandling: 0,
        ...options,
      })
      return () => void broker.router.unsubscribe(filter, subscription)
    },
    *clients(): IterableIterator<ClientInfo> {
      for (const session of broker.sessions.awake()) if (session.channel !== undefined) yield session.client
    },
    client(clientId) {
      const session = broker.sessions.get(clientId)
      return session?.channel === undefined ? undefined : session.client
    },
    kick: (clientId) => broker.admin.kick(clientId),
    metrics: () => broker.admin.metrics(),
    stats: () => broker.admin.stats(),
  }
}
