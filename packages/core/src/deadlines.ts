interface Deadline {
  at: number
  run: (() => void) | undefined
}

/**
 * Things to do at a time far ahead (session expiry, will delay), in a binary heap: a million waiting sessions cost
 * nothing until they are due, where a timer or a sweep for each would.
 */
export class Deadlines {
  #heap: Deadline[] = []
  #cancelled = 0

  get size(): number {
    return this.#heap.length - this.#cancelled
  }

  /** Returns what cancels it. `at` is in milliseconds since the epoch. */
  add(at: number, run: () => void): () => void {
    const entry: Deadline = { at, run }
    this.#heap.push(entry)
    this.#up(this.#heap.length - 1)
    return () => {
      if (entry.run === undefined) return
      entry.run = undefined
      this.#cancelled++
      // Cancelled entries leave when they are due; so that many of them far ahead cannot pile up, sweep now and then.
      if (this.#cancelled > 1024 && this.#cancelled > this.#heap.length / 2) this.#compact()
    }
  }

  /** Runs all that is due, in order of time. */
  runDue(now: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.at <= now) {
      const entry = this.#pop()
      if (entry.run === undefined) {
        this.#cancelled--
        continue
      }
      const run = entry.run
      entry.run = undefined
      run()
    }
  }

  #compact(): void {
    this.#heap = this.#heap.filter((entry) => entry.run !== undefined)
    this.#cancelled = 0
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index--) this.#down(index)
  }

  #pop(): Deadline {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      heap[0] = last
      this.#down(0)
    }
    return top
  }

  #up(start: number): void {
    const heap = this.#heap
    let index = start
    const entry = heap[index]!
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.at <= entry.at) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  #down(start: number): void {
    const heap = this.#heap
    let index = start
    const entry = heap[index]!
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
      if (heap[child]!.at >= entry.at) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = entry
  }
}
