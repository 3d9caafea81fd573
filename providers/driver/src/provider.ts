import type {
  HookAccumulator,
  HookArgs,
  HookPointName,
  HookProvider,
  HookSpec,
  Later,
  Logger,
  ProviderCall,
} from '@hookmq/api'
import { DriverError } from './child/errors.ts'
import { Pool } from './child/pool.ts'
import type { Question } from './child/question.ts'
import type { SlotSettings } from './child/slot.ts'
import type { Codec } from './codec.ts'
import { arrange, type Handler, type Handlers, wants } from './handlers.ts'
import type { Language, LaunchSettings } from './language.ts'
import { type Asker, Decision, type Ending, Note, Telling, Together } from './questions.ts'
import { Seldom } from './seldom.ts'
import type { Value } from './value.ts'

export interface DriverProviderOptions {
  readonly language: Language
  readonly launch: LaunchSettings
  readonly process: SlotSettings
  readonly poolSize: number
  /**
   * Notifications that may be on their way to one process before the broker waits for the end of each, where the process keeps the order itself; 0: it
   * always does.
   */
  readonly notificationsAhead: number
  /** Name of this broker. */
  readonly node: string
  readonly log: Logger
  /** Before each call of a callback, by the handler's name of the hook. */
  readonly count: (hook: string) => void
}

/** One version of the handler, with the processes that run it. */
interface Version {
  readonly pool: Pool
  readonly handlers: Handlers
}

/**
 * The hooks of one driver. `load` starts its processes and may be called again: then the new ones take over, and the old ones end when their calls have.
 */
export class DriverProvider implements HookProvider {
  readonly name: string
  readonly #options: DriverProviderOptions
  readonly #failures: Seldom
  #current: Version | undefined
  #prepared: Promise<Version> | undefined
  /** Clients with calls in the processes that are being replaced: their next ones wait, so that order is kept. */
  #leaving: { readonly keys: ReadonlySet<string>; readonly drained: Promise<void> } | undefined
  #retired: Promise<unknown> = Promise.resolve()
  #unloaded = false
  /** Called when the handler names other hooks after its process was started again. */
  changed: () => void = () => {}

  constructor(options: DriverProviderOptions) {
    this.#options = options
    this.name = options.launch.name
    this.#failures = new Seldom(10)
  }

  /** The hooks of the version in force, as the handler calls them, in its order. */
  get hooks(): readonly string[] {
    return this.#current?.handlers.hooks ?? []
  }

  get isRunning(): boolean {
    return this.#current !== undefined
  }

  get pool(): Pool | undefined {
    return this.#current?.pool
  }

  /** Starts ahead of the next `load`, which then takes what is ready. Rejects when it fails; that `load` will, too. */
  async prepare(): Promise<void> {
    this.#prepared = this.#start()
    await this.#prepared
  }

  async load(): Promise<readonly HookSpec[]> {
    const starting = this.#prepared ?? this.#start()
    this.#prepared = undefined
    const next = await starting
    if (this.#unloaded) {
      await next.pool.stop()
      throw new DriverError(`driver ${this.name}: was unloaded meanwhile`)
    }
    const before = this.#current
    this.#current = next
    if (before !== undefined) this.#retired = Promise.all([this.#retired, this.#retire(before)])
    return next.handlers.specs
  }

  call<P extends HookPointName>(
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P>,
    call?: ProviderCall,
  ): unknown {
    const handlers = this.#current?.handlers.byPoint.get(point)
    if (handlers === undefined) return undefined
    return handlers.length === 1
      ? this.#ask(handlers[0], args, accumulator, call)
      : this.#askAll(handlers, args, accumulator, call)
  }

  tell<P extends HookPointName>(
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P> | undefined,
    call?: ProviderCall,
  ): void | Promise<void> {
    const version = this.#current
    const handlers = version?.handlers.byPoint.get(point)
    if (version === undefined || handlers === undefined) return undefined
    // A Later is a thenable; the type of a notification's answer says only that it is waited for.
    if (handlers.length === 1)
      return this.#notify(version, handlers[0], args, accumulator, call, call) as Promise<void> | undefined
    const told = handlers.filter((handler) => wants(handler, args, accumulator))
    if (told.length === 0) return undefined
    const together = new Together(told.length, call)
    let waits = false
    for (const handler of told) {
      const wait = this.#notify(version, handler, args, accumulator, together, call)
      wait?.then(
        () => together.handled(),
        (error) => together.handled(error),
      )
      waits ||= wait !== undefined
    }
    return waits ? together.all.promise : undefined
  }

  async unload(): Promise<void> {
    this.#unloaded = true
    const { current, prepared } = { current: this.#current, prepared: this.#prepared }
    this.#current = undefined
    await Promise.all([
      this.#retired,
      current?.pool.stop(),
      prepared?.then(
        ({ pool }) => pool.stop(),
        () => {},
      ),
    ])
  }

  async #start(): Promise<Version> {
    const { language, launch: settings, process, poolSize, log } = this.#options
    const progress = (line: string): void => log.info(`driver ${this.name}: ${line}`, { driver: this.name })
    let pool: Pool
    let warnings: readonly string[]
    try {
      const launch = await language.launch({ ...settings, progress })
      const codec = (): Codec => language.codec()
      pool = new Pool(poolSize, process, { log, launch, codec, changed: () => this.changed() })
      warnings = await pool.start()
    } catch (error) {
      // What is missing is the operator's to mend: where it was missed is for those who ask.
      const failure = error instanceof DriverError ? error : new DriverError(messageOf(error), stackOf(error))
      this.#explain(failure)
      throw failure
    }
    const handlers = arrange(pool.style, pool.callbacks)
    for (const warning of [...warnings, ...handlers.warnings])
      log.warn(`driver ${this.name}: ${warning}`, { driver: this.name })
    return { pool, handlers }
  }

