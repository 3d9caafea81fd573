import { Later, type LaterListener } from '@hookmq/api'
import type { Hook } from './hook.ts'
import type { Ticket } from './ticket.ts'

/** Why an asynchronous hook gave no answer that counts. */
export class CallFailure {
  readonly kind: 'timeout' | 'rejected' | 'cancelled'
  readonly error: unknown

  constructor(kind: CallFailure['kind'], error?: unknown) {
    this.kind = kind
    this.error = error
  }
}

/**
 * Whoever waits for answers and may vanish: one per connection. `cancel` makes every fold that runs under it end at once;
 * providers see their AbortSignal.
 */
export class CallScope {
  #calls: Set<PendingCall> | undefined
  #cancelled = false

  get cancelled(): boolean {
    return this.#cancelled
  }

  /** Calls that have not been answered. */
  get pending(): number {
    return this.#calls?.size ?? 0
  }

  cancel(): void {
    this.#cancelled = true
    if (this.#calls === undefined) return
    for (const call of [...this.#calls]) call.settle(new CallFailure('cancelled'))
  }

  add(call: PendingCall): void {
    this.#calls ??= new Set()
    this.#calls.add(call)
  }

  delete(call: PendingCall): void {
    this.#calls?.delete(call)
  }
}

/**
 * One call whose answer is awaited: a node in the list of all calls that have the same timeout. There are thousands at a time, so whoever waits is the
 * call itself, and not a closure beside it.
 */
export abstract class PendingCall implements LaterListener {
  readonly hook: Hook
  readonly args: unknown
  readonly ticket: Ticket | undefined
  readonly scope: CallScope | undefined
  started = 0
  /** Where it stands while it is open. */
  list: CallList | undefined
  #owner: PendingCalls | undefined
  #waiters: (() => void)[] | undefined
  previous: PendingCall | undefined
  next: PendingCall | undefined

  constructor(hook: Hook, args: unknown, ticket: Ticket | undefined, scope: CallScope | undefined) {
    this.hook = hook
    this.args = args
    this.ticket = ticket
    this.scope = scope
  }

  /** Called once: with the answer, or with a `CallFailure`. */
  protected abstract ended(outcome: unknown): void

  begin(owner: PendingCalls, list: CallList, started: number): void {
    this.#owner = owner
    this.list = list
    this.started = started
  }

  answered(answer: unknown): void {
    this.settle(answer)
  }

  failed(error: unknown): void {
    this.settle(new CallFailure('rejected', error))
  }

  /** The first outcome counts, a later one is discarded. */
  settle(outcome: unknown): void {
    const owner = this.#owner
    if (owner === undefined) {
      if (!(outcome instanceof CallFailure)) this.hook.owner.count('late')
      return
    }
    this.#owner = undefined
    owner.forget(this)
    this.scope?.delete(this)
    if (outcome instanceof CallFailure && outcome.kind === 'cancelled') this.hook.current.cancelled++
    this.ticket?.end(outcome)
    this.ended(outcome)
    if (this.#waiters !== undefined) for (const wake of this.#waiters) wake()
  }

  whenSettled(): Promise<void> {
    if (this.#owner === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiters ??= []
      this.#waiters.push(resolve)
    })
  }
}

/** A call that calls back. */
class CallbackCall extends PendingCall {
  readonly #onSettled: (outcome: unknown) => void

  constructor(
    hook: Hook,
    args: unknown,
    ticket: Ticket | undefined,
    scope: CallScope | undefined,
    onSettled: (outcome: unknown) => void,
  ) {
    super(hook, args, ticket, scope)
    this.#onSettled = onSettled
  }

  protected ended(outcome: unknown): void {
    this.#onSettled(outcome)
  }
}

class CallList {
  /** Milliseconds; 0 = for ever. */
  readonly timeout: number
  head: PendingCall | undefined
  tail: PendingCall | undefined

  constructor(timeout: number) {
    this.timeout = timeout
  }
}

/**
 * All calls in flight. Calls with the same timeout are due in the order in which they began, so that one list per timeout
 * and one timer for the first of them are enough.
 */
export class PendingCalls {
  readonly #now: () => number
  readonly #lists = new Map<number, CallList>()
  #timer: NodeJS.Timeout | undefined
  #timerDue = 0
  #size = 0

  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#size
  }

  /** Calls back once: with the answer, or with a `CallFailure`. */
  start(
    hook: Hook,
    args: unknown,
    answer: PromiseLike<unknown>,
    ticket: Ticket | undefined,
    scope: CallScope | undefined,
    onSettled: (outcome: unknown) => void,
  ): void {
    this.await(new CallbackCall(hook, args, ticket, scope, onSettled), answer)
  }

  /** The same for a call that is its own listener. */
  await(call: PendingCall, answer: PromiseLike<unknown>): void {
    const { hook, scope } = call
    let list = this.#lists.get(hook.timeout)
    if (list === undefined) {
      list = new CallList(hook.timeout)
      this.#lists.set(hook.timeout, list)
    }
    call.begin(this, list, this.#now())
    call.previous = list.tail
    if (list.tail === undefined) list.head = call
    else list.tail.next = call
    list.tail = call
    hook.current.pending++
    if (this.#size++ === 0) this.#timer?.ref()
    if (list.timeout !== 0) this.#schedule(call.started + list.timeout)
    scope?.add(call)
    if (answer instanceof Later) answer.listen(call)
    else {
      // A thenable of somebody else's making may throw or call back twice; a promise around it does not.
      const promise = answer instanceof Promise ? answer : Promise.resolve(answer)
      promise.then(
        (value) => call.answered(value),
        (error) => call.failed(error),
      )
    }
    if (scope?.cancelled) call.settle(new CallFailure('cancelled'))
  }

  /** Takes a settled call out and notes how long it took. */
  forget(call: PendingCall): void {
    const { list, previous, next } = call
    if (list === undefined) return
    if (previous === undefined) list.head = next
    else previous.next = next
    if (next === undefined) list.tail = previous
    else next.previous = previous
    // Garbage that still points to younger calls would keep each of them from a cheap collection, and they the next ones.
    call.list = undefined
    call.previous = undefined
    call.next = undefined
    call.hook.recordLatency(this.#now() - call.started)
    call.hook.current.pending--
    // An idle timer must not keep the process alive; it is kept, because the next call is likely to need it.
    if (--this.#size === 0) this.#timer?.unref()
  }

  /** Settles every call as cancelled and stops the timer. */
  cancelAll(): void {
    for (const call of [...this]) call.settle(new CallFailure('cancelled'))
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  *[Symbol.iterator](): Generator<PendingCall> {
    for (const list of this.#lists.values()) {
      for (let call = list.head; call !== undefined; call = call.next) yield call
    }
  }

  elapsed(call: PendingCall): number {
    return this.#now() - call.started
  }

  #schedule(due: number): void {
    if (this.#timer !== undefined) {
      if (this.#timerDue <= due) return
      clearTimeout(this.#timer)
    }
    this.#timerDue = due
    this.#timer = setTimeout(() => this.#sweep(), Math.max(1, Math.ceil(due - this.#now())))
    if (this.#size === 0) this.#timer.unref()
  }

  #sweep(): void {
    this.#timer = undefined
    const now = this.#now()
    let next = Number.POSITIVE_INFINITY
    for (const list of this.#lists.values()) {
      if (list.timeout === 0) continue
      while (list.head !== undefined && list.head.started + list.timeout <= now)
        list.head.settle(new CallFailure('timeout'))
      if (list.head !== undefined) next = Math.min(next, list.head.started + list.timeout)
      // Timeouts come from configuration and are few, but a plugin that is reloaded with others must not leave lists behind.
      else this.#lists.delete(list.timeout)
    }
    if (next !== Number.POSITIVE_INFINITY) this.#schedule(next)
  }
}
