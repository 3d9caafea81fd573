/** Who waits for a `Later`. */
export interface LaterListener {
  answered(answer: unknown): void
  failed(error: unknown): void
}

/**
 * An answer that comes later, for providers that give thousands of them a second: what a promise is, at a fraction of its cost. A provider returns
 * one from `call` or `tell`, and settles it once, with `answer` or `fail`; what comes after that is ignored. Whoever waits is called at once, not in
 * a later turn.
 */
export class Later implements PromiseLike<unknown> {
  #listener: LaterListener | undefined
  #state: 'open' | 'answered' | 'failed' = 'open'
  #value: unknown

  get settled(): boolean {
    return this.#state !== 'open'
  }

  answer(verdict: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'answered'
    if (this.#listener === undefined) this.#value = verdict
    else this.#listener.answered(verdict)
  }

  fail(error: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    if (this.#listener === undefined) this.#value = error
    else this.#listener.failed(error)
  }

  /** One may listen. Called at once when it is settled already. */
  listen(listener: LaterListener): void {
    if (this.#listener !== undefined) throw new Error('somebody else waits for this answer')
    this.#listener = listener
    if (this.#state === 'answered') listener.answered(this.#value)
    else if (this.#state === 'failed') listener.failed(this.#value)
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a thenable, for code that knows promises only
  then<A = unknown, B = never>(
    answered?: ((value: unknown) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return new Promise<unknown>((resolve, reject) => {
      this.listen({ answered: resolve, failed: reject })
    }).then(answered, failed)
  }
}
