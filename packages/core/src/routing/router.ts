import { parseShared, type SharedFilter } from '@hookmq/mqtt'
import type { SharedStrategy } from '../options.ts'
import { Crowd, type Fan, groupOf, routeOf, withGroup, withoutGroup, withoutRoute, withRoute } from './fan.ts'
import { mergeFans } from './merge-fans.ts'
import { StoredRoute } from './route.ts'
import { CachedRoutes, RouteCache } from './route-cache.ts'
import { Group } from './shared-group.ts'
import { TopicTree } from './topic-tree.ts'
import type { Receiver, Routes, SharedGroup, StoredOptions } from './types.ts'

export interface RouterOptions {
  /** Topics whose routes are remembered; 0 = none. */
  cacheSize: number
  sharedStrategy: SharedStrategy
  /** Per group name. */
  sharedStrategyOfGroup: Readonly<Record<string, SharedStrategy>>
  /** As Math.random. */
  random?: () => number
}

/** Is told of subscriptions as they come and go. */
export interface RouterObserver {
  /** `filter` with its share prefix; also when only the options are others. */
  subscribed(filter: string, receiver: Receiver, options: StoredOptions, isNew: boolean): void
  unsubscribed(filter: string, receiver: Receiver): void
}

/** Who gets the messages of a topic. */
export class Router {
  observer: RouterObserver | undefined = undefined
  readonly #tree = new TopicTree<Fan>()
  readonly #cache: RouteCache
  readonly #sharedStrategy: SharedStrategy
  readonly #sharedStrategyOfGroup: Readonly<Record<string, SharedStrategy>>
  readonly #random: () => number
  readonly #found: Fan[] = []
  #direct = 0
  #shared = 0
  #groups = 0

  constructor(options: RouterOptions) {
    this.#cache = new RouteCache(options.cacheSize)
    this.#sharedStrategy = options.sharedStrategy
    this.#sharedStrategyOfGroup = options.sharedStrategyOfGroup
    this.#random = options.random ?? Math.random
  }

  /** Distinct filters, without share prefixes. */
  get topicCount(): number {
    return this.#tree.size
  }

  /** Pairs of receiver and filter, shared ones included. */
  get subscriptionCount(): number {
    return this.#direct + this.#shared
  }

  get sharedSubscriptionCount(): number {
    return this.#shared
  }

  get sharedGroupCount(): number {
    return this.#groups
  }

  /** Topics in the cache. */
  get cachedTopicCount(): number {
    return this.#cache.size
  }

  /**
   * Adds a subscription or replaces the options of the one that the receiver has for this filter [MQTT-3.8.4-3]. The filter
   * is valid and may begin with `$share/group/` or `$queue/`. true: it is new. Throws MqttError 0x8F for a share prefix
   * without group or filter: `topicFilterError` tells beforehand.
   */
  subscribe(filter: string, receiver: Receiver, options: StoredOptions): boolean {
    const isNew = this.#add(filter, receiver, options)
    this.observer?.subscribed(filter, receiver, options, isNew)
    return isNew
  }

