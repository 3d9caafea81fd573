// Kept from before any test mocks the clock.
const realSetTimeout = globalThis.setTimeout

/** Resolves once `condition` holds; rejects naming `awaited` when it never does. Polls, because it looks at plain state. */
export async function until(condition: () => boolean, awaited: string, patience = 10_000): Promise<void> {
  const started = performance.now()
  while (!condition()) {
    if (performance.now() - started > patience) throw new Error(`waited ${patience} ms in vain for ${awaited}`)
    await pause(5)
  }
}

/** Real milliseconds, also while the clock is mocked. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => realSetTimeout(resolve, milliseconds))
}

/** Lets sockets and timers of this process have a few turns. */
export async function turns(count = 10): Promise<void> {
  for (let index = 0; index < count; index++) await new Promise((resolve) => setImmediate(resolve))
}
