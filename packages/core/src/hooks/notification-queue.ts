import type { Logger } from '@hookmq/api'
import type { Hook } from './hook.ts'
import { CallFailure, type PendingCalls } from './pending.ts'
import { isThenable, verdictName } from './verdict.ts'

/** Calls to one owner that may be in flight together, one per client. */
const defaultInFlightLimit = 1024

interface Waiting {
  readonly hook: Hook
  readonly args: unknown
  readonly accumulator: unknown
  readonly lane: Lane
  /** The next of the same lane. */
  next: Waiting | undefined
  /** Neighbours in the order of arrival, over all lanes. */
  older: Waiting | undefined
  newer: Waiting | undefined
}

/** The notifications of one client that wait, while one of its earlier ones is being handled. */
class Lane {
  readonly key: string
  /** One, or more when a handler told its own client something before it answered. */
  inFlight = 0
  first: Waiting | undefined
  last: Waiting | undefined

  constructor(key: string) {
    this.key = key
  }
}

export interface NotificationQueueOptions {
  readonly owner: string
  readonly log: Logger
  readonly limit: number
  readonly drop: 'oldest' | 'newest'
  readonly inFlightLimit?: number
}

/**
 * Hands notifications to one owner. A synchronous handler is called at once. While an asynchronous one has not settled, the
 * next ones of the same client wait for it, in a queue that is bounded over all clients; other clients go on.
 */
export class NotificationQueue {
  limit: number
  drop: 'oldest' | 'newest'
  readonly #inFlightLimit: number
  readonly #owner: string
  readonly #log: Logger
  readonly #calls: PendingCalls
  readonly #lanes = new Map<string, Lane>()
  /** Lanes with something to do that had to wait because too many calls were in flight. */
  readonly #ready = new Set<Lane>()
  #oldest: Waiting | undefined
  #newest: Waiting | undefined
  #queued = 0
  #inFlight = 0
  #dropped = 0
  #droppedInBurst = 0
  #idleWaiters: (() => void)[] = []

  constructor(options: NotificationQueueOptions, calls: PendingCalls) {
    this.#owner = options.owner
    this.#log = options.log
    this.limit = options.limit
    this.drop = options.drop
    this.#inFlightLimit = options.inFlightLimit ?? defaultInFlightLimit
    this.#calls = calls
  }

