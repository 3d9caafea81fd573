/** Run and number of the batch stand before its changes. */
export const headerLength = 16

/** The changes of a batch: one byte for the kind, then its fields. Batches stay in files: what a kind means is never changed. */
export const Change = {
  PutSession: 1,
  DeleteSession: 2,
  PutSubscription: 3,
  DeleteSubscription: 4,
  /** The body of the appends behind it, up to the next one. */
  Body: 5,
  Append: 6,
  Advance: 7,
  Remove: 8,
  PutAwaiting: 9,
  DeleteAwaiting: 10,
  PutRetained: 11,
  DeleteRetained: 12,
  ClearRetained: 13,
  PutMark: 14,
} as const

/** What is asked of the thread about sessions. */
export type Query =
  | { readonly kind: 'run' }
  | { readonly kind: 'index'; readonly after: number; readonly limit: number }
  | { readonly kind: 'session'; readonly session: number }
  | {
      readonly kind: 'queue'
      readonly session: number
      readonly after: number
      readonly limit: number
      readonly bytes: number
    }
  | { readonly kind: 'due'; readonly from: number; readonly to: number; readonly limit: number }
  | { readonly kind: 'marks' }
  | { readonly kind: 'retained'; readonly after: string; readonly limit: number }
