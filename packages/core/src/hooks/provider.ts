import {
  type HookPointName,
  type HookProvider,
  type HookProviderPolicy,
  HookRegistrationError,
  type HookSpec,
  hookPointTable,
  type Logger,
  type ProviderCounters,
  type ProviderHandle,
  type ProviderHookView,
  resolveHookPoint,
} from '@hookmq/api'
import type { HookEngine } from './engine.ts'
import { type AnyHandler, Hook, type HookOwner } from './hook.ts'
import { describeError } from './notification-queue.ts'
import { takesTopics } from './options.ts'
import { ProviderPolicy } from './policy.ts'
import type { Providers, Registrar } from './providers.ts'
import { filterProblem } from './topics.ts'
import { within } from './within.ts'

/** Milliseconds for which anything that a provider does at its end is waited for. */
const unloadPatience = 5000

/** Where a provider is attached. */
export interface ProviderPlace {
  readonly engine: HookEngine
  readonly providers: Providers
  readonly registrar: Registrar
  readonly log: Logger
}

/**
 * A provider in its policy layer. It is `begin`-ed when it takes effect, perhaps in the place of another one of the same name: that one then goes
 * on answering until the first load of this one has ended.
 */
export class AttachedProvider implements ProviderHandle {
  readonly provider: HookProvider
  readonly policy: ProviderPolicy
  readonly ready: Promise<boolean>
  readonly #engine: HookEngine
  readonly #providers: Providers
  readonly #registrar: Registrar
  readonly #log: Logger
  readonly #begun = Promise.withResolvers<boolean>()
  #owner: HookOwner | undefined
  /** Those in whose place this one comes, as long as they answer. */
  #predecessors: AttachedProvider[] = []
  #hooks: readonly Hook[] = []
  #status: ProviderHandle['status'] = 'loading'
  #error: unknown
  #everLoaded = false
  #place: number
  #loading: Promise<boolean> | undefined
  #retry: NodeJS.Timeout | undefined
  #leaving: Promise<void> | undefined
  /** Of one in whose place another one has come: it is unloaded. */
  readonly #replaced = Promise.withResolvers<void>()

  constructor(provider: HookProvider, policy: HookProviderPolicy, place: ProviderPlace) {
    this.provider = provider
    this.policy = new ProviderPolicy(provider.name, policy)
    this.ready = this.#begun.promise
    this.#place = policy.place ?? 0
    this.#engine = place.engine
    this.#providers = place.providers
    this.#registrar = place.registrar
    this.#log = place.log
  }

  get name(): string {
    return this.provider.name
  }

  get status(): ProviderHandle['status'] {
    return this.#status
  }

  get error(): unknown {
    return this.#error
  }

  get points(): HookPointName[] {
    return this.#everLoaded ? this.#hooks.map((hook) => hook.point) : []
  }

