/** Thrown when too many wait already. */
export class TooManyWaiting extends Error {
  constructor() {
    super('too many password checks wait already')
    this.name = 'TooManyWaiting'
  }
}

/** Lets a few jobs run at a time, in the order in which they came. */
export class Turns {
  readonly #atOnce: number
  readonly #limit: number
  #running = 0
  #waiting: (() => void)[] = []

  /** `limit`: how many may wait. */
  constructor(atOnce: number, limit: number) {
    this.#atOnce = atOnce
    this.#limit = limit
  }

  /** Rejects with TooManyWaiting at once, or with what the job rejects with. */
  async run<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#limit) throw new TooManyWaiting()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await job()
    } finally {
      const next = this.#waiting.shift()
      // Who waits longest takes over the place; nobody who comes now can be first.
      if (next === undefined) this.#running--
      else next()
    }
  }
}
