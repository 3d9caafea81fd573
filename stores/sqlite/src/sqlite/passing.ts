/** Messages that the journal takes away: of those that it brought as well, no row is made. */
export interface Passing {
  /** It goes with a later batch, or with this one: what happens to it until then needs no row. */
  leaves(sequence: number): boolean
  /** Called for each message that comes, in their order. true: it goes again. */
  appended(sequence: number): boolean
  /** Called for each message that goes. true: it never was a row. */
  removed(sequence: number): boolean
}

/** Every message becomes a row. */
export const nothingPasses: Passing = {
  leaves: () => false,
  appended: () => false,
  removed: () => false,
}
