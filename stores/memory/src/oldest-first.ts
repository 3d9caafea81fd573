import type { Held } from './level-tree.ts'

/**
 * Hands out what was put in, oldest first. What came in order, as most does, is handed out as it lies; otherwise a binary heap
 * spreads the work of ordering over the takes, instead of being one long sort.
 */
export class OldestFirst {
  readonly #list: Held[] = []
  /** Everything so far was newer than what came before it. */
  #ordered = true
  /** The next to be handed out, of an ordered list. */
  #next = 0

  get size(): number {
    return this.#list.length - this.#next
  }

  /** All of them before the first is taken. */
  add(held: Held): void {
    const list = this.#list
    const place = list.length
    list.push(held)
    if (!this.#ordered) this.#rise(place, held)
    // An ordered list is a heap already: only the new one may have to rise.
    else if (place > 0 && list[place - 1].sequence > held.sequence) {
      this.#ordered = false
      this.#rise(place, held)
    }
  }

  take(): Held | undefined {
    if (!this.#ordered) return this.#takeFromHeap()
    return this.#next < this.#list.length ? this.#list[this.#next++] : undefined
  }

  #rise(from: number, held: Held): void {
    const heap = this.#list
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (heap[parent].sequence < held.sequence) break
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = held
  }

  #takeFromHeap(): Held | undefined {
    const heap = this.#list
    const oldest = heap[0]
    const last = heap.pop()
    const size = heap.length
    if (last === undefined || size === 0) return oldest
    let place = 0
    for (let child = 1; child < size; child = 2 * place + 1) {
      if (child + 1 < size && heap[child + 1].sequence < heap[child].sequence) child++
      if (heap[child].sequence > last.sequence) break
      heap[place] = heap[child]
      place = child
    }
    heap[place] = last
    return oldest
  }
}
