import type { QoS, SubscriptionOptions } from '@hookmq/mqtt'

/** Whoever messages can be routed to: a session, or a subscription of the broker's own. */
export interface Receiver {
  /** Client id, or the name of an internal subscription. */
  readonly id: string
  /** Can take a message now. Members of a shared group that cannot are passed over while another can. */
  readonly available: boolean
}

export type StoredOptions = SubscriptionOptions & { readonly subscriptionIdentifier?: number }

/**
 * One receiver of a topic. When several of its filters match there is still one route: the highest QoS, all identifiers,
 * no-local only if every filter says so, retain-as-published if any does. [MQTT-3.3.4-2] [MQTT-3.3.4-3]
 */
export interface Route {
  readonly receiver: Receiver
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** Absent when no matching subscription has one. */
  readonly subscriptionIdentifiers: readonly number[] | undefined
}

export interface SharedGroup {
  readonly name: string
  /** The filter without `$share/name/`. */
  readonly filter: string
  /** `$share/name` or `$queue`. */
  readonly prefix: string
  member(id: string): Route | undefined
  members(): IterableIterator<Route>
  /** Chooses the member for one message; `exclude` names those that could not take it. */
  pick(from: string, topic: string, exclude?: ReadonlySet<Receiver>): Route | undefined
}

/** All that a topic is routed to. Kept in caches: `stale` turns true when a subscription changes it. */
export interface Routes {
  readonly topic: string
  stale: boolean
  readonly direct: readonly Route[]
  readonly shared: readonly SharedGroup[]
}