  get hooks(): ProviderHookView[] {
    if (!this.#everLoaded) return []
    return this.#hooks.map((hook) => ({
      point: hook.point,
      topics: hook.topics,
      calls: hook.calls,
      succeeded: hook.succeeded,
      failures: hook.failures,
      timeouts: hook.timeouts,
      dropped: hook.dropped,
      latency: { count: hook.latencyCount, p50: hook.latency(0.5), p99: hook.latency(0.99) },
    }))
  }

  get counters(): ProviderCounters {
    const sum = (field: 'calls' | 'failures' | 'timeouts') =>
      this.#hooks.reduce((total, hook) => total + hook[field], 0)
    const { queued = 0, inFlight = 0, dropped = 0 } = this.#owner?.queue ?? {}
    return { calls: sum('calls'), failures: sum('failures'), timeouts: sum('timeouts'), queued, inFlight, dropped }
  }

  get place(): number {
    return this.#place
  }

  set place(place: number) {
    this.#place = place
    for (const hook of this.#hooks) hook.place = place
    this.#engine.sort(this.#hooks)
  }

  /** Takes effect: armed where the policy says so, and loading. */
  begin(owner: HookOwner, predecessor: AttachedProvider | undefined): void {
    this.#owner = owner
    if (predecessor !== undefined) this.#predecessors = predecessor.#handOver()
    // Who has never answered cannot be asked, and a written 'deny' means that nothing passes unasked.
    if (this.#predecessors.length === 0) this.#put(this.#guards())
    void this.#firstLoad()
  }

  reload(): Promise<boolean> {
    if (this.#isDetached() || this.#owner === undefined) return Promise.resolve(false)
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async detach(): Promise<void> {
    if (!this.#isDetached()) this.#registrar.withdraw(this.#providers, this)
    await this.leave()
  }

  replace(provider: HookProvider, policy: HookProviderPolicy = {}): AttachedProvider {
    if (this.#isDetached()) throw new Error(`hook provider '${this.name}' is detached: nothing can take its place`)
    const successor = this.#providers.make(provider, policy, this.#registrar)
    this.#registrar.replace(this.#providers, this, successor)
    return successor
  }

  /** The end: its hooks go out at once; resolves when it is unloaded. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  /** Resolves when it is unloaded, if it is on its way out. */
  get left(): Promise<void> | undefined {
    return this.#leaving
  }

  async #leave(): Promise<void> {
    this.#status = 'detached'
    clearTimeout(this.#retry)
    const predecessors = this.#predecessors.splice(0)
    this.#engine.remove([...predecessors.flatMap((other) => other.#hooks), ...this.#hooks])
    this.#begun.resolve(false)
    await Promise.all([...predecessors, this].map((other) => other.#retire(false)))
  }

  /**
   * Lets what its hooks have begun end, then unloads it. They are out of the chains already. `runs`: also runs of a chain that began before that; who
   * has no successor must not be held up by the hooks of others.
   */
  async #retire(runs: boolean): Promise<void> {
    this.#status = 'detached'
    clearTimeout(this.#retry)
    const hooks = this.#hooks
    await within(Math.min(this.policy.timeout || unloadPatience, unloadPatience), () =>
      this.#engine.drained(hooks, runs),
    )
    for (const hook of hooks) hook.gone = true
    if (this.#owner !== undefined) this.#providers.release(this.#owner)
    if (this.#everLoaded) await this.#unload()
    this.#replaced.resolve()
  }

  async #unload(): Promise<void> {
    await within(unloadPatience, async () => {
      try {
        await this.provider.unload()
      } catch (error) {
        this.#log.warn('hook provider failed to unload', { provider: this.name, ...describeError(error) })
      }
    })
  }

  /** Another one comes in its place: it is loaded no more, and those that answer now are the other's to take out. */
  #handOver(): AttachedProvider[] {
    clearTimeout(this.#retry)
    this.#status = 'detached'
    this.#begun.resolve(false)
    const answering = [...this.#predecessors.splice(0), this]
    this.#leaving ??= this.#replaced.promise
    return answering
  }

  async #firstLoad(): Promise<void> {
    const patience = Math.min(this.policy.timeout || unloadPatience, unloadPatience)
    const loaded = this.reload()
    if (this.#predecessors.length > 0) {
      // Those before answer until it is clear whether this one can; a load that hangs must not keep them for ever.
      if (!(await within(patience, () => loaded)) || !(await loaded)) this.#takeOver(this.#guards())
    }
    this.#begun.resolve(await loaded)
  }

  /** Puts these hooks in the place of those that are in force, and lets the ones before go. */
  #takeOver(hooks: readonly Hook[]): void {
    const predecessors = this.#predecessors.splice(0)
    this.#put(hooks, predecessors)
    for (const other of predecessors) void other.#retire(true)
  }

  async #load(): Promise<boolean> {
    clearTimeout(this.#retry)
    this.#status = 'loading'
    try {
      const hooks = this.#fromSpecs(await this.provider.load())
      if (this.#isDetached()) {
        await this.#unload()
        return false
      }
      this.#everLoaded = true
      this.#takeOver(hooks)
      this.#error = undefined
      this.#status = 'loaded'
      return true
    } catch (error) {
      if (this.#isDetached()) return false
      this.#error = error
      this.#status = 'failed'
      this.#log.error('hook provider could not be loaded', {
        provider: this.name,
        retryIn: this.policy.retry > 0 ? this.policy.retry : undefined,
        ...describeError(error),
      })
      if (this.policy.retry > 0) {
        this.#retry = setTimeout(() => void this.reload(), this.policy.retry)
        this.#retry.unref()
      }
      return false
    }
  }

  /** A method, because the status changes while `load` waits. */
  #isDetached(): boolean {
    return this.#status === 'detached'
  }

  #put(hooks: readonly Hook[], predecessors: readonly AttachedProvider[] = []): void {
    const leaving = [...predecessors.flatMap((other) => other.#hooks), ...this.#hooks]
    this.#engine.check(leaving, hooks)
    for (const hook of hooks) hook.inherit(this.#hooks.find((other) => other.point === hook.point))
    this.#engine.exchange(leaving, hooks)
    this.#hooks = hooks
  }

  #guards(): Hook[] {
    return this.policy.armedPoints.map((point) => this.#guard(point))
  }

  #fromSpecs(specs: readonly HookSpec[]): Hook[] {
    if (!Array.isArray(specs))
      throw new HookRegistrationError('invalid_options', `load must give a list of hooks, got ${typeof specs}`)
    const hooks = new Map<HookPointName, Hook>()
    for (const spec of specs) {
      const point = resolveHookPoint(spec.name)
      // As EMQX does: of two hooks on one point the first counts.
      if (hooks.has(point)) this.#log.warn('hook provider names a hook point twice', { provider: this.name, point })
      else hooks.set(point, this.#hook(point, spec))
    }
    return [...hooks.values()]
  }

  #hook(point: HookPointName, spec: HookSpec): Hook {
    const topics = spec.topics !== undefined && spec.topics.length > 0 ? spec.topics : undefined
    if (topics !== undefined && !takesTopics(point))
      this.#log.warn('hook provider gives topics for a point without messages: ignored', { provider: this.name, point })
    for (const filter of topics ?? []) {
      const problem = filterProblem(filter)
      if (problem !== undefined) throw new HookRegistrationError('invalid_options', `hook on ${point}: ${problem}`)
    }
    const observe = spec.observe === true
    const { provider } = this
    const tells = observe || hookPointTable[point].kind === 'notification'
    const handler: AnyHandler = tells
      ? (args, accumulator) => provider.tell(point, args as never, accumulator as never)
      : (args, accumulator, ticket) => provider.call(point, args as never, accumulator as never, ticket as never)
    return this.#register(point, handler, {
      topics: takesTopics(point) ? topics : undefined,
      observe,
      wantsTicket: !tells,
    })
  }

  /** Stands in for a provider that has not been loaded yet: each call is a failure of it. */
  #guard(point: HookPointName): Hook {
    const handler = () => {
      throw new Error(`hook provider '${this.name}' has not been loaded yet`)
    }
    return this.#register(point, handler, { topics: undefined, observe: false, wantsTicket: false })
  }

  #register(
    point: HookPointName,
    handler: AnyHandler,
    own: { readonly topics: readonly string[] | undefined; readonly observe: boolean; readonly wantsTicket: boolean },
  ): Hook {
    if (this.#owner === undefined) throw new Error(`hook provider '${this.name}' is not attached`)
    const settings = {
      point,
      owner: this.#owner,
      name: point,
      priority: this.policy.priority,
      phase: 'mutate',
      answersForTopic: false,
      ...this.policy.of(point),
      ...own,
    } as const
    const hook = new Hook(settings, handler)
    hook.place = this.#place
    return hook
  }
}
