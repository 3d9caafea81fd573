import type { QoS } from '@hookmq/mqtt'
import type { Receiver, Route, StoredOptions } from './types.ts'

/**
 * One subscription, at the same time the route that it makes: routes that come from one filter are shared by all topics.
 * Never changed once made.
 */
export class StoredRoute implements Route {
  readonly receiver: Receiver
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
  readonly subscriptionIdentifiers: readonly number[] | undefined

  constructor(
    receiver: Receiver,
    qos: QoS,
    noLocal: boolean,
    retainAsPublished: boolean,
    retainHandling: 0 | 1 | 2,
    subscriptionIdentifiers: readonly number[] | undefined,
  ) {
    this.receiver = receiver
    this.qos = qos
    this.noLocal = noLocal
    this.retainAsPublished = retainAsPublished
    this.retainHandling = retainHandling
    this.subscriptionIdentifiers = subscriptionIdentifiers
  }

  static of(receiver: Receiver, options: StoredOptions): StoredRoute {
    const identifier = options.subscriptionIdentifier
    return new StoredRoute(
      receiver,
      options.qos,
      options.noLocal,
      options.retainAsPublished,
      options.retainHandling,
      identifier === undefined ? undefined : [identifier],
    )
  }

  get options(): StoredOptions {
    const { qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifiers } = this
    const options = { qos, noLocal, retainAsPublished, retainHandling }
    return subscriptionIdentifiers === undefined
      ? options
      : { ...options, subscriptionIdentifier: subscriptionIdentifiers[0] }
  }

  /** Messages are routed by the other exactly as by this one. */
  routesLike(other: StoredRoute): boolean {
    return (
      this.qos === other.qos &&
      this.noLocal === other.noLocal &&
      this.retainAsPublished === other.retainAsPublished &&
      this.subscriptionIdentifiers?.[0] === other.subscriptionIdentifiers?.[0]
    )
  }

  /**
   * Two matching subscriptions of one receiver as one route: the maximum QoS [MQTT-3.3.4-2] [MQTT-3.3.5-1 v3.1.1] and the
   * identifiers of both [MQTT-3.3.4-3] [MQTT-3.3.4-4], repeated ones included.
   */
  merge(other: StoredRoute): StoredRoute {
    const mine = this.subscriptionIdentifiers
    const theirs = other.subscriptionIdentifiers
    return new StoredRoute(
      this.receiver,
      Math.max(this.qos, other.qos) as QoS,
      this.noLocal && other.noLocal,
      this.retainAsPublished || other.retainAsPublished,
      0,
      mine === undefined ? theirs : theirs === undefined ? mine : [...mine, ...theirs],
    )
  }
}
