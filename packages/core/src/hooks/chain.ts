import type { Logger } from '@hookmq/api'
import {
  type FoldPointName,
  type HookAccumulator,
  type HookArgs,
  type HookPointName,
  hookPointTable,
  type PayloadUse,
} from '@hookmq/api'
import type { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import { type Adopt, adoptAccumulator } from './accumulator.ts'
import { failedRefusal } from './failed-action.ts'
import type { Hook } from './hook.ts'
import { clientKey, describeError } from './notification-queue.ts'
import { CallFailure, type CallScope, PendingCall, type PendingCalls } from './pending.ts'
import { Ticket } from './ticket.ts'
import { expectedVerdicts, isThenable, readRefusal, verdictName } from './verdict.ts'

/** What a chain folds over: inside the core, messages are always `BrokerMessage`. */
export type ChainAccumulator<P extends HookPointName> = P extends 'message.publish' | 'message.delivered'
  ? BrokerMessage
  : HookAccumulator<P>

/** What a run would make of an answer. */
export interface Weighed {
  /** The accumulator after it, or a Refusal. */
  readonly accumulator: unknown
  /** No other hook is asked. */
  readonly ended: boolean
  /** Why the answer, or the call, counts as failed. */
  readonly failure: string | undefined
}

type Settled<T> = T | Refusal | Promise<T | Refusal>

/** Is told of each run as it begins, and returns what is told its result. The arguments are an object that this run alone has. Must not throw. */
export type RunWatcher<P extends HookPointName> = (args: HookArgs<P>) => (result: unknown) => void

/** The result of a run that goes on later and then calls back. */
export const pending: unique symbol = Symbol('pending')

/** Called once with the result of a run that went on later. */
export interface RunEnd<T> {
  ended(result: T): void
}

type AnyRunEnd = RunEnd<unknown>

const noHooks: readonly Hook[] = Object.freeze([])

/**
 * The ordered hooks of one point. The lists are replaced whole, so that a run goes on with the one that it started with.
 *
 * Whatever is passed in may be kept by a hook that answers later, or by a queue: with `size !== 0`, arguments must be objects of
 * their own and payloads must own their bytes.
 */
export class Chain<P extends HookPointName> {
  readonly point: P
  readonly #log: Logger
  readonly #calls: PendingCalls
  readonly #adopt: Adopt
  /** The topic of a message.* point stands in the accumulator, or in args.message. */
  readonly #folds: boolean
  /** For who writes down what happens; of no concern to hooks. Sinks are not watched. */
  watcher: RunWatcher<P> | undefined
  #mutate = noHooks
  #sink = noHooks
  #answersAtOnce = true
  #topicsMatter = false
  /** `payloadUse` of every topic, when topics do not matter. */
  #anyUse: PayloadUse | undefined
  /** How many runs wait for an answer: those that began with `#mutate` as it is now, and the others by the list that they began with. */
  #suspendedNow = 0
  readonly #suspended = new Map<readonly Hook[], number>()
  /** Set by `#judge` when the verdict ends the run. */
  #ended = false
  /** Set while an answer is only weighed: failures are noted here instead of being counted and logged. */
  #rehearsal: { failure: string | undefined } | undefined

  constructor(point: P, log: Logger, calls: PendingCalls) {
    this.point = point
    this.#log = log
    this.#calls = calls
    this.#folds = hookPointTable[point].kind === 'fold'
    this.#adopt = this.#folds ? adoptAccumulator[point as FoldPointName] : (previous) => previous
  }

  /** Hooks of phase mutate; all hooks on points without phases. */
  get size(): number {
    return this.#mutate.length
  }

  get sinkSize(): number {
    return this.#sink.length
  }

  /** No hook has answered later so far, or may be asked to: a run is over when `fold` returns. Never so when runs are watched. */
  get answersAtOnce(): boolean {
    return this.#answersAtOnce && this.watcher === undefined
  }

  /** What the hooks that want a message of this topic do with its payload, all together; undefined: no hook wants it. */
  payloadUse(topic: string): PayloadUse | undefined {
    if (!this.#topicsMatter) return this.#anyUse
    return this.#useOf(topic)
  }

  #useOf(topic: string | undefined): PayloadUse | undefined {
    let use: PayloadUse | undefined
    const hooks = this.#mutate
    for (let index = 0; index < hooks.length; index++) {
      const hook = hooks[index]
      if (topic !== undefined && hook.topics !== undefined && !hook.wants(topic)) continue
      if (hook.payload === 'keep') return 'keep'
      if (use !== 'borrow') use = hook.payload
    }
    return use
  }

  /** In the order in which they run. */
  hooks(): Hook[] {
    return [...this.#mutate, ...this.#sink]
  }

  replace(hooks: readonly Hook[]): void {
    if (this.#suspendedNow > 0) this.#suspended.set(this.#mutate, this.#suspendedNow)
    this.#suspendedNow = 0
    this.#mutate = hooks.filter((hook) => hook.phase === 'mutate')
    this.#sink = hooks.filter((hook) => hook.phase === 'sink')
    this.#answersAtOnce = !this.#mutate.some((hook) => hook.apart || hook.wantsTicket)
    this.#topicsMatter = this.#mutate.some((hook) => hook.topics !== undefined)
    this.#anyUse = this.#useOf(undefined)
  }

  /** A run that waits for an answer may still come to one of these. */
  awaits(hooks: ReadonlySet<Hook>): boolean {
    if (this.#suspendedNow > 0 && this.#mutate.some((hook) => hooks.has(hook))) return true
    for (const list of this.#suspended.keys()) if (list.some((hook) => hooks.has(hook))) return true
    return false
  }

  /**
   * Runs the chain and gives its result: a promise only when a hook answered with one. Never throws, never rejects.
   * When `scope` is cancelled the run ends at once, with a Refusal by 'cancelled'.
   */
  fold(args: HookArgs<P>, accumulator: ChainAccumulator<P>, scope?: CallScope): Settled<ChainAccumulator<P>> {
    if (this.watcher !== undefined) return this.#watched(this.watcher, args, accumulator, scope)
    return this.#run(this.#mutate, 0, args, accumulator, scope) as Settled<ChainAccumulator<P>>
  }

  /**
   * As `fold`, without a promise: when a hook answers later, the result is `pending`, and `then` is told the real one. It may have been told
   * before this returns.
   */
  foldThen(
    args: HookArgs<P>,
    accumulator: ChainAccumulator<P>,
    scope: CallScope | undefined,
    then: RunEnd<ChainAccumulator<P> | Refusal>,
  ): ChainAccumulator<P> | Refusal | typeof pending {
    if (this.watcher !== undefined) return this.#watchedThen(this.watcher, args, accumulator, scope, then)
    const result = this.#run(this.#mutate, 0, args, accumulator, scope, then as AnyRunEnd)
    return result as ChainAccumulator<P> | Refusal | typeof pending
  }

  /** message.publish: hands the message that will be routed to the sinks. They cannot change it. */
  sink(args: HookArgs<P>, message: ChainAccumulator<P>, scope?: CallScope): Settled<ChainAccumulator<P>> {
    return this.#run(this.#sink, 0, args, message, scope) as Settled<ChainAccumulator<P>>
  }

  /** Notification points. Never throws, never waits. */
  notify(args: HookArgs<P>): void {
    const hooks = this.#mutate
    for (let index = 0; index < hooks.length; index++) {
      const hook = hooks[index]
      if (hook.gone || (hook.topics !== undefined && !hook.wants(this.#topic(args, undefined)))) continue
      hook.owner.queue.tell(hook, args, undefined)
    }
  }

  #watched(
    watcher: RunWatcher<P>,
    args: HookArgs<P>,
    accumulator: ChainAccumulator<P>,
    scope: CallScope | undefined,
  ): Settled<ChainAccumulator<P>> {
    const own = { ...args }
    const ended = watcher(own)
    const settled = this.#run(this.#mutate, 0, own, accumulator, scope) as Settled<ChainAccumulator<P>>
    if (!(settled instanceof Promise)) ended(settled)
    else void settled.then(ended)
    return settled
  }

  #watchedThen(
    watcher: RunWatcher<P>,
    args: HookArgs<P>,
    accumulator: ChainAccumulator<P>,
    scope: CallScope | undefined,
    then: RunEnd<ChainAccumulator<P> | Refusal>,
  ): ChainAccumulator<P> | Refusal | typeof pending {
    const own = { ...args }
    const heard = watcher(own)
    const ended = (later: unknown): void => {
      heard(later)
      then.ended(later as ChainAccumulator<P> | Refusal)
    }
    const result = this.#run(this.#mutate, 0, own, accumulator, scope, { ended }) as
      | ChainAccumulator<P>
      | Refusal
      | typeof pending
    if (result !== pending) heard(result)
    return result
  }

  #topic(args: unknown, accumulator: unknown): string {
    const named = args as { readonly message?: { readonly topic: string } }
    return (named.message ?? (accumulator as { readonly topic: string })).topic
  }

  /** The way of every message, so it is short: what few hooks need stands in functions of its own, which go on with the rest of the list. */
  #run(
    hooks: readonly Hook[],
    from: number,
    args: unknown,
    accumulator: unknown,
    scope: CallScope | undefined,
    then?: AnyRunEnd,
  ): Settled<unknown> {
    for (let index = from; index < hooks.length; index++) {
      const hook = hooks[index]
      if (hook.gone || (hook.topics !== undefined && !hook.wants(this.#topic(args, accumulator)))) continue
      if (hook.apart || hook.wantsTicket) return this.#runProvider(hooks, index, args, accumulator, scope, then)
      let answer: unknown
      try {
        answer = hook.call(args, accumulator, undefined)
      } catch (error) {
        return this.#threw(hooks, index, args, accumulator, scope, then, error)
      }
      if (answer === undefined || answer === 'ok') continue
      return this.#answered(hooks, index, args, accumulator, scope, then, answer, undefined)
    }
    return this.#unended(accumulator)
  }

  /** From a hook on that is only told, or takes a ticket. */
  #runProvider(
    hooks: readonly Hook[],
    index: number,
    args: unknown,
    accumulator: unknown,
    scope: CallScope | undefined,
    then: AnyRunEnd | undefined,
  ): Settled<unknown> {
    const hook = hooks[index]
    if (hook.apart) {
      if (hook.strict) return this.#inTurn(hooks, index, args, accumulator, scope, then)
      hook.owner.queue.tell(hook, args, accumulator)
      return this.#run(hooks, index + 1, args, accumulator, scope, then)
    }
    const ticket = new Ticket(hook.timeout)
    let answer: unknown
    try {
      answer = hook.call(args, accumulator, ticket)
    } catch (error) {
      ticket.end(new CallFailure('rejected', error))
      return this.#threw(hooks, index, args, accumulator, scope, then, error)
    }
    if (answer !== undefined && answer !== 'ok')
      return this.#answered(hooks, index, args, accumulator, scope, then, answer, ticket)
    ticket.end(answer)
    return this.#run(hooks, index + 1, args, accumulator, scope, then)
  }

  /** From an answer on that is more than consent. */
  #answered(
    hooks: readonly Hook[],
    index: number,
    args: unknown,
    accumulator: unknown,
    scope: CallScope | undefined,
    then: AnyRunEnd | undefined,
    answer: unknown,
    ticket: Ticket | undefined,
  ): Settled<unknown> {
    const hook = hooks[index]
    let asynchronous: boolean
    try {
      asynchronous = isThenable(answer)
    } catch (error) {
      ticket?.end(new CallFailure('rejected', error))
      return this.#threw(hooks, index, args, accumulator, scope, then, error)
    }
    let next: unknown
    if (!asynchronous) {
      ticket?.end(answer)
      next = this.#judge(hook, answer, accumulator)
    } else if (hook.payload === 'keep') {
      return this.#wait(hooks, index, answer as PromiseLike<unknown>, ticket, args, accumulator, scope, then)
    } else {
      // Nobody waits for it, so nobody else would hear that it fails.
      void Promise.resolve(answer).catch(() => {})
      const problem = `a hook with payload: '${hook.payload}' must answer at once; it gave a promise`
      ticket?.end(new CallFailure('rejected', new Error(problem)))
      next = this.#invalid(hook, problem, accumulator)
    }
    return this.#ended ? this.#finish(hook, next) : this.#run(hooks, index + 1, args, next, scope, then)
  }

  #threw(
    hooks: readonly Hook[],
    index: number,
    args: unknown,
    accumulator: unknown,
    scope: CallScope | undefined,
    then: AnyRunEnd | undefined,
    error: unknown,
  ): Settled<unknown> {
    const hook = hooks[index]
    const next = this.#failed(hook, 'threw', describeError(error), accumulator)
    return this.#ended ? this.#finish(hook, next) : this.#run(hooks, index + 1, args, next, scope, then)
  }

  /** From the first asynchronous answer on: waits for it, then runs the rest of the list. */
  #wait(
    hooks: readonly Hook[],
    index: number,
    answer: PromiseLike<unknown>,
    ticket: Ticket | undefined,
    args: unknown,
    accumulator: unknown,
    scope: CallScope | undefined,
    then: AnyRunEnd | undefined,
  ): unknown {
    this.#answersAtOnce = false
    this.#suspend(hooks)
    if (then !== undefined) {
      this.#calls.await(new RunCall(this, hooks, index, args, accumulator, ticket, scope, then, then), answer)
      return pending
    }
    return new Promise((resolve) => {
      const end = { ended: resolve }
      this.#calls.await(new RunCall(this, hooks, index, args, accumulator, ticket, scope, undefined, end), answer)
    })
  }

  /** The hook that a run waited for has answered, or failed. */
  resume(run: RunCall, outcome: unknown): void {
    const { hooks } = run
    this.#resumed(hooks)
    const result = this.#goOn(hooks, run.index, run.args, run.accumulator, run.scope, outcome, run.later)
    if (result !== pending) run.end.ended(result)
  }

  /** Runs the rest of the list once a hook has answered, or failed. */
  #goOn(
    hooks: readonly Hook[],
    index: number,
    args: unknown,
    accumulator: unknown,
    scope: CallScope | undefined,
    outcome: unknown,
    then: AnyRunEnd | undefined,
  ): Settled<unknown> {
    const hook = hooks[index]
    let next = accumulator
    if (!(outcome instanceof CallFailure)) {
      if (outcome !== undefined && outcome !== 'ok') next = this.#judge(hook, outcome, accumulator)
    } else if (outcome.kind === 'cancelled') {
      return new Refusal('drop', 0x80, 'cancelled')
    } else if (outcome.kind === 'timeout') {
      next = this.#failed(hook, 'timeout', { timeout: hook.timeout }, accumulator)
    } else {
      next = this.#failed(hook, 'rejected', describeError(outcome.error), accumulator)
    }
    return this.#ended ? this.#finish(hook, next) : this.#run(hooks, index + 1, args, next, scope, then)
  }

  /** Waits until all that the hook's owner was asked and told about this client before has been handled, then goes on with the hook. */
  #inTurn(
    hooks: readonly Hook[],
    index: number,
    args: unknown,
    accumulator: unknown,
    scope: CallScope | undefined,
    then: AnyRunEnd | undefined,
  ): unknown {
    if (then === undefined)
      return new Promise((resolve) =>
        this.#reserve(hooks, index, args, accumulator, scope, { ended: resolve }, undefined),
      )
    this.#reserve(hooks, index, args, accumulator, scope, then, then)
    return pending
  }

  #reserve(
    hooks: readonly Hook[],
    index: number,
    args: unknown,
    accumulator: unknown,
    scope: CallScope | undefined,
    end: AnyRunEnd,
    then: AnyRunEnd | undefined,
  ): void {
    const hook = hooks[index]
    this.#suspend(hooks)
    hook.owner.queue.reserve(clientKey(args, accumulator), hook, (leave) => {
      const settled = (outcome: unknown): void => {
        this.#resumed(hooks)
        const answered = outcome instanceof CallFailure || !hook.observe ? outcome : undefined
        const result = this.#goOn(hooks, index, args, accumulator, scope, answered, then)
        leave()
        if (result !== pending) end.ended(result)
      }
      if (scope?.cancelled) return settled(new CallFailure('cancelled'))
      if (hook.gone) return settled(undefined)
      const ticket = hook.wantsTicket ? new Ticket(hook.timeout) : undefined
      let answer: unknown
      let asynchronous: boolean
      try {
        answer = hook.call(args, accumulator, ticket)
        asynchronous = isThenable(answer)
      } catch (error) {
        const failure = new CallFailure('rejected', error)
        ticket?.end(failure)
        return settled(failure)
      }
      if (asynchronous) this.#calls.start(hook, args, answer as PromiseLike<unknown>, ticket, scope, settled)
      else {
        ticket?.end(answer)
        settled(answer)
      }
    })
  }

  #suspend(hooks: readonly Hook[]): void {
    if (hooks === this.#mutate) this.#suspendedNow++
    else this.#suspended.set(hooks, (this.#suspended.get(hooks) ?? 0) + 1)
  }

  #resumed(hooks: readonly Hook[]): void {
    if (hooks === this.#mutate) {
      this.#suspendedNow--
      return
    }
    const left = (this.#suspended.get(hooks) ?? 1) - 1
    if (left > 0) this.#suspended.set(hooks, left)
    else this.#suspended.delete(hooks)
  }

  /** For rehearsals: what a run would make of an answer, or of a call that failed. Nothing is counted or logged. */
  weigh(hook: Hook, answer: unknown, failure: string | undefined, accumulator: unknown): Weighed {
    this.#rehearsal = { failure: undefined }
    try {
      let next = accumulator
      if (failure !== undefined) next = this.#failed(hook, 'rejected', { problem: failure }, accumulator)
      else if (answer !== undefined && answer !== 'ok') next = this.#judge(hook, answer, accumulator)
      const ended = this.#ended
      return { accumulator: ended ? this.#finish(hook, next) : next, ended, failure: this.#rehearsal.failure }
    } finally {
      this.#ended = false
      this.#rehearsal = undefined
    }
  }

  /** For rehearsals: the result of a run that no hook has ended. */
  conclude(accumulator: unknown): unknown {
    return this.#unended(accumulator)
  }

  /** The accumulator after a verdict, or a Refusal; sets `#ended` when the run is over. */
  #judge(hook: Hook, answer: unknown, accumulator: unknown): unknown {
    try {
      return this.#read(hook, answer, accumulator)
    } catch (error) {
      // Objects with getters or proxies can throw while they are being looked at.
      this.#ended = false
      return this.#failed(hook, 'threw', describeError(error), accumulator)
    }
  }

  #read(hook: Hook, answer: unknown, accumulator: unknown): unknown {
    if (answer === 'stop') {
      this.#ended = true
      return accumulator
    }
    const verdict = verdictName(answer)
    if (verdict === undefined) {
      const got = answer === null ? 'null' : typeof answer === 'string' ? JSON.stringify(answer) : typeof answer
      return this.#invalid(hook, `expected ${expectedVerdicts(this.point, hook.phase)}; got ${got}`, accumulator)
    }
    if (verdict === 'ok' || verdict === 'stop') {
      const value = (answer as Record<string, unknown>)[verdict]
      if (hook.phase === 'sink' && value !== accumulator)
        return this.#invalid(hook, `expected ${expectedVerdicts(this.point, 'sink')}`, accumulator)
      const next = value === accumulator ? value : this.#adopt(accumulator, value, hook)
      if (typeof next === 'string') return this.#invalid(hook, `{ ${verdict} }: ${next}`, accumulator)
      if (verdict === 'stop') this.#ended = true
      return next
    }
    const refusal = readRefusal(this.point, hook.phase, verdict, answer as object, hook.label)
    if (typeof refusal === 'string') return this.#invalid(hook, refusal, accumulator)
    this.#ended = true
    return refusal
  }

  #invalid(hook: Hook, problem: string, accumulator: unknown): unknown {
    return this.#failed(hook, 'invalid verdict', { problem }, accumulator)
  }

  /** Counts and logs, then does what the hook's failedAction says: the accumulator stays, or the run ends with a refusal. */
  #failed(
    hook: Hook,
    kind: 'threw' | 'rejected' | 'timeout' | 'invalid verdict',
    detail: Record<string, unknown>,
    accumulator: unknown,
  ): unknown {
    if (this.#rehearsal === undefined) hook.fail(this.#log, kind, { ...detail, failedAction: hook.failedAction })
    else this.#rehearsal.failure = String(detail.problem ?? detail.error ?? kind)
    if (hook.failedAction === 'ignore') return accumulator
    const refusal = failedRefusal(this.point, hook)
    if (refusal === undefined) return accumulator
    if (this.#rehearsal === undefined) hook.owner.count('denied')
    this.#ended = true
    return refusal
  }

  /** The result of a run that a hook has ended. */
  #finish(by: Hook, accumulator: unknown): unknown {
    this.#ended = false
    return accumulator instanceof Refusal || by.phase === 'sink' ? accumulator : this.#unended(accumulator)
  }

  /** The result of a run that came to its end, or that was ended with consent. */
  #unended(accumulator: unknown): unknown {
    if (this.point !== 'message.publish') return accumulator
    const { headers } = accumulator as BrokerMessage
    if (headers.shouldDisconnect === true) return new Refusal('disconnect', 0x83, 'header shouldDisconnect')
    if (headers.allowPublish === false) return new Refusal('drop', 0x10, 'header allowPublish')
    return accumulator
  }
}

/** A run that waits for the answer of one hook. */
class RunCall extends PendingCall {
  readonly chain: { resume(run: RunCall, outcome: unknown): void }
  readonly hooks: readonly Hook[]
  readonly index: number
  readonly accumulator: unknown
  /** Who is told when the rest of the run waits as well. */
  readonly later: AnyRunEnd | undefined
  /** Who is told the result. */
  readonly end: AnyRunEnd

  constructor(
    chain: { resume(run: RunCall, outcome: unknown): void },
    hooks: readonly Hook[],
    index: number,
    args: unknown,
    accumulator: unknown,
    ticket: Ticket | undefined,
    scope: CallScope | undefined,
    later: AnyRunEnd | undefined,
    end: AnyRunEnd,
  ) {
    super(hooks[index], args, ticket, scope)
    this.chain = chain
    this.hooks = hooks
    this.index = index
    this.accumulator = accumulator
    this.later = later
    this.end = end
  }

  protected ended(outcome: unknown): void {
    this.chain.resume(this, outcome)
  }
}
