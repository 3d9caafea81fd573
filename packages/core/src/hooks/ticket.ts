import type { ProviderCall } from '@hookmq/api'
import type { Hook } from './hook.ts'
import { CallFailure } from './pending.ts'

/** Whoever counts the calls of a provider: hears of the end of each. */
export interface TicketOffice {
  ended(ticket: Ticket, outcome: unknown): void
}

/** One call of a provider, as the provider sees it. */
export class Ticket implements ProviderCall {
  onAbandoned: ProviderCall['onAbandoned']
  /** Set by the one who lets the call through. */
  office: TicketOffice | undefined
  /** Its outcome decides what becomes of the circuit breaker. */
  probe = false
  /** Milliseconds; undefined: the provider has not said. */
  cacheTime: number | undefined
  #ahead = false
  #awaited = false
  /** Whose notification it is. */
  readonly #hook: Hook | undefined
  readonly #timeout: number
  /** Milliseconds on the clock of `performance.now`; Infinity: never. */
  readonly #due: number
  #controller: AbortController | undefined
  #abandoned = false
  #ended = false

  /** `timeout`: milliseconds, 0 = none. */
  constructor(timeout: number, hook?: Hook) {
    this.#hook = hook
    this.#timeout = timeout
    this.#due = timeout === 0 ? Number.POSITIVE_INFINITY : performance.now() + timeout
  }

  get remaining(): number {
    return Math.max(0, this.#due - performance.now())
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abandoned) this.#controller.abort()
    }
    return this.#controller.signal
  }

  get abandoned(): boolean {
    return this.#abandoned
  }

  cacheFor(milliseconds: number): void {
    this.cacheTime = Math.max(0, milliseconds)
  }

  get ahead(): boolean {
    return this.#ahead
  }

  set ahead(ahead: boolean) {
    this.#ahead = ahead && !this.#awaited
  }

  /** Somebody waits: it cannot go ahead any more. */
  wait(): void {
    this.#awaited = true
    this.#ahead = false
  }

  handled(error?: unknown): void {
    if (!this.#ahead || this.#ended) return
    this.#ended = true
    const left = this.#due - performance.now()
    const failure =
      error === undefined ? undefined : left <= 0 ? new CallFailure('timeout') : new CallFailure('rejected', error)
    const took = this.#timeout === 0 ? undefined : this.#timeout - left
    if (this.#hook !== undefined) this.#hook.owner.queue.handled(this.#hook, failure, took)
    this.office?.ended(this, failure)
  }

  /** Called once by whoever waits: with the answer, or with the failure. Nothing yet for what goes ahead. */
  end(outcome: unknown): void {
    if (this.#ended || (this.#ahead && outcome === undefined)) return
    this.#ended = true
    this.office?.ended(this, outcome)
    if (outcome instanceof CallFailure && outcome.kind !== 'rejected') this.abandon()
  }

  /** Nobody waits any more. */
  abandon(): void {
    if (this.#abandoned) return
    this.#abandoned = true
    this.#controller?.abort()
    const { onAbandoned } = this
    this.onAbandoned = undefined
    if (typeof onAbandoned === 'function') onAbandoned()
    else onAbandoned?.abandoned()
  }
}
