/** An Erlang term as it stands in a file, with the place where it begins (both counted from 1). */
export type Term = AtomTerm | IntegerTerm | FloatTerm | StringTerm | BinaryTerm | ListTerm | TupleTerm

interface Place {
  readonly line: number
  readonly column: number
}

export interface AtomTerm extends Place {
  readonly type: 'atom'
  readonly name: string
}

export interface IntegerTerm extends Place {
  readonly type: 'integer'
  /** Erlang has no largest integer. */
  readonly value: bigint
}

export interface FloatTerm extends Place {
  readonly type: 'float'
  readonly value: number
}

export interface StringTerm extends Place {
  readonly type: 'string'
  readonly text: string
}

export interface BinaryTerm extends Place {
  readonly type: 'binary'
  /** The bytes read as UTF-8. */
  readonly text: string
}

export interface ListTerm extends Place {
  readonly type: 'list'
  readonly elements: readonly Term[]
}

export interface TupleTerm extends Place {
  readonly type: 'tuple'
  readonly elements: readonly Term[]
}

/** A text that is not a sequence of terms, or terms that mean nothing where they stand. */
export class TermError extends Error {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly expected: string

  /** @param got what stands there instead; shown as it is */
  constructor(file: string, place: Place, expected: string, got: string) {
    super(`${file}:${place.line}:${place.column}: expected ${expected}, got ${got}`)
    this.name = 'TermError'
    this.file = file
    this.line = place.line
    this.column = place.column
    this.expected = expected
  }
}
