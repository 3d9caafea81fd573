import type { Registry } from '../plugins/registry.ts'

/** One module of access control, with the number that its place depends on. */
export interface Placed<T> {
  readonly module: T
  readonly sequence: number
  /** When it was registered: of equal sequences the highest is asked first. Set by the list. */
  order?: number
}

/** Modules in the order in which they are asked. The list is replaced whole, so that a run goes on with the one that it began with. */
export class ModuleList<T extends { readonly name: string }> implements Registry<Placed<T>> {
  entries: readonly Placed<T>[] = []
  readonly #kind: string
  readonly #changed: () => void
  /** How many runs wait for an answer, by the list that they began with. */
  readonly #held = new Map<readonly Placed<T>[], number>()
  #waiters: (() => void)[] = []
  #order = 0

  /** `changed` is called after each change. */
  constructor(kind: string, changed: () => void) {
    this.#kind = kind
    this.#changed = changed
  }

  check(leaving: readonly Placed<T>[], coming: readonly Placed<T>[]): void {
    const names = new Set(this.entries.filter((entry) => !leaving.includes(entry)).map(({ module }) => module.name))
    for (const { module, sequence } of coming) {
      if (typeof module?.name !== 'string' || module.name === '') throw new TypeError(`an ${this.#kind} needs a name`)
      if (!Number.isFinite(sequence))
        throw new TypeError(`${this.#kind} '${module.name}': the sequence must be a number`)
      if (names.has(module.name)) throw new Error(`an ${this.#kind} named '${module.name}' is registered already`)
      names.add(module.name)
    }
  }

  exchange(leaving: readonly Placed<T>[], coming: readonly Placed<T>[]): void {
    if (leaving.length === 0 && coming.length === 0) return
    for (const entry of coming) {
      const predecessor = leaving.find((other) => other.module.name === entry.module.name)
      entry.order = predecessor?.order ?? ++this.#order
    }
    const kept = this.entries.filter((entry) => !leaving.includes(entry))
    this.entries = [...kept, ...coming].sort(
      (one, other) => other.sequence - one.sequence || (other.order ?? 0) - (one.order ?? 0),
    )
    this.#changed()
  }

  /** A run over this list waits for an answer. */
  hold(list: readonly Placed<T>[]): void {
    this.#held.set(list, (this.#held.get(list) ?? 0) + 1)
  }

  /** The answer has come, or will never be waited for again. */
  release(list: readonly Placed<T>[]): void {
    const count = (this.#held.get(list) ?? 1) - 1
    if (count > 0) {
      this.#held.set(list, count)
      return
    }
    this.#held.delete(list)
    for (const wake of this.#waiters.splice(0)) wake()
  }

  /** Resolves when no run is under way that may still ask one of these. */
  async drained(modules: readonly Placed<T>[]): Promise<void> {
    const asked = new Set(modules)
    while ([...this.#held.keys()].some((list) => list.some((entry) => asked.has(entry)))) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }
}
