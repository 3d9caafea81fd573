import { Later } from '@hookmq/api'
import { DriverError } from './child/errors.ts'
import type { Asked, Question } from './child/question.ts'
import type { Handler } from './handlers.ts'
import type { Value } from './value.ts'

/** Who asks: says what becomes of answers. */
export interface Asker {
  /** For whoever writes the handler. */
  explain(error: DriverError): void
  /** The broker's verdict. Throws an Error that says what is wrong with the answer. */
  verdict(handler: Handler, answer: Value, accumulator: unknown): unknown
  /** A notification that nobody waits for has been handled, or not. */
  told(outcome: Value | DriverError): void
}

/** A call whose answer decides something. */
export class Decision extends Later implements Question {
  id = 0
  tick = 0
  asked: Asked | undefined
  readonly callback: number
  readonly hook: string
  readonly key: string
  args: readonly Value[]
  readonly #asker: Asker
  readonly #handler: Handler
  readonly #accumulator: unknown

  constructor(asker: Asker, handler: Handler, key: string, args: readonly Value[], accumulator: unknown) {
    super()
    this.callback = handler.callback
    this.hook = handler.hook
    this.key = key
    this.args = args
    this.#asker = asker
    this.#handler = handler
    this.#accumulator = accumulator
  }

  settle(outcome: Value | DriverError): void {
    if (outcome instanceof DriverError) {
      this.#asker.explain(outcome)
      this.fail(outcome)
      return
    }
    let verdict: unknown
    try {
      verdict = this.#asker.verdict(this.#handler, outcome, this.#accumulator)
    } catch (error) {
      this.fail(error)
      return
    }
    this.answer(verdict)
  }
}

/** A notification whose end is waited for. */
export class Telling extends Later implements Question {
  id = 0
  tick = 0
  asked: Asked | undefined
  readonly callback: number
  readonly hook: string
  readonly key: string
  args: readonly Value[]
  readonly #asker: Asker

  constructor(asker: Asker, { callback, hook }: Handler, key: string, args: readonly Value[]) {
    super()
    this.callback = callback
    this.hook = hook
    this.key = key
    this.args = args
    this.#asker = asker
  }

  settle(outcome: Value | DriverError): void {
    if (outcome instanceof DriverError) {
      this.#asker.explain(outcome)
      this.fail(outcome)
    } else this.answer(undefined)
  }
}

/** A notification that nobody waits for. */
export class Note implements Question {
  id = 0
  tick = 0
  asked: Asked | undefined
  readonly callback: number
  readonly hook: string
  readonly key: string
  args: readonly Value[]
  readonly #asker: Asker

  constructor(asker: Asker, { callback, hook }: Handler, key: string, args: readonly Value[]) {
    this.callback = callback
    this.hook = hook
    this.key = key
    this.args = args
    this.#asker = asker
  }

  settle(outcome: Value | DriverError): void {
    this.#asker.told(outcome)
  }
}
