type Step = () => undefined | Promise<unknown>

interface Slot {
  /** Undefined while a hook still thinks. */
  step: Step | undefined
}

/**
 * Keeps the packets of one client in order while some of them wait for hooks: work may start early, but takes
 * effect in the order of arrival. Empty for connections whose hooks answer at once.
 */
export class InOrder {
  #slots: Slot[] = []
  #running = false
  readonly #onShrink: () => void
  readonly #onError: (error: unknown) => void

  constructor(onShrink: () => void, onError: (error: unknown) => void) {
    this.#onShrink = onShrink
    this.#onError = onError
  }

  get length(): number {
    return this.#slots.length + (this.#running ? 1 : 0)
  }

  /** Runs `step` when everything before it has taken effect. */
  push(step: Step): void {
    this.#slots.push({ step })
    this.#drain()
  }

  /** Takes a place now; `effect` runs when the answer is there and everything before it has taken effect. */
  pushPending<T>(answer: Promise<T>, effect: (value: T) => undefined | Promise<unknown>): void {
    const slot: Slot = { step: undefined }
    this.#slots.push(slot)
    answer.then(
      (value) => {
        slot.step = () => effect(value)
        this.#drain()
      },
      (error) => {
        slot.step = () => {
          this.#onError(error)
          return undefined
        }
        this.#drain()
      },
    )
  }

  #drain(): void {
    if (this.#running) return
    let shrunk = false
    for (;;) {
      const step = this.#slots[0]?.step
      if (step === undefined) break
      this.#slots.shift()
      shrunk = true
      this.#running = true
      let result: undefined | Promise<unknown>
      try {
        result = step()
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
