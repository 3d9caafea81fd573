import type { HookPointName, Logger, PayloadUse } from '@hookmq/api'
import { LatencyHistogram } from './latency.ts'
import type { NotificationQueue } from './notification-queue.ts'
import type { Ticket } from './ticket.ts'
import { topicMatchesAny } from './topics.ts'
import { isThenable } from './verdict.ts'

/** A mask: one call in 64. */
const timedOneIn = 63

/** `ticket` only for hooks that want one: providers. */
export type AnyHandler = (args: unknown, accumulator: unknown, ticket: Ticket | undefined) => unknown

/** What the broker's metrics count of hooks. 'late': an answer that nobody waited for any more. 'denied': a failure that refused. */
export type HookEvent = 'threw' | 'rejected' | 'timeout' | 'invalid verdict' | 'dropped' | 'late' | 'denied'

/** Everything that belongs to one plugin or provider: its notifications are handled in order, client by client. */
export interface HookOwner {
  readonly name: string
  readonly queue: NotificationQueue
  readonly count: (event: HookEvent) => void
}

export interface HookSettings {
  readonly point: HookPointName
  readonly owner: HookOwner
  readonly name: string
  readonly priority: number
  readonly phase: 'mutate' | 'sink'
  readonly topics: readonly string[] | undefined
  /** Milliseconds; 0 = none. */
  readonly timeout: number
  readonly failedAction: 'deny' | 'ignore'
  /** `recheck: false` was given. */
  readonly answersForTopic: boolean
  /** Default 'keep'. */
  readonly payload?: PayloadUse
  /** Only told, also on a fold point. */
  readonly observe: boolean
  readonly wantsTicket: boolean
  /** All that it is asked and told about one client happens one after the other, and the client waits for it. */
  readonly strict: boolean
  /** Not shown: it is there for the order only. */
  readonly hidden?: boolean
}

// A hook that fails on every message must not fill the disk: this many lines in this time, then a count of the rest.
const logLines = 10
const logPeriod = 1000

/** One registered callback, with what it was registered with and what became of its calls. */
export class Hook {
  readonly point: HookPointName
  readonly owner: HookOwner
  readonly name: string
  readonly priority: number
  readonly phase: 'mutate' | 'sink'
  readonly topics: readonly string[] | undefined
  readonly timeout: number
  readonly failedAction: 'deny' | 'ignore'
  readonly answersForTopic: boolean
  readonly payload: PayloadUse
  readonly observe: boolean
  readonly wantsTicket: boolean
  readonly strict: boolean
  readonly hidden: boolean
  /** Strict or observing: not asked and judged like others. */
  readonly apart: boolean
  handler: AnyHandler
  /** What the author gave: duplicates are found by it. */
  readonly identity: unknown
  /** Its provider is detached or its plugin unloaded: runs that still have it in their list pass it by. */
  gone = false
  /** When it was registered, as a number that grows; of equal priorities the lowest runs first. Set by the engine. */
  order = 0
  /** Among hooks of the same priority, before the order of registration. */
  place = 0
  /** Notifications for it that wait. */
  queued = 0
  calls = 0
  failures = 0
  timeouts = 0
  /** Notifications that never reached it, because the queue was full. */
  dropped = 0
  /** Asynchronous calls that have not been answered, and those that nobody waits for any more. */
  pending = 0
  cancelled = 0
  #latency: LatencyHistogram | undefined
  /** What came after it on the same point: late failures count there. */
  #successor: Hook | undefined
  #logPeriodEnd = 0
  #logged = 0
  #unlogged = 0

  constructor(settings: HookSettings, handler: AnyHandler, identity: unknown = handler) {
    this.point = settings.point
    this.owner = settings.owner
    this.name = settings.name
    this.priority = settings.priority
    this.phase = settings.phase
    this.topics = settings.topics
    this.timeout = settings.timeout
    this.failedAction = settings.failedAction
    this.answersForTopic = settings.answersForTopic
    this.payload = settings.payload ?? 'keep'
    this.observe = settings.observe
    this.wantsTicket = settings.wantsTicket
    this.strict = settings.strict
    this.hidden = settings.hidden ?? false
    this.apart = settings.strict || settings.observe
    this.handler = handler
    this.identity = identity
  }

  /** 'owner/name', as in refusals. */
  get label(): string {
    return `${this.owner.name}/${this.name}`
  }

  wants(topic: string): boolean {
    return this.topics === undefined || topicMatchesAny(topic, this.topics)
  }

  /** Runs the handler and counts it. Of answers that come at once only some are timed: to read the clock takes as long as a short handler. */
  call(args: unknown, accumulator: unknown, ticket: Ticket | undefined): unknown {
    if ((++this.calls & timedOneIn) !== 1) return this.handler(args, accumulator, ticket)
    const began = performance.now()
    const answer = this.handler(args, accumulator, ticket)
    if (!isThenable(answer) && ticket?.ahead !== true) this.recordLatency(performance.now() - began)
    return answer
  }

  get succeeded(): number {
    return this.calls - this.failures - this.pending - this.cancelled
  }

  /** Goes on with what another one has counted, whose place it takes. */
  inherit(predecessor: Hook | undefined): void {
    if (predecessor === undefined) return
    predecessor.#successor = this
    // Runs that began before still call it: they count here, and no other call pays for that.
    const { handler } = predecessor
    predecessor.handler = (args, accumulator, ticket) => {
      this.current.calls++
      return handler(args, accumulator, ticket)
    }
    this.calls = predecessor.calls
    this.failures = predecessor.failures
    this.timeouts = predecessor.timeouts
    this.dropped = predecessor.dropped
    this.pending = predecessor.pending
    this.cancelled = predecessor.cancelled
    this.#latency = predecessor.#latency ??= new LatencyHistogram()
  }

  /** The one that counts now. */
  get current(): Hook {
    let hook: Hook = this
    while (hook.#successor !== undefined) hook = hook.#successor
    return hook
  }

  recordLatency(milliseconds: number): void {
    this.#latency ??= new LatencyHistogram()
    this.#latency.record(milliseconds)
  }

  get latencyCount(): number {
    return this.#latency?.count ?? 0
  }

  latency(share: number): number | undefined {
    return this.#latency?.quantile(share)
  }

  /** Counts a failure and logs it, at most ten times a second. `quiet` in the detail: not at all. */
  fail(log: Logger, kind: 'threw' | 'rejected' | 'timeout' | 'invalid verdict', detail: Record<string, unknown>): void {
    const counts = this.#successor === undefined ? this : this.current
    counts.failures++
    this.owner.count(kind)
    if (kind === 'timeout') counts.timeouts++
    if (detail.quiet === true) return
    const now = performance.now()
    if (now >= this.#logPeriodEnd) {
      this.#logPeriodEnd = now + logPeriod
      this.#logged = 0
    }
    if (this.#logged >= logLines) {
      this.#unlogged++
      return
    }
    this.#logged++
    const fields: Record<string, unknown> = { owner: this.owner.name, hook: this.name, point: this.point, ...detail }
    if (this.#unlogged > 0) fields.failuresNotLogged = this.#unlogged
    this.#unlogged = 0
    log.error(`hook failed: ${kind}`, fields)
  }
}
