import type { Clock } from '@hookmq/core'

interface Timer {
  at: number
  readonly interval: number | undefined
  readonly run: () => void
}

/** Time that stands still until a test moves it. Milliseconds. */
export class ManualClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  /** `start`: milliseconds since the epoch. Default: 2026-01-01 00:00 UTC. */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  after(delay: number, run: () => void): () => void {
    return this.#add({ at: this.#now + Math.max(0, delay), interval: undefined, run })
  }

  every(interval: number, run: () => void): () => void {
    if (!(interval > 0)) throw new RangeError(`every ${interval} ms: expected more than 0`)
    return this.#add({ at: this.#now + interval, interval, run })
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size
  }

  /**
   * Moves on, and runs all that comes due on the way in the order of time: what repeats as often as it would have. After each moment
   * what it began gets some turns of the event loop, so that a timer set by an answer to a timer is still in time.
   */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    for (;;) {
      const next = this.#next(end)
      if (next === undefined) break
      this.#now = Math.max(this.#now, next)
      for (const timer of [...this.#timers]) {
        // One that ran before it in this very moment may have cancelled it.
        if (timer.at > this.#now || !this.#timers.has(timer)) continue
        if (timer.interval === undefined) this.#timers.delete(timer)
        else timer.at += timer.interval
        timer.run()
      }
      await turns(2)
    }
    this.#now = end
    await turns(2)
  }

  #next(end: number): number | undefined {
    let earliest: number | undefined
    for (const { at } of this.#timers) if (at <= end && (earliest === undefined || at < earliest)) earliest = at
    return earliest
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
}

/** Lets what is under way in this process go on. */
export async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await new Promise((resolve) => setImmediate(resolve))
}
