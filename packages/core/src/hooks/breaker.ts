export type BreakerState = 'closed' | 'open' | 'half-open'

export interface BreakerOptions {
  /** So many failures one after the other open it; 0 = never. */
  readonly failures: number
  /** From 0 (never) to 1. */
  readonly failureRate: number
  /** The calls that `failureRate` looks at. */
  readonly window: number
  /** Milliseconds. */
  readonly openFor: number
}

/**
 * Circuit breaker. Closed: everything passes. Open: nothing does. When it has been open for a while one call passes as a probe (half-open): its
 * success closes it, its failure opens it again.
 */
export class Breaker {
  readonly #options: BreakerOptions
  readonly #now: () => number
  readonly #changed: (state: BreakerState) => void
  #state: BreakerState = 'closed'
  #openUntil = 0
  #probing = false
  #consecutive = 0
  /** The last calls, one byte each: 1 = failed. */
  readonly #recent: Uint8Array | undefined
  #cursor = 0
  #recorded = 0
  #recentFailures = 0

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(options: BreakerOptions, now: () => number, changed: (state: BreakerState) => void) {
    this.#options = options
    this.#now = now
    this.#changed = changed
    this.#recent = options.failureRate > 0 ? new Uint8Array(options.window) : undefined
  }

  /** 'half-open' from the moment at which a probe may pass. */
  get state(): BreakerState {
    return this.#state === 'open' && this.#now() >= this.#openUntil ? 'half-open' : this.#state
  }

  /** 'probe': the outcome of this call decides; it must be recorded with `probe`, or given back. */
  admit(): 'pass' | 'probe' | undefined {
    if (this.#state === 'closed') return 'pass'
    if (this.#state === 'open') {
      if (this.#now() < this.#openUntil) return undefined
      this.#change('half-open')
    }
    if (this.#probing) return undefined
    this.#probing = true
    return 'probe'
  }

  /** The outcome of a call that was admitted. What was on its way when the breaker opened changes nothing. */
  record(succeeded: boolean, probe: boolean): void {
    if (probe) {
      this.#probing = false
      if (this.#state !== 'half-open') return
      if (succeeded) this.#close()
      else this.#open()
      return
    }
    if (this.#state !== 'closed') return
    this.#consecutive = succeeded ? 0 : this.#consecutive + 1
    const { failures, failureRate } = this.#options
    if (this.#recent !== undefined) this.#remember(this.#recent, succeeded)
    const tooMany = failures > 0 && this.#consecutive >= failures
    const tooOften =
      this.#recent !== undefined &&
      this.#recorded === this.#recent.length &&
      this.#recentFailures >= failureRate * this.#recent.length
    if (tooMany || tooOften) this.#open()
  }

  /** The probe came to no end that says anything: its client has gone. */
  giveBack(): void {
    this.#probing = false
  }

  /** The provider was loaded: whatever was wrong with it, it has just answered. */
  reset(): void {
    this.#probing = false
    if (this.#state !== 'closed') this.#close()
    this.#forget()
  }

  #remember(recent: Uint8Array, succeeded: boolean): void {
    this.#recentFailures += (succeeded ? 0 : 1) - recent[this.#cursor]
    recent[this.#cursor] = succeeded ? 0 : 1
    this.#cursor = (this.#cursor + 1) % recent.length
    if (this.#recorded < recent.length) this.#recorded++
  }

  #open(): void {
    this.#openUntil = this.#now() + this.#options.openFor
    this.#change('open')
  }

  #close(): void {
    this.#forget()
    this.#change('closed')
  }

  #forget(): void {
    this.#consecutive = 0
    this.#recent?.fill(0)
    this.#cursor = 0
    this.#recorded = 0
    this.#recentFailures = 0
  }

  #change(state: BreakerState): void {
    if (this.#state === state) return
    this.#state = state
    this.#changed(state)
  }
}
