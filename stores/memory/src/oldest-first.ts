import type { Held } from './level-tree.ts'

/**
 * Hands out what was put in, oldest first: a binary heap, so that the work of ordering is spread over the takes instead of
 * being one long sort.
 */
export class OldestFirst {
  readonly #heap: Held[] = []

  get size(): number {
    return this.#heap.length
  }

  add(held: Held): void {
    const heap = this.#heap
    let place = heap.length
    heap.push(held)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (heap[parent].sequence < held.sequence) break
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = held
  }

  take(): Held | undefined {
    const heap = this.#heap
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
