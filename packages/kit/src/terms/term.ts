import type { Term } from '@hookmq/api'

export type {
  AtomTerm,
  BinaryTerm,
  FloatTerm,
  IntegerTerm,
  ListTerm,
  StringTerm,
  Term,
  TupleTerm,
} from '@hookmq/api'

type Place = Pick<Term, 'line' | 'column'>

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
