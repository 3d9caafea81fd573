import {
  type Command,
  type Counter,
  type HookHandle,
  type HookHandler,
  type HookOptions,
  type HookPointName,
  HookRegistrationError,
  type HttpRoute,
  type PluginContext,
  type PluginSettings,
  type RetainedPolicy,
  resolveHookPoint,
} from '@hookmq/api'
import { createSettings } from '@hookmq/kit'
import type { Bridge } from './bridge.ts'
import { Functions } from './functions.ts'
import type { WorkerStart } from './protocol.ts'
import { shortVerdict } from './verdicts.ts'
import { workerAdmin } from './worker-admin.ts'
import { workerLink, workerLog, workerMembers, workerStore } from './worker-link.ts'

/** The context as the plugin in the worker sees it, and what the broker may call of it. */
export class WorkerContext implements PluginContext {
  readonly name: string
  readonly log: PluginContext['log']
  readonly config: PluginContext['config']
  readonly terms: PluginContext['terms']
  readonly broker: PluginContext['broker']
  readonly admin: PluginContext['admin']
  readonly members: PluginContext['members']
  readonly functions = new Functions()
  readonly #bridge: Bridge
  readonly #start: WorkerStart
  readonly #abort = new AbortController()
  readonly #teardown: (() => void | Promise<void>)[] = []
  readonly #counters = new Map<string, CarriedCounter>()
  #settings: PluginSettings | undefined
  #store: PluginContext['store'] | undefined

  constructor(bridge: Bridge, start: WorkerStart) {
    this.#bridge = bridge
    this.#start = start
    this.name = start.name
    this.config = start.config
    this.terms = start.terms
    this.log = workerLog(bridge)
    this.broker = workerLink(bridge, start, this.functions, this.log)
    this.admin = workerAdmin(bridge, start, this.functions, this.log)
    this.members = workerMembers(bridge, this.functions)
    bindMethods(this)
  }

  get settings(): PluginSettings {
    const { keys, config, terms } = this.#start
    this.#settings ??= createSettings(keys, { config, terms })
    return this.#settings
  }

  get store(): PluginContext['store'] {
    this.#store ??= workerStore(this.#bridge)
    return this.#store
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  hook<P extends HookPointName>(point: P, handler: HookHandler<P>, options: HookOptions = {}): HookHandle {
    const resolved = resolveHookPoint(point)
    if (typeof handler !== 'function')
      throw new HookRegistrationError(
        'invalid_options',
        `hook on ${resolved} of ${this.name}: the handler must be a function, got ${typeof handler}`,
      )
    const run = handler as unknown as (args: unknown, accumulator: unknown) => unknown
    const id = this.functions.hook(handler, () => (args, accumulator) => {
      const answer = run(args, accumulator)
      return answer instanceof Promise
        ? answer.then((value) => shortVerdict(value, accumulator))
        : shortVerdict(answer, accumulator)
    })
    const name = options.name ?? (handler.name || resolved)
    const number = this.#bridge.get<number>('hook', point, id, { ...options, name })
    return { point: resolved, name, remove: () => void this.#bridge.get('end', number) }
  }

  provider(): never {
    throw new Error(
      `plugin '${this.name}' provides hooks that live elsewhere: it must run in the broker's own thread; set its placement to in-process`,
    )
  }

  authenticator(module: Parameters<PluginContext['authenticator']>[0], sequence = 0): void {
    const ask = this.functions.add((client) => module.authenticate(client))
    this.#bridge.get('authenticator', { name: module.name, ask }, sequence)
  }

  authorizer(module: Parameters<PluginContext['authorizer']>[0], sequence = 0): void {
    const ask = this.functions.add((request) => module.authorize(request))
    const reload = module.reload === undefined ? undefined : this.functions.add(() => module.reload?.())
    this.#bridge.get('authorizer', { name: module.name, ask, reload }, sequence)
  }

  counter(name: string): Counter {
    let counter = this.#counters.get(name)
    if (counter === undefined) {
      this.#bridge.get('counter', name)
      counter = new CarriedCounter(this.#bridge, name)
      this.#counters.set(name, counter)
    }
    return counter
  }

  retained({ changed, ...policy }: RetainedPolicy): () => void {
    const id = changed === undefined ? undefined : this.functions.add((topic) => changed(topic))
    const number = this.#bridge.get<number>('retained', policy, id)
    return () => void this.#bridge.get('end', number)
  }

  gauge(name: string, read: () => number): void {
    this.#bridge.get('gauge', name, this.functions.add(read), read())
  }

  command({ run, ...command }: Command): void {
    this.#bridge.get('command', command, this.functions.add(run))
  }

  route({ handle, ...route }: HttpRoute): void {
    this.#bridge.get('route', route, this.functions.add(handle))
  }

  now(): number {
    return this.#start.systemTime ? Date.now() : this.#bridge.get<number>('now')
  }

  every(interval: number, run: () => unknown): void {
    this.#bridge.get('every', interval, this.functions.add(this.#guarded(run)))
  }

  after(delay: number, run: () => unknown): void {
    this.#bridge.get('after', delay, this.functions.addOnce(this.#guarded(run)))
  }

  onTeardown(run: () => void | Promise<void>): void {
    if (this.#abort.signal.aborted) throw new Error(`plugin '${this.name}' is unloaded: nothing can be registered`)
    this.#teardown.push(run)
  }

  /** No event comes any more: ends what the plugin began. What fails is logged, and the rest goes on. */
  async end(): Promise<void> {
    this.#abort.abort()
    for (const step of this.#teardown.reverse()) {
      try {
        await step()
      } catch (error) {
        this.log.error('plugin failed while being unloaded', { error: describe(error) })
      }
    }
  }

  /** Tells the broker what has been counted. */
  sendCounts(): void {
    for (const counter of this.#counters.values()) counter.send()
  }

  #guarded(run: () => unknown): () => void {
    const failed = (error: unknown): void => this.log.error('a timer threw', { error: describe(error) })
    return () => {
      try {
        const result = run()
        if (result instanceof Promise) result.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }
}

/** What is counted is told when something else is sent, or at the end of the turn. */
class CarriedCounter implements Counter {
  readonly #bridge: Bridge
  readonly #name: string
  #added = 0

  constructor(bridge: Bridge, name: string) {
    this.#bridge = bridge
    this.#name = name
  }

  get value(): number {
    this.send()
    return this.#bridge.get<number>('counted', this.#name)
  }

  add(amount = 1): void {
    if (this.#added === 0) setImmediate(() => this.send())
    this.#added += amount
  }

  send(): void {
    const amount = this.#added
    if (amount === 0) return
    this.#added = 0
    if (!this.#bridge.tell('count', this.#name, amount)) this.#added = amount
  }
}

/** Plugins take methods out of their context: `const { log, hook } = ctx`. */
function bindMethods(context: WorkerContext): void {
  for (const name of [
    'hook',
    'provider',
    'authenticator',
    'authorizer',
    'counter',
    'retained',
    'gauge',
    'command',
    'route',
    'now',
    'every',
    'after',
    'onTeardown',
  ] as const)
    Object.defineProperty(context, name, { value: context[name].bind(context) })
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
