import type { Logger } from '@hookmq/api'
import type { Hook } from './hook.ts'
import { NotAsked } from './not-asked.ts'
import { CallFailure, type PendingCalls } from './pending.ts'
import { Ticket } from './ticket.ts'
import { isThenable, verdictName } from './verdict.ts'

/** Calls to one owner that may be in flight together, one per client. */
const defaultInFlightLimit = 1024

interface Waiting {
  readonly hook: Hook
  readonly args: unknown
  readonly accumulator: unknown
  readonly lane: Lane
  /** A call that waits for its turn, which is told when it has come. Calls are never dropped. */
  readonly turn: ((leave: () => void) => void) | undefined
  /** Neighbours in the same lane. */
  previous: Waiting | undefined
  next: Waiting | undefined
  /** Neighbours in the order of arrival, over all lanes. */
  older: Waiting | undefined
  newer: Waiting | undefined
}

/** What waits of one client, while something earlier of it is being handled. */
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
  /** Instead of that limit: there is room for one more. */
  readonly room?: () => boolean
}

/**
 * Hands notifications to one owner. A synchronous handler is called at once. While an asynchronous one has not settled, the
 * next ones of the same client wait for it, in a queue that is bounded over all clients; other clients go on.
 */
export class NotificationQueue {
  limit: number
  drop: 'oldest' | 'newest'
  /** Set while the owner is a provider, which counts its calls as well. */
  room: (() => boolean) | undefined
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
  /** Of providers that say later how a notification ended, and let the next one go before that. */
  #ahead = 0
  #dropped = 0
  #droppedInBurst = 0
  #idleWaiters: (() => void)[] = []

  constructor(options: NotificationQueueOptions, calls: PendingCalls) {
    this.#owner = options.owner
    this.#log = options.log
    this.limit = options.limit
    this.drop = options.drop
    this.#inFlightLimit = options.inFlightLimit ?? defaultInFlightLimit
    this.room = options.room
    this.#calls = calls
  }

  get queued(): number {
    return this.#queued
  }

  get inFlight(): number {
    return this.#inFlight + this.#ahead
  }

  get dropped(): number {
    return this.#dropped
  }

  get idle(): boolean {
    return this.#queued === 0 && this.#inFlight === 0 && this.#ahead === 0
  }

  /** Never throws, never waits. */
  tell(hook: Hook, args: unknown, accumulator: unknown): void {
    if (this.#lanes.size !== 0 || this.#full) {
      const key = clientKey(args, accumulator)
      const lane = this.#lanes.get(key)
      if (lane !== undefined) {
        this.#enqueue(lane, hook, args, accumulator)
        return
      }
      if (this.#full) {
        const added = new Lane(key)
        this.#lanes.set(key, added)
        this.#enqueue(added, hook, args, accumulator)
        return
      }
    }
    this.#call(hook, args, accumulator, undefined)
  }

  /**
   * The turn of a call that concerns this client: now, or when what came before it has been handled. `turn` gets what it must call at its
   * own end, for what comes behind it.
   */
  reserve(key: string, hook: Hook, turn: (leave: () => void) => void): void {
    const lane = this.#lanes.get(key)
    if (lane === undefined) {
      const added = new Lane(key)
      this.#lanes.set(key, added)
      this.#takeTurn(added, turn)
      return
    }
    hook.queued++
    this.#append(lane, hook, undefined, undefined, turn)
    if (lane.inFlight === 0) this.#ready.add(lane)
  }

