/** Collects the whole heap, where Node was started with --expose-gc. */
export function collectGarbage(): 'collected' | 'not exposed' {
  if (globalThis.gc === undefined) return 'not exposed'
  globalThis.gc()
  return 'collected'
}
