/** What a pattern means, before it is compiled. */
export type Node =
  | { readonly type: 'empty' }
  | { readonly type: 'set'; readonly set: CharacterSet }
  | { readonly type: 'assertion'; readonly at: Assertion }
  | { readonly type: 'group'; readonly index: number; readonly body: Node }
  | { readonly type: 'sequence'; readonly items: readonly Node[] }
  | { readonly type: 'choice'; readonly items: readonly Node[] }
  | {
      readonly type: 'repeat'
      readonly body: Node
      readonly minimum: number
      readonly maximum: number
      readonly greedy: boolean
    }

export type Assertion = 'start' | 'end' | 'boundary' | 'inside'

/** Code points, as ranges with both ends included. */
export interface CharacterSet {
  readonly ranges: readonly (readonly [from: number, to: number])[]
  readonly negated: boolean
}

/** A pattern that cannot be used, and where in it. */
export class PatternError extends Error {
  /** Counted from 1. */
  readonly column: number

  constructor(pattern: string, index: number, problem: string) {
    super(`regular expression ${pattern}: column ${index + 1}: ${problem}`)
    this.name = 'PatternError'
    this.column = index + 1
  }
}
