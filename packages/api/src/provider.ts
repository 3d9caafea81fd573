import type { HookAccumulator, HookArgs, HookPointName } from './hook-points.ts'

/** One hook that a provider asks for when it is loaded. */
export interface HookSpec {
  /** A hook point, old names allowed. */
  readonly name: string
  /** message.* only. Empty or absent: all topics. */
  readonly topics?: readonly string[]
  /**
   * true: only told, also on a fold point: the call goes through `tell` and nobody waits for it. Notification points are
   * always like that. Default false.
   */
  readonly observe?: boolean
}

/** What a provider may know and say about one call of `HookProvider.call`. */
export interface ProviderCall {
  /** Milliseconds for which the broker still waits, at this moment; Infinity: for as long as it takes. */
  readonly remaining: number
  /** Aborts when nobody waits for the answer any more. Made when it is asked for: who calls thousands of times a second sets `onAbandoned`. */
  readonly signal: AbortSignal
  /** Called at most once, when nobody waits any more: the time is over, or the client has gone. An object of your own spares a closure for each call. */
  onAbandoned: (() => void) | { abandoned(): void } | undefined
  /**
   * client.authenticate and client.authorize: how long this answer may be remembered, in milliseconds; 0 = not at all. Counts before the policy's
   * own times, and only where the policy turns the cache on.
   */
  cacheFor(milliseconds: number): void
  /**
   * For `tell`: set it to true and return nothing, and the next notification of the same client does not wait for this one. Who does keeps their order itself,
   * and calls `handled` of each within `remaining`: until then it counts as in flight.
   */
  ahead: boolean
  /** The end of a notification that went ahead; `error`: it has failed. Once; anything later is ignored. */
  handled(error?: unknown): void
}

/**
 * A source of hooks that live elsewhere: ExHook, a driver's child process, a worker thread. The core wraps each in one
 * policy layer (timeout, failed action, bounded queues, circuit breaker, order per client).
 */
export interface HookProvider {
  /** Among all providers and plugins there is one of this name. Shown in logs, metrics and lists. */
  readonly name: string
  /** Connects and says which hooks it wants. Rejects when it cannot. May be asked again at any time, without `unload` before. */
  load(): Promise<readonly HookSpec[]>
  /** A fold point. The answer is a verdict as a handler would return it. A throw or a rejection is a failure. */
  call<P extends HookPointName>(
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P>,
    call: ProviderCall,
  ): unknown | Promise<unknown>
  /**
   * A notification. The promise settles when the provider has handled it: the next one of the same client waits for it.
   * `accumulator` is there only for a fold point that the provider observes.
   */
  tell<P extends HookPointName>(
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P> | undefined,
    call: ProviderCall,
  ): void | Promise<void>
  /** Asked once at the end, if it was ever loaded; nothing is called after it. The broker goes on after 5 seconds. */
  unload(): Promise<void>
  /**
   * What it counts by itself, such as its connections: shown beside what the broker counts of it, to Prometheus as hookmq_provider_NAME. Names: small letters and
   * underscores.
   */
  readonly numbers?: Readonly<Record<string, number>>
}

/** What may be said for one hook of a provider. */
export interface ProviderHookPolicy {
  /** Milliseconds; 0 = none. Default: the provider's. */
  readonly timeout?: number
  /** Default: the provider's on client.authenticate and client.authorize, 'ignore' on message.publish. */
  readonly failedAction?: 'deny' | 'ignore'
}

/** Stops asking a provider that fails, and asks again now and then. */
export interface BreakerPolicy {
  /** So many failures one after the other open it; 0 = never. Default 20. */
  readonly failures?: number
  /** Opens when this share (0 to 1) of the last `window` calls failed; 0 = never. Default 0. */
  readonly failureRate?: number
  /** Calls. Default 100. */
  readonly window?: number
  /** Milliseconds for which it stays open before one call is let through. Default 2000. */
  readonly openFor?: number
}

/** Answers of client.authenticate and client.authorize that are remembered; none while both times are 0. */
export interface VerdictCachePolicy {
  /** Milliseconds; 0 = not remembered. Default 0. */
  readonly ttl?: number
  /** Milliseconds for answers that refuse. Default: `ttl`. */
  readonly negativeTtl?: number
  /** Default 10000. */
  readonly size?: number
}

