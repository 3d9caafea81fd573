/**
 * Token bucket for what one connection may send. It never refuses: it says how long to stop reading.
 */
export class Limiter {
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #updated: number

  /** `rate` per second; `burst` is how many may come at once (0: as many as in one second). */
  constructor(rate: number, burst: number, now: number) {
    this.#rate = rate
    this.#burst = burst > 0 ? burst : rate
    this.#tokens = this.#burst
    this.#updated = now
  }

  /** Takes `amount`; returns the milliseconds to wait before more may be read, 0 for none. */
  take(amount: number, now: number): number {
    this.#fill(now)
    this.#tokens -= amount
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#rate) * 1000)
  }

  /** Takes one if it is there; else nothing, and returns the milliseconds until it will be. */
  takeOrWait(now: number): number {
    this.#fill(now)
    if (this.#tokens < 1) return Math.max(1, Math.ceil(((1 - this.#tokens) / this.#rate) * 1000))
    this.#tokens--
    return 0
  }

  /** A clock that was set back takes nothing away. */
  #fill(now: number): void {
    const elapsed = Math.max(0, now - this.#updated)
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsed / 1000) * this.#rate)
    this.#updated = now
  }
}
