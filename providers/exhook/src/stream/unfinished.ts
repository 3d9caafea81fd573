/** Ids that follow each other take the places of this ring in turn. */
const places = 8192
/** Places that are counted together, so that the empty ones need not be looked at one by one. */
const block = 32

/** What has an id that grows by one from each to the next: nearly all are gone before their place is needed again. */
export class Unfinished<T extends { readonly id: number }> {
  readonly #ring: (T | undefined)[] = new Array(places).fill(undefined)
  /** How many places of each block are taken. */
  readonly #taken = new Uint8Array(places / block)
  /** Those that were not gone, when their place was needed. */
  readonly #stragglers = new Map<number, T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: number): T | undefined {
    const one = this.#ring[id & (places - 1)]
    if (one !== undefined && one.id === id) return one
    return this.#stragglers.size === 0 ? undefined : this.#stragglers.get(id)
  }

  /** By its id. */
  add(one: T): void {
    const place = one.id & (places - 1)
    const before = this.#ring[place]
    if (before === undefined) this.#taken[(place / block) | 0]++
    else this.#stragglers.set(before.id, before)
    this.#ring[place] = one
    this.#size++
  }

  /** false: there is none. */
  delete(id: number): boolean {
    const place = id & (places - 1)
    if (this.#ring[place]?.id === id) {
      this.#ring[place] = undefined
      this.#taken[(place / block) | 0]--
    } else if (!this.#stragglers.delete(id)) return false
    this.#size--
    return true
  }

  /** In the order of their ids. Costs about as much as there are, however far they lie apart. */
  values(): T[] {
    if (this.#size === 0) return []
    const all = [...this.#stragglers.values()]
    for (let index = 0; index < this.#taken.length; index++) {
      if (this.#taken[index] === 0) continue
      for (let place = index * block; place < (index + 1) * block; place++) {
        const one = this.#ring[place]
        if (one !== undefined) all.push(one)
      }
    }
    return all.sort((one, other) => one.id - other.id)
  }

  clear(): void {
    this.#ring.fill(undefined)
    this.#taken.fill(0)
    this.#stragglers.clear()
    this.#size = 0
  }
}
