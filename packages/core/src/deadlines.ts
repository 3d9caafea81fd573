interface Deadline {
  at: number
  run: (() => void) | undefined
  /** Where it stands in the heap. */
  index: number
}

/** Milliseconds for which things that are due are done in one go: everything else has its turn in between. */
const turnLength = 5

/** So many are done before the time is looked at. */
const uncounted = 64

/**
 * Things to do at a time far ahead (session expiry, will delay), in a binary heap: a million waiting sessions cost
 * nothing until they are due, where a timer or a sweep for each would.
 */
export class Deadlines {
  readonly #heap: Deadline[] = []
  #scheduled = false
  readonly #failed: (error: unknown) => void

  /** `failed` hears what was thrown. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  get size(): number {
    return this.#heap.length
  }

  /** Returns what cancels it. `at` is in milliseconds since the epoch. */
  add(at: number, run: () => void): () => void {
    const entry: Deadline = { at, run, index: this.#heap.length }
    this.#heap.push(entry)
    this.#up(entry)
    return () => {
      if (entry.run === undefined) return
      entry.run = undefined
      this.#remove(entry)
    }
  }

  /** Runs all that is due, in order of time; what takes too long for one turn of the event loop goes on in the next ones. */
  runDue(now: number): void {
    if (this.#scheduled) return
    const end = performance.now() + turnLength
    let count = 0
    for (let entry = this.#heap[0]; entry !== undefined && entry.at <= now; entry = this.#heap[0]) {
      if (++count % uncounted === 0 && performance.now() >= end) {
        this.#scheduled = true
        setImmediate(() => {
          this.#scheduled = false
          this.runDue(now)
        })
        return
      }
      const { run } = entry
      entry.run = undefined
      this.#remove(entry)
      try {
        run?.()
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  #remove(entry: Deadline): void {
    const { index } = entry
    const last = this.#heap.pop()
    if (last === undefined || last === entry) return
    last.index = index
    this.#heap[index] = last
    this.#up(last)
    this.#down(last)
  }

  #up(entry: Deadline): void {
    const heap = this.#heap
    let { index } = entry
    while (index > 0) {
      const parent = heap[(index - 1) >> 1] as Deadline
      if (parent.at <= entry.at) break
      heap[index] = parent
      parent.index = index
      index = (index - 1) >> 1
    }
    heap[index] = entry
    entry.index = index
  }

  #down(entry: Deadline): void {
    const heap = this.#heap
    let { index } = entry
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as Deadline).at < (heap[child] as Deadline).at) child++
      const next = heap[child] as Deadline
      if (next.at >= entry.at) break
      heap[index] = next
      next.index = index
      index = child
    }
    heap[index] = entry
    entry.index = index
  }
}
