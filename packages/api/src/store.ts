/**
 * A plugin's own corner of the store: small values by key, kept over a restart where the broker has a durable store. Values are
 * what JSON can hold. A promise settles when the change is as safe as the store makes it.
 *
 * What is asked takes effect in the order of the calls, awaited or not: a `get` behind a `put` finds its value.
 */
export interface KeyValueStore {
  /** A copy of the value; undefined: there is none. */
  get(key: string): Promise<unknown>
  /**
   * Rejects with a TypeError for what JSON cannot write (undefined, a function, a symbol, a BigInt, a circle) and for a key with
   * half of a surrogate pair; the value of before stays then. The value is read before the call returns.
   */
  put(key: string, value: unknown): Promise<void>
  /** true: it was there. */
  delete(key: string): Promise<boolean>
  /**
   * Keys in the order of their code points, those that begin with `prefix`. The store may change between two steps: a key that was there
   * all the time comes exactly once, one that came or went meanwhile may come or not.
   */
  list(prefix?: string): AsyncIterableIterator<readonly [key: string, value: unknown]>
}
