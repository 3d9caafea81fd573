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
  told(outcome: Value | DriverError, call: Ending | undefined): void
}

/** Hears of the end of a notification that nobody waits for. */
export interface Ending {
  ahead: boolean
  handled(error?: unknown): void
}

/** Several callbacks that are told the same: it ends with the last of them, as a failure when one of them failed. */
export class Together implements Ending {
  ahead = true
  /** For when one of them has to be waited for. */
  readonly all = Promise.withResolvers<void>()
  readonly #call: Ending | undefined
  #left: number
  #failure: unknown

  constructor(count: number, call: Ending | undefined) {
    this.#left = count
    this.#call = call
    if (call !== undefined) call.ahead = true
    this.all.promise.catch(() => {})
  }

  handled(error?: unknown): void {
    this.#failure ??= error
    if (--this.#left > 0) return
    this.#call?.handled(this.#failure)
    if (this.#failure === undefined) this.all.resolve()
    else this.all.reject(this.#failure)
  }
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
  readonly #call: Ending | undefined

  constructor(
    asker: Asker,
    { callback, hook }: Handler,
    key: string,
    args: readonly Value[],
    call: Ending | undefined,
  ) {
    this.callback = callback
    this.hook = hook
    this.key = key
    this.args = args
    this.#asker = asker
    this.#call = call
  }

  settle(outcome: Value | DriverError): void {
    this.#asker.told(outcome, this.#call)
  }
}
