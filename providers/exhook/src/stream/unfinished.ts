/** Ids that follow each other take the places of this ring in turn. */
const places = 8192

/** What has an id that grows by one from each to the next: nearly all are gone before their place is needed again. */
export class Unfinished<T extends { readonly id: number }> {
  readonly #ring: (T | undefined)[] = new Array(places).fill(undefined)
  /** Those that were not, when it was. */
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
    if (before !== undefined) this.#stragglers.set(before.id, before)
    this.#ring[place] = one
    this.#size++
  }

  /** false: there is none. */
  delete(id: number): boolean {
    const place = id & (places - 1)
    if (this.#ring[place]?.id === id) this.#ring[place] = undefined
    else if (!this.#stragglers.delete(id)) return false
    this.#size--
    return true
  }

  /** In the order of their ids. */
  values(): T[] {
    const all = [...this.#stragglers.values()]
    for (const one of this.#ring) if (one !== undefined) all.push(one)
    return all.sort((one, other) => one.id - other.id)
  }

  clear(): void {
    this.#ring.fill(undefined)
    this.#stragglers.clear()
    this.#size = 0
  }
}
