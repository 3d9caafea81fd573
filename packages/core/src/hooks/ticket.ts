import type { ProviderCall } from '@hookmq/api'
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
  /** Milliseconds on the clock of `performance.now`; Infinity: never. */
  readonly #due: number
  #controller: AbortController | undefined
  #abandoned = false
  #ended = false

  /** `timeout`: milliseconds, 0 = none. */
  constructor(timeout: number) {
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

  /** Called once by whoever waits: with the answer, or with the failure. */
  end(outcome: unknown): void {
    if (this.#ended) return
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