  /** The version that is no longer in force ends its calls, then its processes. */
  async #retire({ pool }: Version): Promise<void> {
    const drained = pool.drained(this.#options.process.callTimeout)
    const leaving = { keys: pool.keysInFlight(), drained }
    this.#leaving = leaving
    await drained
    if (this.#leaving === leaving) this.#leaving = undefined
    await pool.stop()
  }

  #ask(handler: Handler, args: unknown, accumulator: unknown, call: ProviderCall | undefined): PromiseLike<unknown> {
    const version = this.#current
    const { definition } = handler
    const key = definition.key(args, accumulator)
    if (this.#leaving?.keys.has(key) === true)
      return this.#leaving.drained.then(() => this.#ask(this.#successor(handler), args, accumulator, call))
    const values = definition.args(args, accumulator, this.#options.node)
    const decision = new Decision(this.#asker, handler, key, values, accumulator)
    this.#options.count(handler.hook)
    const refused = version === undefined ? this.#absent(handler) : version.pool.send(decision)
    if (refused !== undefined) decision.fail(refused)
    else if (version?.pool.givesUp === true) giveUpWith(call, decision)
    return decision
  }

  #absent({ hook }: Handler): DriverError {
    return new DriverError(`driver ${this.name}: ${hook}: the driver is not loaded`)
  }

  /** The same callback in the version that is in force now. */
  #successor(handler: Handler): Handler {
    const now = this.#current?.handlers.byPoint.get(handler.definition.point) ?? []
    return now.find(({ target }) => target === handler.target) ?? now[0] ?? handler
  }

  /** One after the other: each sees what those before have made of it, and the first that decides is the last. */
  async #askAll(
    handlers: readonly Handler[],
    args: unknown,
    accumulator: unknown,
    call: ProviderCall | undefined,
  ): Promise<unknown> {
    let now = accumulator
    let changed = false
    let failure: unknown
    for (const handler of handlers) {
      if (!wants(handler, args, now)) continue
      if (handler.observe) {
        this.#tellOne(handler, args, now)
        continue
      }
      try {
        const verdict = (await this.#ask(handler, args, now, call)) as { ok?: object } | { stop?: unknown } | undefined
        if (verdict === undefined) continue
        if (!('ok' in verdict)) return verdict
        now = { ...(now as object), ...verdict.ok }
        changed = true
      } catch (error) {
        failure = error
      }
    }
    if (failure !== undefined && !changed) throw failure
    return changed ? { ok: now } : undefined
  }

  /** Tells one callback although others on its point are asked. */
  #tellOne(handler: Handler, args: unknown, accumulator: unknown): void {
    const version = this.#current
    if (version === undefined) return
    void this.#notify(version, handler, args, accumulator, undefined, undefined)?.then(undefined, () => {})
  }

  /** `ending` hears of the end when there is nothing to wait for. */
  #notify(
    version: Version,
    handler: Handler,
    args: unknown,
    accumulator: unknown,
    ending: Ending | undefined,
    call: ProviderCall | undefined,
  ): PromiseLike<unknown> | undefined {
    const { definition, hook } = handler
    const key = definition.key(args, accumulator)
    if (this.#leaving?.keys.has(key) === true)
      return this.#leaving.drained.then(() => {
        const now = this.#current
        return now === undefined
          ? undefined
          : this.#notify(now, this.#successor(handler), args, accumulator, undefined, call)
      })
    const { pool } = version
    const { notificationsAhead, poolSize } = this.#options
    const values = definition.args(args, accumulator, this.#options.node)
    this.#options.count(hook)
    if (pool.ordered && pool.inFlight < notificationsAhead * poolSize) {
      // The process keeps the order itself, so that nothing has to wait for the answer.
      if (ending !== undefined) ending.ahead = true
      const refused = pool.send(new Note(this.#asker, handler, key, values, ending))
      if (refused !== undefined) this.#told(refused, ending)
      return undefined
    }
    const telling = new Telling(this.#asker, handler, key, values)
    const refused = pool.send(telling)
    if (refused !== undefined) telling.fail(refused)
    else if (pool.givesUp) giveUpWith(call, telling)
    return telling
  }

  readonly #asker: Asker = {
    explain: (error) => this.#explain(error),
    told: (outcome, call) => this.#told(outcome, call),
    verdict: ({ dialect, definition, hook, target }, answer, accumulator) => {
      try {
        return dialect.verdict(definition.point, answer, this.name, accumulator)
      } catch (error) {
        throw new DriverError(`driver ${this.name}: ${hook}: ${target} ${messageOf(error)}`)
      }
    },
  }

  #told(outcome: Value | DriverError, call: Ending | undefined): void {
    if (!(outcome instanceof DriverError)) return call?.handled()
    this.#explain(outcome)
    // The broker counts it and writes it down.
    if (call !== undefined) return call.handled(outcome)
    this.#failures.run((left) =>
      this.#options.log.warn(outcome.message, { driver: this.name, ...(left === 0 ? {} : { omitted: left }) }),
    )
  }

  /** The line that everybody sees names the place; who writes the handler may want the whole. */
  #explain({ message, traceback }: DriverError): void {
    if (traceback !== undefined) this.#options.log.debug(message, { driver: this.name, traceback })
  }
}

/** The process is told when nobody waits for the answer any more. */
function giveUpWith(call: ProviderCall | undefined, question: Question & Later): void {
  if (call !== undefined) call.onAbandoned = () => question.asked?.abandon(question)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined
}
