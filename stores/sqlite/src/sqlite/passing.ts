/** Messages that the journal brings and takes away again: no row is made for them. */
export interface Passing {
  has(sequence: number): boolean
  /** Called for each message that comes, in their order. true: it goes again. */
  appended(sequence: number): boolean
  /** Called for each message that goes. true: it never was a row. */
  removed(sequence: number): boolean
}

/** Every message becomes a row. */
export const nothingPasses: Passing = {
  has: () => false,
  appended: () => false,
  removed: () => false,
}
