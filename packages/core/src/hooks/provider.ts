import type {
  HookPointName,
  HookProvider,
  HookProviderPolicy,
  Logger,
  ProviderCounters,
  ProviderHandle,
  ProviderHookView,
} from '@hookmq/api'
import { Breaker, type BreakerState } from './breaker.ts'
import type { HookEngine } from './engine.ts'
import { Gate } from './gate.ts'
import type { Hook, HookOwner } from './hook.ts'
import { describeError } from './notification-queue.ts'
import { ProviderPolicy } from './policy.ts'
import { ProviderHooks } from './provider-hooks.ts'
import type { Providers, Registrar } from './providers.ts'
import { VerdictCache } from './verdict-cache.ts'
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
  readonly #gate: Gate
  readonly #make: ProviderHooks
  #opened = 0
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
    const now = () => performance.now()
    const { breaker, cache, maxInFlight, maxWaiting } = this.policy
    this.#gate = new Gate(
      { provider: provider.name, maxInFlight, maxWaiting, free: () => this.#owner?.queue.pump() },
      new Breaker(breaker, now, (state) => this.#breakerChanged(state)),
      cache === undefined ? undefined : new VerdictCache(cache, now),
    )
    this.#make = new ProviderHooks(provider, this.policy, this.#gate, place.log)
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
    return this.hooks.map(({ point }) => point)
  }

  get hooks(): ProviderHookView[] {
    if (!this.#everLoaded) return []
    return this.#hooks
      .filter(({ hidden }) => !hidden)
      .map((hook) => ({
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
    return {
      calls: sum('calls'),
      failures: sum('failures'),
      timeouts: sum('timeouts'),
      queued,
      inFlight,
      dropped,
      waiting: this.#gate.waiting,
      overflowed: this.#gate.overflowed,
      turnedAway: this.#gate.turnedAway,
      opened: this.#opened,
      cached: this.#gate.cache?.size ?? 0,
      cacheHits: this.#gate.cacheHits,
    }
  }

  get numbers(): Readonly<Record<string, number>> {
    return this.provider.numbers ?? {}
  }

  get breaker(): BreakerState {
    return this.#gate.breaker.state
  }

  cleanCache(clientId?: string): number {
    return this.#gate.cache?.clean(clientId) ?? 0
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
    if (this.#predecessors.length === 0) this.#put(this.#make.guards(this.#requireOwner()))
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
    if (provider.name !== this.name)
      throw new Error(`'${provider.name}' cannot take the place of '${this.name}': it must be of the same name`)
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
    await within(Math.min(this.policy.timeout || unloadPatience, unloadPatience), async () => {
      await this.#engine.drained(hooks, runs)
      await this.#gate.whenIdle()
    })
    for (const hook of hooks) hook.gone = true
    this.#gate.close()
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
      if (!(await within(patience, () => loaded)) || !(await loaded))
        this.#takeOver(this.#make.guards(this.#requireOwner()))
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
      const specs = await this.provider.load()
      if (this.#isDetached()) {
        await this.#unload()
        return false
      }
      const hooks = this.#make.fromSpecs(this.#requireOwner(), specs)
      this.#everLoaded = true
      this.#takeOver(hooks)
      this.#gate.breaker.reset()
      this.#gate.cache?.clean()
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

  #requireOwner(): HookOwner {
    if (this.#owner === undefined) throw new Error(`hook provider '${this.name}' has not begun`)
    return this.#owner
  }

  #breakerChanged(state: BreakerState): void {
    const { failures, failureRate, openFor } = this.policy.breaker
    if (state === 'open') {
      this.#opened++
      this.#log.warn('circuit breaker opened: the hook provider fails and is not asked for a while', {
        provider: this.name,
        failures,
        failureRate: failureRate > 0 ? failureRate : undefined,
        openFor,
      })
    } else if (state === 'closed') {
      this.#log.info('circuit breaker closed: the hook provider answers again', { provider: this.name })
    }
  }

  /** A method, because the status changes while `load` waits. */
  #isDetached(): boolean {
    return this.#status === 'detached'
  }

  #put(hooks: readonly Hook[], predecessors: readonly AttachedProvider[] = []): void {
    const leaving = [...predecessors.flatMap((other) => other.#hooks), ...this.#hooks]
    const { queue } = this.#requireOwner()
    queue.room = () => this.#gate.hasRoom
    for (const hook of hooks) hook.place = this.#place
    this.#engine.check(leaving, hooks)
    for (const hook of hooks) hook.inherit(this.#hooks.find((other) => other.point === hook.point))
    this.#engine.exchange(leaving, hooks)
    this.#hooks = hooks
  }
}
