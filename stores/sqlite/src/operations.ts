/**
 * What can be asked of an engine. A table is a sorted map from (space, key) to a value; a space is whatever belongs together and is
 * cleared together, such as a plugin. Keys are ordered by their code points.
 */
export type Operation = Get | Put | Delete | Clear | Scan

/** Bytes stay bytes, a string stays a string. */
export type Stored = string | Uint8Array

interface Place {
  /** One of the engine's tables. */
  readonly table: string
  readonly space: string
}

interface Get extends Place {
  readonly kind: 'get'
  readonly key: string
}

interface Put extends Place {
  readonly kind: 'put'
  readonly key: string
  readonly value: Stored
}

interface Delete extends Place {
  readonly kind: 'delete'
  readonly key: string
}

/** Every key of the space goes. */
interface Clear extends Place {
  readonly kind: 'clear'
}

/** A page of a space: keys from `from` on, before `before`. */
export interface Scan extends Place {
  readonly kind: 'scan'
  readonly from: string
  /** `from` itself is left out: it was the last key of the page before. */
  readonly after: boolean
  /** undefined: to the end. */
  readonly before: string | undefined
  /** Rows at most. */
  readonly limit: number
  /** The page ends with the row that reaches it: characters or bytes of the values. */
  readonly size: number
}

export interface Page {
  readonly keys: readonly string[]
  readonly values: readonly Stored[]
  /** There may be more behind the last key. */
  readonly more: boolean
}

interface Results {
  get: Stored | undefined
  put: undefined
  /** true: it was there. */
  delete: boolean
  clear: undefined
  scan: Page
}

type ResultOf<Asked extends Operation> = Results[Asked['kind']]
export type ResultsOf<Asked extends readonly Operation[]> = { [Index in keyof Asked]: ResultOf<Asked[Index]> }
export type AnyResult = Results[keyof Results]

export function writes({ kind }: Operation): boolean {
  return kind !== 'get' && kind !== 'scan'
}

/** What an operation holds in memory while it waits: bytes, roughly. */
export function weightOf(operation: Operation): number {
  const fixed = 64 + operation.table.length + operation.space.length
  if (operation.kind === 'put') return fixed + operation.key.length + operation.value.length
  return fixed
}
