import type { KeyValueStore } from '@hookmq/api'
import { compareKeys, storableKey, storableValue } from '@hookmq/kit'

/** A plugin's corner of a store that ends with the process. Values are copied on the way in and out, as a disk would. */
export class MemoryKeyValueStore implements KeyValueStore {
  readonly #values = new Map<string, string>()

  async get(key: string): Promise<unknown> {
    const text = this.#values.get(storableKey(key))
    return text === undefined ? undefined : JSON.parse(text)
  }

  async put(key: string, value: unknown): Promise<void> {
    this.#values.set(storableKey(key), storableValue(key, value))
  }

  async delete(key: string): Promise<boolean> {
    return this.#values.delete(storableKey(key))
  }

  async *list(prefix = ''): AsyncIterableIterator<readonly [string, unknown]> {
    for (const key of [...this.#values.keys()].sort(compareKeys)) {
      const text = this.#values.get(key)
      if (key.startsWith(prefix) && text !== undefined) yield [key, JSON.parse(text)]
    }
  }
}

/** One corner for each namespace, kept for as long as this object lives. */
export class MemoryStore {
  readonly #corners = new Map<string, MemoryKeyValueStore>()

  readonly namespace = (name: string): KeyValueStore => {
    let corner = this.#corners.get(name)
    if (corner === undefined) {
      corner = new MemoryKeyValueStore()
      this.#corners.set(name, corner)
    }
    return corner
  }
}
