/** Runs something at most so many times a second: a log that a failing handler cannot flood. */
export class Seldom {
  readonly #perSecond: number
  readonly #now: () => number
  #second = 0
  #inSecond = 0
  #left = 0

  constructor(perSecond: number, now: () => number = Date.now) {
    this.#perSecond = perSecond
    this.#now = now
  }

  /** `run` gets how many were left out since the last one. */
  run(run: (left: number) => void): void {
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
    }
    if (++this.#inSecond > this.#perSecond) {
      this.#left++
      return
    }
    const left = this.#left
    this.#left = 0
    run(left)
  }
}
