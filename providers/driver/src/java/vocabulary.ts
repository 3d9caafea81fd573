import type { Writer } from './writer.ts'

// Names that come from clients (of properties, say) must not fill it: beyond this they are written out.
const mostAtoms = 1024
const mostShapes = 256

/** Gives numbers to atoms and shapes as they are first used, and remembers which the other side has still to be told. */
export class Vocabulary {
  readonly #atoms = new Map<string, number>()
  readonly #shapes = new Map<readonly string[], number>()
  #newAtoms: string[] = []
  #newShapes: (readonly string[])[] = []

  get hasNews(): boolean {
    return this.#newAtoms.length > 0 || this.#newShapes.length > 0
  }

  /** -1: it has no number. */
  atom(name: string): number {
    const known = this.#atoms.get(name)
    if (known !== undefined) return known
    const number = this.#atoms.size
    if (number === mostAtoms) return -1
    this.#atoms.set(name, number)
    this.#newAtoms.push(name)
    return number
  }

  /** By identity: the shapes are few constants. -1: it has no number. */
  shape(keys: readonly string[]): number {
    const known = this.#shapes.get(keys)
    if (known !== undefined) return known
    const number = this.#shapes.size
    if (number === mostShapes) return -1
    this.#shapes.set(keys, number)
    this.#newShapes.push(keys)
    return number
  }

  writeNews(writer: Writer): void {
    writer.count(this.#newAtoms.length)
    for (const name of this.#newAtoms) writer.text(name)
    writer.count(this.#newShapes.length)
    for (const keys of this.#newShapes) {
      writer.count(keys.length)
      for (const key of keys) writer.text(key)
    }
    this.#newAtoms = []
    this.#newShapes = []
  }
}