  #add(filter: string, receiver: Receiver, options: StoredOptions): boolean {
    const share = parseShared(filter)
    if (share !== undefined) return this.#join(share, receiver, options)
    const fan = this.#tree.get(filter)
    const previous = routeOf(fan, receiver)
    const route = StoredRoute.of(receiver, options)
    const next = withRoute(fan, route)
    if (next !== fan) this.#tree.set(filter, next)
    if (previous === undefined) this.#direct++
    else if (previous.routesLike(route)) return false
    this.#cache.changed(filter)
    return previous === undefined
  }

  /** Takes a subscription away [MQTT-3.10.4-1]; its options, or undefined when there was none. */
  unsubscribe(filter: string, receiver: Receiver): StoredOptions | undefined {
    const options = this.#remove(filter, receiver)
    if (options !== undefined) this.observer?.unsubscribed(filter, receiver)
    return options
  }

  #remove(filter: string, receiver: Receiver): StoredOptions | undefined {
    const share = parseShared(filter)
    if (share !== undefined) return this.#leave(share, receiver)
    const fan = this.#tree.get(filter)
    const route = routeOf(fan, receiver)
    if (fan === undefined || route === undefined) return undefined
    this.#keep(filter, fan, withoutRoute(fan, receiver))
    this.#direct--
    this.#cache.changed(filter)
    return route.options
  }

  /**
   * All receivers of a topic name. The result may be kept and used for as long as its `stale` is false; it is never changed
   * otherwise, but for the members of its shared groups, which are always the present ones.
   */
  match(topic: string): Routes {
    const cached = this.#cache.get(topic)
    if (cached !== undefined) return cached
    const routes = this.#build(topic)
    this.#cache.add(routes)
    return routes
  }

  /** The members of a shared subscription; undefined: there are none. */
  group(share: SharedFilter): SharedGroup | undefined {
    return groupOf(this.#tree.get(share.filter), prefixOf(share))
  }

  /** Somebody is subscribed to exactly this filter (without share prefix), directly or in a group. */
  hasSubscribers(filter: string): boolean {
    return this.#tree.get(filter) !== undefined
  }

  /** Distinct filters, without share prefixes. No subscription may change until the iterator is done with. */
  *filters(): IterableIterator<string> {
    for (const [filter] of this.#tree.entries()) yield filter
  }

  #join(share: SharedFilter, receiver: Receiver, options: StoredOptions): boolean {
    const { filter, group: name } = share
    const prefix = prefixOf(share)
    const fan = this.#tree.get(filter)
    let group = groupOf(fan, prefix)
    if (group === undefined) {
      const strategies = this.#sharedStrategyOfGroup
      const strategy = Object.hasOwn(strategies, name) ? strategies[name] : this.#sharedStrategy
      group = new Group(prefix, name, filter, strategy, this.#random)
      const next = withGroup(fan, group)
      if (next !== fan) this.#tree.set(filter, next)
      this.#groups++
      this.#cache.changed(filter)
    }
    const isNew = group.add(receiver, options)
    if (isNew) this.#shared++
    return isNew
  }

  #leave(share: SharedFilter, receiver: Receiver): StoredOptions | undefined {
    const { filter } = share
    const prefix = prefixOf(share)
    const fan = this.#tree.get(filter)
    const group = groupOf(fan, prefix)
    const route = group?.remove(receiver)
    if (group === undefined || route === undefined || !(fan instanceof Crowd)) return undefined
    this.#shared--
    if (group.size === 0) {
      this.#keep(filter, fan, withoutGroup(fan, prefix))
      this.#groups--
      this.#cache.changed(filter)
    }
    return route.options
  }

  #keep(filter: string, before: Fan, after: Fan | undefined): void {
    if (after === undefined) this.#tree.delete(filter)
    else if (after !== before) this.#tree.set(filter, after)
  }

  #build(topic: string): CachedRoutes {
    const found = this.#found
    this.#tree.match(topic, found)
    let shared: SharedGroup[] | undefined
    for (const fan of found) {
      if (fan instanceof Crowd && fan.groups !== undefined) {
        shared ??= []
        for (const group of fan.groups.values()) shared.push(group)
      }
    }
    const sharedBytes = shared === undefined ? 0 : 8 * shared.length
    const only = found.length === 1 ? found[0] : undefined
    let routes: CachedRoutes
    if (only instanceof Crowd) routes = new CachedRoutes(topic, only.list(), shared ?? none, sharedBytes)
    else if (only !== undefined) routes = new CachedRoutes(topic, [only], none, 0)
    else if (found.length === 0) routes = new CachedRoutes(topic, none, none, 0)
    else {
      const { direct, merged } = mergeFans(found)
      routes = new CachedRoutes(topic, direct, shared ?? none, sharedBytes + 8 * direct.length + 96 * merged)
    }
    found.length = 0
    return routes
  }
}

const none: readonly never[] = Object.freeze([])

/** What keeps the groups of one filter apart: `$queue/f` is not a member of a group that is named '$queue'. */
function prefixOf(share: SharedFilter): string {
  return share.queue ? '$queue' : `$share/${share.group}`
}
