/** What a process of the broker tells once a second; bytes and milliseconds, since the last time. */
export interface Sample {
  readonly pid: number
  readonly rss: number
  readonly heapUsed: number
  /** All garbage was collected just before: the heap is what is in use. */
  readonly collected: boolean
  /** In garbage collections. */
  readonly collecting: number
  readonly longestPause: number
  readonly stalls: readonly Stall[]
}

/** The event loop came so much later than it should have. */
export interface Stall {
  readonly milliseconds: number
  /** Of them in garbage collections. */
  readonly garbage: number
  /** Of them ready to run, but no core was free. */
  readonly waited: number
}

/** What is neither garbage collection nor the want of a core: the broker's own. */
export function ownPart({ milliseconds, garbage, waited }: Stall): number {
  return Math.max(0, milliseconds - garbage - waited)
}
