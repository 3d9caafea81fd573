import type { Call } from '../codec.ts'
import type { Value } from '../value.ts'
import type { DriverError } from './errors.ts'

/** Whoever has got a question, and can be told that nobody waits for its answer. */
export interface Asked {
  abandon(question: Question): void
}

/** A call with whoever waits for its answer: one object is all that is kept of it. */
export interface Question extends Call {
  /** These are set by the process that gets it. */
  id: number
  /** Its clock when it got it. */
  tick: number
  asked: Asked | undefined
  /** Let go of once they are written. */
  args: readonly Value[]
  /** Called once, with the answer or with why there is none. */
  settle(outcome: Value | DriverError): void
}

const mostIds = 2 ** 30 - 1

/** Ids begin again at 1 after 2^30 - 1: codecs have 32 bits for them, and small numbers are quick. */
export function idAfter(id: number): number {
  return id >= mostIds ? 1 : id + 1
}