  get queued(): number {
    return this.#queued
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get dropped(): number {
    return this.#dropped
  }

  get idle(): boolean {
    return this.#queued === 0 && this.#inFlight === 0
  }

  /** Never throws, never waits. */
  tell(hook: Hook, args: unknown, accumulator: unknown): void {
    if (this.#lanes.size !== 0) {
      const key = clientKey(args, accumulator)
      const lane = this.#lanes.get(key)
      if (lane !== undefined) {
        this.#enqueue(lane, hook, args, accumulator)
        return
      }
      if (this.#inFlight >= this.#inFlightLimit) {
        const added = new Lane(key)
        this.#lanes.set(key, added)
        this.#enqueue(added, hook, args, accumulator)
        return
      }
    }
    this.#call(hook, args, accumulator, undefined)
  }

  /** Forgets what waits; calls in flight are not awaited either. */
  clear(): void {
    while (this.#oldest !== undefined) this.#unlink(this.#oldest)
    this.#ready.clear()
    for (const lane of this.#lanes.values()) if (lane.inFlight === 0) this.#lanes.delete(lane.key)
    this.#wakeIfIdle()
  }

  /** Resolves when nothing waits and nothing is in flight. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  #call(hook: Hook, args: unknown, accumulator: unknown, lane: Lane | undefined): void {
    let answer: unknown
    let asynchronous: boolean
    try {
      answer = hook.call(args, accumulator, undefined)
      if (answer === undefined) return
      asynchronous = isThenable(answer)
    } catch (error) {
      hook.fail(this.#log, 'threw', describeError(error))
      return
    }
    if (!asynchronous) {
      this.#check(hook, answer)
      return
    }
    let taken = lane
    if (taken === undefined) {
      const key = clientKey(args, accumulator)
      // A synchronous handler may have published and so begun another notification of the same client.
      taken = this.#lanes.get(key) ?? new Lane(key)
      this.#lanes.set(key, taken)
    }
    const occupied = taken
    occupied.inFlight++
    this.#inFlight++
    this.#calls.start(hook, args, answer as PromiseLike<unknown>, undefined, undefined, (outcome) => {
      if (outcome instanceof CallFailure) this.#failed(hook, outcome)
      else this.#check(hook, outcome)
      this.#inFlight--
      occupied.inFlight--
      this.#proceed(occupied)
    })
  }

  /** Goes on with a lane whose call has settled, then with lanes that waited for a free place. */
  #proceed(settled: Lane): void {
    if (settled.inFlight === 0 && settled.first !== undefined) this.#ready.add(settled)
    else this.#release(settled)
    for (const lane of this.#ready) {
      if (this.#inFlight >= this.#inFlightLimit) break
      this.#ready.delete(lane)
      while (lane.first !== undefined && lane.inFlight === 0) {
        const { hook, args, accumulator } = lane.first
        this.#unlink(lane.first)
        this.#call(hook, args, accumulator, lane)
      }
      this.#release(lane)
    }
    if (this.idle) this.#endBurst()
    this.#wakeIfIdle()
  }

  /** Forgets a lane that has nothing to do. */
  #release(lane: Lane): void {
    if (lane.inFlight === 0 && lane.first === undefined && this.#lanes.get(lane.key) === lane)
      this.#lanes.delete(lane.key)
  }

  #enqueue(lane: Lane, hook: Hook, args: unknown, accumulator: unknown): void {
    if (this.#queued >= this.limit) {
      if (this.drop === 'newest' || this.#oldest === undefined) {
        this.#countDrop(hook)
        this.#release(lane)
        return
      }
      this.#countDrop(this.#oldest.hook)
      this.#unlink(this.#oldest)
    }
    const item: Waiting = {
      hook,
      args,
      accumulator,
      lane,
      next: undefined,
      older: this.#newest,
      newer: undefined,
    }
    if (lane.last === undefined) lane.first = item
    else lane.last.next = item
    lane.last = item
    if (this.#newest === undefined) this.#oldest = item
    else this.#newest.newer = item
    this.#newest = item
    this.#queued++
    hook.queued++
    if (lane.inFlight === 0) this.#ready.add(lane)
  }

  /** Takes out an item that is the first of its lane: the oldest of all, or the next to be handled. */
  #unlink(item: Waiting): void {
    const { lane, older, newer } = item
    lane.first = item.next
    if (lane.first === undefined) lane.last = undefined
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    item.hook.queued--
    if (--this.#queued === 0) this.#endBurst()
  }

  #countDrop(hook: Hook): void {
    hook.current.dropped++
    this.#dropped++
    hook.owner.count('dropped')
    if (this.#droppedInBurst++ > 0) return
    this.#log.warn('notification queue is full: notifications are being dropped', {
      owner: this.#owner,
      hook: hook.name,
      point: hook.point,
      limit: this.limit,
      drops: this.drop,
    })
  }

  #endBurst(): void {
    if (this.#droppedInBurst === 0) return
    this.#log.info('notification queue has room again', { owner: this.#owner, dropped: this.#droppedInBurst })
    this.#droppedInBurst = 0
  }

  #failed(hook: Hook, failure: CallFailure): void {
    if (failure.kind === 'cancelled') return
    if (failure.kind === 'timeout') hook.fail(this.#log, 'timeout', { timeout: hook.timeout })
    else hook.fail(this.#log, 'rejected', describeError(failure.error))
  }

  /** Nobody decides on a notification: whoever answers with a verdict is told so, other values are ignored. */
  #check(hook: Hook, answer: unknown): void {
    if (answer === undefined || answer === 'ok') return
    const verdict = verdictName(answer)
    if (verdict === undefined) return
    hook.fail(this.#log, 'invalid verdict', {
      expected: hook.observe
        ? 'nothing: this hook only observes'
        : `nothing: ${hook.point} is a notification, its hooks decide nothing`,
      got: verdict,
    })
  }

  #wakeIfIdle(): void {
    if (!this.idle || this.#idleWaiters.length === 0) return
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const wake of waiters) wake()
  }
}

/** Whose notification it is: order is kept per client. */
export function clientKey(args: unknown, accumulator?: unknown): string {
  const named = args as {
    readonly client?: { readonly clientId: string }
    readonly connInfo?: { readonly clientId: string }
    readonly message?: { readonly from: string }
  }
  if (named.client !== undefined) return named.client.clientId
  if (named.connInfo !== undefined) return named.connInfo.clientId
  if (named.message !== undefined) return named.message.from
  const from = (accumulator as { readonly from?: unknown } | undefined)?.from
  return typeof from === 'string' ? from : ''
}

export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) }
  return { error: error.message, stack: error.stack }
}
