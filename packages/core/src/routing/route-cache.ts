import { topicMatches } from '@hookmq/mqtt'
import type { Route, Routes, SharedGroup } from './types.ts'
import { hasWildcard } from './wildcard.ts'

/** Looking at so many entries costs about as much as building the routes of one topic again. */
const looksPerBuild = 32

export class CachedRoutes implements Routes {
  readonly topic: string
  stale = false
  readonly direct: readonly Route[]
  readonly shared: readonly SharedGroup[]
  /** What it holds alone, in units of 256 bytes; at least 1. */
  readonly weight: number

  /** `own`: bytes that the arrays and the routes in them take, as far as nobody else holds them anyway. */
  constructor(topic: string, direct: readonly Route[], shared: readonly SharedGroup[], own: number) {
    this.topic = topic
    this.direct = direct
    this.shared = shared
    this.weight = 1 + ((topic.length + own) >>> 8)
  }
}

/**
 * Routes by topic. What leaves the cache for whatever cause is stale from then on, because later changes could not reach it.
 * Two generations stand in for a list by last use: when the young one is full it becomes the old one, and what nobody
 * asked for since the last time goes.
 */
export class RouteCache {
  readonly #half: number
  #young = new Map<string, CachedRoutes>()
  #youngWeight = 0
  #old = new Map<string, CachedRoutes>()
  /** Entries that may still be looked at before it is cheaper to drop them all. */
  #looks = 0

  /** `capacity`: entries, fewer when they are big. 0: nothing is kept. */
  constructor(capacity: number) {
    this.#half = Math.floor(capacity / 2)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(topic: string): CachedRoutes | undefined {
    const young = this.#young.get(topic)
    if (young !== undefined || this.#old.size === 0) return young
    const old = this.#old.get(topic)
    if (old === undefined) return undefined
    this.#old.delete(topic)
    this.add(old)
    return old
  }

  /** The topic must not be in the cache. Routes that are too big to keep turn stale at once. */
  add(routes: CachedRoutes): void {
    if (routes.weight > this.#half) {
      routes.stale = true
      return
    }
    if (this.#youngWeight + routes.weight > this.#half) {
      for (const forgotten of this.#old.values()) forgotten.stale = true
      this.#old = this.#young
      this.#young = new Map()
      this.#youngWeight = 0
    }
    this.#young.set(routes.topic, routes)
    this.#youngWeight += routes.weight
    this.#looks = Math.min(this.#looks + looksPerBuild, 2 * this.#half * looksPerBuild)
  }

  /**
   * The routes of the topics that this filter matches have changed. For a wildcard filter all entries are looked at, as long as
   * that cost no more since they were built than to build them again; after that they are dropped. So a client that comes
   * now and then does not cost the publishers their routes, and a storm of clients does not look at the same entries for ever.
   */
  changed(filter: string): void {
    const { size } = this
    if (size === 0) return
    if (!hasWildcard(filter)) this.#forget(filter)
    else if (size > this.#looks) this.#clear()
    else {
      this.#looks -= size
      for (const topic of this.#young.keys()) if (topicMatches(filter, topic)) this.#forget(topic)
      for (const topic of this.#old.keys()) if (topicMatches(filter, topic)) this.#forget(topic)
    }
  }

  #forget(topic: string): void {
    const young = this.#young.get(topic)
    if (young !== undefined) {
      young.stale = true
      this.#young.delete(topic)
      this.#youngWeight -= young.weight
      return
    }
    const old = this.#old.get(topic)
    if (old === undefined) return
    old.stale = true
    this.#old.delete(topic)
  }

  #clear(): void {
    for (const routes of this.#young.values()) routes.stale = true
    for (const routes of this.#old.values()) routes.stale = true
    this.#young.clear()
    this.#old.clear()
    this.#youngWeight = 0
    this.#looks = 0
  }
}