  /** There is room again. */
  pump(): void {
    for (const lane of this.#ready) {
      if (this.#full) break
      this.#ready.delete(lane)
      while (lane.first !== undefined && lane.inFlight === 0 && !this.#full) {
        const item = lane.first
        if (item.turn !== undefined) {
          this.#cut(item)
          item.hook.queued--
          this.#takeTurn(lane, item.turn)
        } else {
          this.#unlink(item)
          this.#call(item.hook, item.args, item.accumulator, lane)
        }
      }
      // What went ahead may have taken the last place.
      if (lane.first !== undefined && lane.inFlight === 0) this.#ready.add(lane)
      this.#release(lane)
    }
  }

  /** Forgets what waits; calls in flight are not awaited either. Calls that wait for their turn get it. */
  clear(): void {
    while (this.#oldest !== undefined) this.#unlink(this.#oldest)
    const turns = [...this.#lanes.values()]
    for (const lane of turns) {
      while (lane.first?.turn !== undefined) {
        const { first } = lane
        this.#cut(first)
        first.hook.queued--
        this.#takeTurn(lane, first.turn)
      }
    }
    this.#ready.clear()
    for (const lane of this.#lanes.values()) if (lane.inFlight === 0) this.#lanes.delete(lane.key)
    this.#wakeIfIdle()
  }

  /** Resolves when nothing waits and nothing is in flight. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  get #full(): boolean {
    return this.room === undefined ? this.#inFlight >= this.#inFlightLimit : !this.room()
  }

  #takeTurn(lane: Lane, turn: ((leave: () => void) => void) | undefined): void {
    lane.inFlight++
    let left = false
    turn?.(() => {
      if (left) return
      left = true
      lane.inFlight--
      this.#proceed(lane)
    })
  }

  #call(hook: Hook, args: unknown, accumulator: unknown, lane: Lane | undefined): void {
    const ticket = hook.wantsTicket ? new Ticket(hook.timeout, hook) : undefined
    let answer: unknown
    let asynchronous: boolean
    try {
      answer = hook.call(args, accumulator, ticket)
      if (answer === undefined) {
        if (ticket?.ahead === true) this.#goesAhead(hook)
        else ticket?.end(answer)
        return
      }
      ticket?.wait()
      asynchronous = isThenable(answer)
    } catch (error) {
      ticket?.end(new CallFailure('rejected', error))
      hook.fail(this.#log, 'threw', describeError(error))
      return
    }
    if (!asynchronous) {
      ticket?.end(answer)
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
    this.#calls.start(hook, args, answer as PromiseLike<unknown>, ticket, undefined, (outcome) => {
      if (outcome instanceof CallFailure) this.#failed(hook, outcome)
      else this.#check(hook, outcome)
      this.#inFlight--
      occupied.inFlight--
      this.#proceed(occupied)
    })
  }

  #goesAhead(hook: Hook): void {
    hook.current.pending++
    this.#ahead++
    // It may have ended while `tell` was running.
    this.#wakeIfIdle()
  }

  /** The end of what went ahead. `took`: milliseconds. */
  handled(hook: Hook, failure: CallFailure | undefined, took: number | undefined): void {
    hook.current.pending--
    this.#ahead--
    if (took !== undefined) hook.recordLatency(took)
    if (failure !== undefined) this.#failed(hook, failure)
    if (this.idle) this.#endBurst()
    this.#wakeIfIdle()
  }

  /** Goes on with a lane whose call has settled, then with lanes that waited for a free place. */
  #proceed(settled: Lane): void {
    if (settled.inFlight === 0 && settled.first !== undefined) this.#ready.add(settled)
    else this.#release(settled)
    this.pump()
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
    const item = this.#append(lane, hook, args, accumulator, undefined)
    item.older = this.#newest
    if (this.#newest === undefined) this.#oldest = item
    else this.#newest.newer = item
    this.#newest = item
    this.#queued++
    hook.queued++
    if (lane.inFlight === 0) this.#ready.add(lane)
  }

  #append(lane: Lane, hook: Hook, args: unknown, accumulator: unknown, turn: Waiting['turn']): Waiting {
    const previous = lane.last
    const neighbours = { previous, next: undefined, older: undefined, newer: undefined }
    const item: Waiting = { hook, args, accumulator, lane, turn, ...neighbours }
    if (previous === undefined) lane.first = item
    else previous.next = item
    lane.last = item
    return item
  }

  /** Takes an item out of its lane. */
  #cut({ lane, previous, next }: Waiting): void {
    if (previous === undefined) lane.first = next
    else previous.next = next
    if (next === undefined) lane.last = previous
    else next.previous = previous
  }

  /** Takes out a notification. */
  #unlink(item: Waiting): void {
    const { older, newer } = item
    this.#cut(item)
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
    readonly connInfo?: { readonly clientId: string; readonly peerhost?: string; readonly peerport?: number }
    readonly message?: { readonly from: string }
  }
  if (named.client !== undefined) return named.client.clientId
  if (named.connInfo !== undefined) {
    // Clients whose id the broker is to choose must not wait for each other.
    const { clientId, peerhost, peerport } = named.connInfo
    return clientId === '' ? `${peerhost}:${peerport}` : clientId
  }
  if (named.message !== undefined) return named.message.from
  const from = (accumulator as { readonly from?: unknown } | undefined)?.from
  return typeof from === 'string' ? from : ''
}

export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) }
  if (error instanceof NotAsked) return { error: error.message, quiet: true }
  return { error: error.message, stack: error.stack }
}