export interface HookProviderPolicy {
  /** Milliseconds; 0 = none. Default 5000. */
  readonly timeout?: number
  /**
   * What a call that fails means on client.authenticate and client.authorize. Default 'deny'. message.publish goes on as if nothing had been asked,
   * unless `hooks` says otherwise.
   */
  readonly failedAction?: 'deny' | 'ignore'
  /**
   * Before the first successful load: true: each call on a point whose failed action is 'deny' fails. false: nothing is asked, everything passes.
   * Default: true on the points where 'deny' is written in the policy, false where it is the default.
   */
  readonly armed?: boolean
  /** By hook point. */
  readonly hooks?: { readonly [P in HookPointName]?: ProviderHookPolicy }
  /** Default 100, where EMQX has ExHook. */
  readonly priority?: number
  /** Among hooks of the same priority; lower comes first. Default 0. */
  readonly place?: number
  /** Notifications that may wait. Default 10000. */
  readonly queueLimit?: number
  /** Which one goes when the queue is full. Default 'oldest'. */
  readonly queueDrop?: 'oldest' | 'newest'
  /**
   * 'background': nobody waits for notifications, and calls do not wait for them. 'wait': all that concerns one client happens one after the other,
   * and the client waits for it, as in EMQX. Default 'background'.
   */
  readonly notify?: 'background' | 'wait'
  /** Calls and notifications that may be with the provider at one time; 0 = no limit. Default 4096. */
  readonly maxInFlight?: number
  /** Calls that may wait for one of those places; one more fails. Default 10000. */
  readonly maxWaiting?: number
  readonly breaker?: BreakerPolicy
  readonly cache?: VerdictCachePolicy
  /** Milliseconds after which a load that failed is tried again, for ever; 0 = never. Default 0. */
  readonly retry?: number
}

export interface ProviderCounters {
  /** Calls and notifications handed to it, answered from the cache or refused by the breaker; and those of them that failed. */
  readonly calls: number
  readonly failures: number
  readonly timeouts: number
  /** Notifications that wait, are being handled, and were dropped because the queue was full. */
  readonly queued: number
  readonly inFlight: number
  readonly dropped: number
  /** Calls that wait because the provider has as many as it may, and those that failed because too many waited. */
  readonly waiting: number
  readonly overflowed: number
  /** Not asked because the circuit breaker was open, and how often it opened. */
  readonly turnedAway: number
  readonly opened: number
  /** Answers that are remembered, and calls that were answered by them or by the call of another that asked the same. */
  readonly cached: number
  readonly cacheHits: number
}

/** One hook of a provider, with what became of its calls since the provider was attached. */
export interface ProviderHookView {
  readonly point: HookPointName
  /** As loaded; absent: all. */
  readonly topics?: readonly string[]
  readonly calls: number
  readonly succeeded: number
  readonly failures: number
  readonly timeouts: number
  readonly dropped: number
  readonly latency: LatencyView
}

/** Milliseconds; estimates, at most 19 % too high. */
export interface LatencyView {
  readonly count: number
  /** undefined before the first call. */
  readonly p50?: number
  readonly p99?: number
}

/** A provider that is attached to the broker. */
export interface ProviderHandle {
  readonly name: string
  /** 'failed': the last load failed. Hooks of an earlier load are in force all the same. */
  readonly status: 'loading' | 'loaded' | 'failed' | 'detached'
  /** Why the last load failed. */
  readonly error: unknown
  /** The points that it is asked on or told about. */
  readonly points: readonly HookPointName[]
  /** The same with their counters, in the order of its answer to load. */
  readonly hooks: readonly ProviderHookView[]
  readonly counters: ProviderCounters
  /** What the provider counts by itself. */
  readonly numbers: Readonly<Record<string, number>>
  /** 'open': it fails and is not asked; 'half-open': the next call tries it. */
  readonly breaker: 'closed' | 'open' | 'half-open'
  /** Forgets remembered answers, of one client or of all. Returns how many there were. */
  cleanCache(clientId?: string): number
  /** Among hooks of the same priority; lower comes first. Can be set at any time. */
  place: number
  /** Resolves when the first load has ended, well (true) or not. */
  readonly ready: Promise<boolean>
  /** Loads (again) and puts the new hooks in the place of the old ones, in one step. Never rejects; false: `error` says why. */
  reload(): Promise<boolean>
  /**
   * Puts another one of the same name in its place. This one answers until the other's first load has ended, well or not, or for 5 seconds; then
   * it is unloaded. No event is lost or comes twice. Throws when the policy makes no sense.
   */
  replace(provider: HookProvider, policy?: HookProviderPolicy): ProviderHandle
  /** Takes its hooks out, lets calls end, unloads it. */
  detach(): Promise<void>
}
