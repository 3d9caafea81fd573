/** What is known of a waiting message without looking into the store. */
export interface Waiting {
  /** Its key in the store, and the message's id. */
  readonly id: string
  readonly topic: string
  readonly qos: number
  readonly from: string
  readonly username: string | undefined
  /** Milliseconds since the epoch. */
  readonly publishedAt: number
  readonly due: number
}

/** Who is due next: a binary heap. What is taken out of the middle is only forgotten, and left behind until its turn. */
export class Schedule {
  readonly #byId = new Map<string, Waiting>()
  #heap: Waiting[] = []

  get size(): number {
    return this.#byId.size
  }

  get(id: string): Waiting | undefined {
    return this.#byId.get(id)
  }

  /** In the order of coming. */
  values(): IterableIterator<Waiting> {
    return this.#byId.values()
  }

  add(waiting: Waiting): void {
    if (this.#byId.has(waiting.id)) return
    this.#byId.set(waiting.id, waiting)
    this.#push(waiting)
  }

  /** One that was given out is given out again, later. It may have been deleted meanwhile. */
  postpone(waiting: Waiting, due: number): void {
    if (this.#byId.get(waiting.id) !== waiting) return
    const later = { ...waiting, due }
    this.#byId.set(waiting.id, later)
    this.#push(later)
  }

  delete(id: string): boolean {
    if (!this.#byId.delete(id)) return false
    if (this.#heap.length > 2 * this.#byId.size + 1024) {
      const left = [...this.#byId.values()]
      this.#heap = []
      for (const waiting of left) this.#push(waiting)
    }
    return true
  }

  /** The next one that is due; it stays until it is deleted, but is not given out again. */
  take(now: number): Waiting | undefined {
    for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
      this.#pop()
      if (this.#byId.get(first.id) === first) return first
    }
    return undefined
  }

  #push(waiting: Waiting): void {
    const heap = this.#heap
    let place = heap.push(waiting) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!before(waiting, heap[parent])) break
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = waiting
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let place = 0
    for (let child = 1; child < heap.length; child = 2 * place + 1) {
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++
      if (!before(heap[child], last)) break
      heap[place] = heap[child]
      place = child
    }
    heap[place] = last
  }
}

/** Of those that are due together the one that came first, by its id, which sorts by time. */
function before(one: Waiting, other: Waiting): boolean {
  return one.due < other.due || (one.due === other.due && one.id < other.id)
}
