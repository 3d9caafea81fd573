import type { KeyValueStore } from '@hookmq/api'
import { storableKey, storableValue } from '@hookmq/kit'
import { StoreError } from './errors.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Stored } from './operations.ts'

const table = 'plugin_values'

/** Rows and characters of one step of a walk. */
const page = { limit: 256, size: 1024 * 1024 }

/** Characters of one value at most: a longer one would hold up everybody's for too long. */
const maxValue = 64 * 1024 * 1024

/** A plugin's corner of the store. */
export class Namespace implements KeyValueStore {
  readonly #commits: GroupCommit
  readonly #space: string

  constructor(commits: GroupCommit, space: string) {
    this.#commits = commits
    this.#space = space
  }

  async get(key: string): Promise<unknown> {
    const [value] = await this.#commits.commit([{ kind: 'get', table, space: this.#space, key: storableKey(key) }])
    return value === undefined ? undefined : read(value)
  }

  async put(key: string, value: unknown): Promise<void> {
    const text = storableValue(storableKey(key), value)
    if (text.length > maxValue)
      throw new StoreError(
        'STORE_TOO_LARGE',
        `the value of '${key}' cannot be stored: it has ${text.length} characters as JSON, and ${maxValue} may be`,
      )
    await this.#commits.commit([{ kind: 'put', table, space: this.#space, key, value: text }])
  }

  async delete(key: string): Promise<boolean> {
    const [there] = await this.#commits.commit([{ kind: 'delete', table, space: this.#space, key: storableKey(key) }])
    return there
  }

  async *list(prefix = ''): AsyncIterableIterator<readonly [string, unknown]> {
    const before = endOf(storableKey(prefix))
    let from = prefix
    let after = false
    for (;;) {
      const [found] = await this.#commits.commit([
        { kind: 'scan', table, space: this.#space, from, after, before, ...page },
      ])
      const { keys, values, more } = found
      for (const [index, key] of keys.entries()) yield [key, read(values[index])]
      const last = keys.at(-1)
      if (!more || last === undefined) return
      from = last
      after = true
    }
  }
}

function read(value: Stored): unknown {
  return JSON.parse(typeof value === 'string' ? value : Buffer.from(value).toString())
}

/** The first text behind all that begin with `prefix`; undefined: there is none. */
function endOf(prefix: string): string | undefined {
  const points = [...prefix]
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0
    // Behind the last one there is none: the one before it has to grow. Surrogates are no characters.
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1)
  }
  return undefined
}
