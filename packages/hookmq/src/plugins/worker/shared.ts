/** What both threads see at once: numbers in shared memory. */

/** Grows while the worker's event loop turns, and with each event that it handles. */
const BEAT = 0
/** 1 while the worker waits for an answer of the broker: it cannot beat then, and is not to blame. */
const WAITING = 1
/** Grows with each answer to a worker that waits. */
const ANSWERS = 2
/** Frames of the worker that the broker has looked at. */
const SEEN = 3
const size = 4

export type SharedNumbers = Int32Array<SharedArrayBuffer>

export function makeShared(): SharedNumbers {
  return new Int32Array(new SharedArrayBuffer(size * Int32Array.BYTES_PER_ELEMENT))
}

export function beat(shared: SharedNumbers): void {
  Atomics.add(shared, BEAT, 1)
}

/** Two looks that see the same: the worker did nothing between them. */
export function lifeSign(shared: SharedNumbers): number | 'waiting' {
  return Atomics.load(shared, WAITING) === 1 ? 'waiting' : Atomics.load(shared, BEAT)
}

/** Blocks the worker until the broker has answered. false: it did not, in so many milliseconds. */
export function waitForAnswer(shared: SharedNumbers, ask: () => void, milliseconds: number): boolean {
  const before = Atomics.load(shared, ANSWERS)
  Atomics.store(shared, WAITING, 1)
  try {
    ask()
    return Atomics.wait(shared, ANSWERS, before, milliseconds) !== 'timed-out'
  } finally {
    Atomics.store(shared, WAITING, 0)
    beat(shared)
  }
}

export function wakeWaiter(shared: SharedNumbers): void {
  Atomics.add(shared, ANSWERS, 1)
  Atomics.notify(shared, ANSWERS)
}

export function markSeen(shared: SharedNumbers, frames: number): void {
  Atomics.add(shared, SEEN, frames)
}

export function seenFrames(shared: SharedNumbers): number {
  return Atomics.load(shared, SEEN)
}
