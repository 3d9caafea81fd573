import type { Message } from '@hookmq/api'

/** Steps of an iterator after which the event loop gets a turn. A step may be a look at a few hundred messages. */
const batch = 100

/**
 * Visits messages of the store without holding up the event loop, however many there are. `visit` returns false to end it. Resolves to
 * false when it was ended, by `visit` or by `signal`.
 */
export async function inTurns(
  messages: Iterator<Message | undefined>,
  visit: (message: Message) => boolean | void,
  signal?: AbortSignal,
): Promise<boolean> {
  let steps = 0
  for (let next = messages.next(); next.done !== true; next = messages.next()) {
    if (next.value !== undefined && visit(next.value) === false) return false
    if (++steps % batch === 0) {
      await turn()
      if (signal?.aborted === true) return false
    }
  }
  return true
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
