// Kept from before any test mocks the clock: waiting takes real time.
const realSetTimeout = globalThis.setTimeout
const realClearTimeout = globalThis.clearTimeout

/** Real milliseconds. It only says when to give up; nothing is measured against it. */
const patience = 10_000

/** What is kept at most; the oldest goes. */
const limit = 10_000

/** Things that happen, and the tests that wait for them. Each is taken once. */
export class Awaited<Item> {
  /** All of them so far, taken or not. */
  readonly all: Item[] = []
  #untaken: Item[] = []
  readonly #waiting = new Set<() => void>()

  add(item: Item): void {
    this.all.push(item)
    this.#untaken.push(item)
    if (this.all.length > limit) this.all.shift()
    if (this.#untaken.length > limit) this.#untaken.shift()
    this.wake()
  }

  /** Looks again, for whoever waits. */
  wake(): void {
    for (const look of [...this.#waiting]) look()
  }

  get untaken(): readonly Item[] {
    return this.#untaken
  }

  /** Forgets what has not been taken, and returns it. */
  drain(): Item[] {
    return this.#untaken.splice(0)
  }

  /**
   * The oldest one that fits and was not taken yet, or the next that comes. Rejects when `ended` gives a reason, or after 10 seconds;
   * `what` names it in the error.
   */
  take(what: string, fits: (item: Item) => boolean = () => true, ended?: () => string | undefined): Promise<Item> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        realClearTimeout(timer)
        this.#waiting.delete(look)
        settle()
      }
      const look = (): void => {
        const index = this.#untaken.findIndex(fits)
        if (index !== -1) {
          const [item] = this.#untaken.splice(index, 1)
          finish(() => resolve(item))
          return
        }
        const reason = ended?.()
        if (reason !== undefined) finish(() => reject(new Error(`${what} will not come: ${reason}`)))
      }
      const timer = realSetTimeout(
        () => finish(() => reject(new Error(`waited ${patience / 1000} s in vain for ${what}`))),
        patience,
      )
      this.#waiting.add(look)
      look()
    })
  }
}
