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
