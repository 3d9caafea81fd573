/** A part of a list that the other thread reads piece by piece. */
export interface Piece {
  /** undefined: this is the last piece. */
  readonly cursor: number | undefined
  readonly values: readonly unknown[]
}

const pieceLength = 256
/** Iterators that are left open; the one not used for longest goes. */
const mostOpen = 64

/** Iterators of the broker that a worker goes through: it gets some hundred values at a time, so that no list is in memory whole. */
export class Cursors {
  readonly #open = new Map<number, Iterator<unknown> | AsyncIterator<unknown>>()
  #number = 0

  begin(iterator: Iterator<unknown> | AsyncIterator<unknown>): number {
    const oldest = this.#open.keys().next().value
    if (this.#open.size >= mostOpen && oldest !== undefined) this.close(oldest)
    this.#open.set(++this.#number, iterator)
    return this.#number
  }

  next(cursor: number): Piece {
    const iterator = this.#take(cursor) as Iterator<unknown>
    const values: unknown[] = []
    while (values.length < pieceLength) {
      const step = iterator.next()
      if (step.done === true) {
        this.#open.delete(cursor)
        return { cursor: undefined, values }
      }
      values.push(step.value)
    }
    return { cursor, values }
  }

  async nextOf(cursor: number): Promise<Piece> {
    const iterator = this.#take(cursor)
    const values: unknown[] = []
    while (values.length < pieceLength) {
      const step = await iterator.next()
      if (step.done === true) {
        this.#open.delete(cursor)
        return { cursor: undefined, values }
      }
      values.push(step.value)
    }
    return { cursor, values }
  }

  close(cursor: number): void {
    const iterator = this.#open.get(cursor)
    this.#open.delete(cursor)
    // What an abandoned iterator throws helps nobody.
    void Promise.resolve(iterator?.return?.()).catch(() => {})
  }

  closeAll(): void {
    for (const cursor of this.#open.keys()) this.close(cursor)
  }

  #take(cursor: number): Iterator<unknown> | AsyncIterator<unknown> {
    const iterator = this.#open.get(cursor)
    if (iterator === undefined)
      throw new Error(`the list is not open any more: more than ${mostOpen} have been begun and not read to their ends`)
    this.#open.delete(cursor)
    this.#open.set(cursor, iterator)
    return iterator
  }
}
