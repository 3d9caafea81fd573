/** So many slots that are done are thrown away in one go. */
const forgottenTogether = 32

type Step = () => undefined | Promise<unknown>

/** A packet's place among those of its client. */
export interface Slot {
  /** false while a hook still thinks. */
  readonly ready: boolean
  /** Takes effect. A promise: those behind it wait for it. */
  run(): undefined | Promise<unknown>
}

/**
 * Keeps the packets of one client in order while some of them wait for hooks: work may start early, but takes
 * effect in the order of arrival. Empty for connections whose hooks answer at once.
 */
export class InOrder {
  #slots: (Slot | undefined)[] = []
  /** Where the first one stands: those before it are done. */
  #first = 0
  #running = false
  /** More is ready, and somebody will come back for it. */
  #partly = false
  readonly #onShrink: () => void
  readonly #onError: (error: unknown) => void

  constructor(onShrink: () => void, onError: (error: unknown) => void) {
    this.#onShrink = onShrink
    this.#onError = onError
  }

  get length(): number {
    return this.#slots.length - this.#first + (this.#running ? 1 : 0)
  }

  /** Runs `step` when everything before it has taken effect. */
  push(step: Step): void {
    this.add({ ready: true, run: step })
  }

  /** Takes a place now. Who adds a slot that is not ready calls `proceed` when it is. */
  add(slot: Slot): void {
    this.#slots.push(slot)
    if (slot.ready) this.#drain()
  }

  proceed(): void {
    this.#partly = false
    this.#drain()
  }

  /** As `proceed`, for `most` of them. true: more is ready, and goes when this or `proceed` is called again. */
  proceedWith(most: number): boolean {
    this.#partly = false
    this.#drain(most)
    return this.#partly
  }

  /** Takes a place now; `effect` runs when the answer is there and everything before it has taken effect. */
  pushPending<T>(answer: Promise<T>, effect: (value: T) => undefined | Promise<unknown>): void {
    const slot = { ready: false, run: (): undefined | Promise<unknown> => undefined }
    this.add(slot)
    const settle = (run: Step): void => {
      slot.run = run
      slot.ready = true
      this.#drain()
    }
    answer.then(
      (value) => settle(() => effect(value)),
      (error) =>
        settle(() => {
          this.#onError(error)
          return undefined
        }),
    )
  }

  #forgetFirst(): void {
    this.#slots[this.#first++] = undefined
    if (this.#first === this.#slots.length) this.#slots = []
    else if (this.#first < forgottenTogether) return
    else this.#slots = this.#slots.slice(this.#first)
    this.#first = 0
  }

  #drain(most = Number.POSITIVE_INFINITY): void {
    if (this.#running || this.#partly) return
    let shrunk = false
    for (let count = 0; ; count++) {
      const slot = this.#slots[this.#first]
      if (slot === undefined || !slot.ready) break
      if (count === most) {
        this.#partly = true
        break
      }
      this.#forgetFirst()
      shrunk = true
      this.#running = true
      let result: undefined | Promise<unknown>
      try {
        result = slot.run()
      } catch (error) {
        this.#onError(error)
      }
      if (result instanceof Promise) {
        result.catch(this.#onError).then(() => {
          this.#running = false
          this.#drain()
          this.#onShrink()
        })
        break
      }
      this.#running = false
    }
    if (shrunk) this.#onShrink()
  }
}
