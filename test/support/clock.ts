interface Timer {
  at: number
  interval: number | undefined
  run: () => void
}

/** Time that stands still until a test moves it. Stands in for the broker's clock. */
export class ManualClock {
  #now = Date.UTC(2026, 0, 1)
  #timers = new Set<Timer>()

  now = (): number => this.#now

  after = (delay: number, run: () => void): (() => void) =>
    this.#add({ at: this.#now + delay, interval: undefined, run })

  every = (interval: number, run: () => void): (() => void) => this.#add({ at: this.#now + interval, interval, run })

  /**
   * Moves on by so many milliseconds and runs all that comes due on the way, in order of time. What repeats runs the first and
   * the last time that it is due, like a real timer after a long sleep.
   */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      let next: Timer | undefined
      for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      if (next.interval === undefined) this.#timers.delete(next)
      else next.at += next.interval * Math.max(1, Math.floor((end - next.at) / next.interval))
      next.run()
    }
    this.#now = end
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
}
