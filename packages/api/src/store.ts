/**
 * A plugin's own corner of the store: small values by key, kept over a restart where the broker has a durable store. Values are
 * what JSON can hold. A promise settles when the change is as safe as the store makes it.
 */
export interface KeyValueStore {
  get(key: string): Promise<unknown>
  put(key: string, value: unknown): Promise<void>
  /** true: it was there. */
  delete(key: string): Promise<boolean>
  /** Keys in order, those that begin with `prefix`. */
  list(prefix?: string): AsyncIterableIterator<readonly [key: string, value: unknown]>
}
