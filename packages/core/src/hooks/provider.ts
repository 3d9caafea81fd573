import {
  type HookPointName,
  type HookProvider,
  type HookProviderPolicy,
  HookRegistrationError,
  type HookSpec,
  hookPointTable,
  type Logger,
  resolveHookPoint,
} from '@hookmq/api'
import type { HookEngine } from './engine.ts'
import { denyingPoints } from './failed-action.ts'
import { type AnyHandler, Hook, type HookOwner, type HookSettings } from './hook.ts'
import { describeError } from './notification-queue.ts'
import { takesTopics } from './options.ts'
import { filterProblem } from './topics.ts'
import { within } from './within.ts'

const defaultPolicy = { timeout: 5000, failedAction: 'deny', priority: 100 } as const

export type ProviderStatus = 'loading' | 'loaded' | 'failed' | 'detached'

export interface ProviderCounters {
  readonly calls: number
  readonly failures: number
  readonly timeouts: number
  /** Notifications that wait, are being handled, and were dropped because the queue was full. */
  readonly queued: number
  readonly inFlight: number
  readonly dropped: number
}

/** A provider in its policy layer: timeout, failed action, bounded queue, order per client. */
export class AttachedProvider {
  readonly provider: HookProvider
  readonly #policy: HookProviderPolicy & { readonly timeout: number }
  readonly #owner: HookOwner
  readonly #engine: HookEngine
  readonly #log: Logger
  #hooks: readonly Hook[] = []
  #status: ProviderStatus = 'loading'
  #error: unknown
  #everLoaded = false
  #past = { calls: 0, failures: 0, timeouts: 0 }

  constructor(
    provider: HookProvider,
    policy: HookProviderPolicy,
    owner: HookOwner,
    engine: HookEngine,
    options: { readonly log: Logger },
  ) {
    this.provider = provider
    this.#policy = { ...policy, timeout: policy.timeout ?? defaultPolicy.timeout }
    this.#owner = owner
    this.#engine = engine
    this.#log = options.log
    // In force from the first moment: who has never answered cannot be asked, and 'deny' means that nothing passes unasked.
    if (this.#failedAction === 'deny') this.#replace(denyingPoints.map((point) => this.#guard(point)))
  }

  get name(): string {
    return this.provider.name
  }

  get status(): ProviderStatus {
    return this.#status
  }

  /** Why the last load failed. */
  get error(): unknown {
    return this.#error
  }

  /** The points that it is asked on or told about, in the order of its answer to load. */
  get points(): HookPointName[] {
    return this.#everLoaded ? this.#hooks.map((hook) => hook.point) : []
  }

  get counters(): ProviderCounters {
    const sum = (field: 'calls' | 'failures' | 'timeouts') =>
      this.#hooks.reduce((total, hook) => total + hook[field], this.#past[field])
    const { queued, inFlight, dropped } = this.#owner.queue
    return { calls: sum('calls'), failures: sum('failures'), timeouts: sum('timeouts'), queued, inFlight, dropped }
  }

  /**
   * Loads (again) and replaces its hooks. true: done. false: `error` says why; the hooks of an earlier load stay in force, and before the first one
   * failedAction 'deny' goes on refusing.
   */
  async reload(): Promise<boolean> {
    if (this.#status === 'detached') return false
    this.#status = 'loading'
    try {
      const hooks = this.#fromSpecs(await this.provider.load())
      if (this.#isDetached()) {
        await this.provider.unload()
        return false
      }
      this.#replace(hooks)
      this.#everLoaded = true
      this.#error = undefined
      this.#status = 'loaded'
      return true
    } catch (error) {
      if (this.#isDetached()) return false
      this.#error = error
      this.#status = 'failed'
      this.#log.error('hook provider could not be loaded', {
        provider: this.name,
        failedAction: this.#failedAction,
        ...describeError(error),
      })
      return false
    }
  }

  /**
   * Takes its hooks out, lets calls in flight and queued notifications end for as long as the provider's timeout, then unloads it. Runs that
   * meet it after that pass it by.
   */
  async detach(): Promise<void> {
    if (this.#status === 'detached') return
    this.#status = 'detached'
    const hooks = this.#hooks
    this.#engine.remove(hooks)
    const patience = this.#policy.timeout || defaultPolicy.timeout
    await within(patience, () => Promise.all([this.#owner.queue.whenIdle(), this.#engine.settled(hooks)]))
    for (const hook of hooks) hook.gone = true
    this.#engine.removeOwner(this.name)
    if (!this.#everLoaded) return
    await within(patience, () =>
      this.provider.unload().catch((error: unknown) => {
        this.#log.warn('hook provider failed to unload', { provider: this.name, ...describeError(error) })
      }),
    )
  }

  /** A method, because the status changes while `reload` waits. */
  #isDetached(): boolean {
    return this.#status === 'detached'
  }

  get #failedAction(): 'deny' | 'ignore' {
    return this.#policy.failedAction ?? defaultPolicy.failedAction
  }

  #replace(hooks: readonly Hook[]): void {
    for (const hook of this.#hooks) {
      this.#past.calls += hook.calls
      this.#past.failures += hook.failures
      this.#past.timeouts += hook.timeouts
    }
    this.#engine.check(this.#hooks, hooks)
    this.#engine.exchange(this.#hooks, hooks)
    this.#hooks = hooks
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
      : (args, accumulator, signal) => provider.call(point, args as never, accumulator as never, signal as AbortSignal)
    return new Hook(this.#settings(point, takesTopics(point) ? topics : undefined, observe, !tells), handler)
  }

  /** Stands in for a provider that has not been loaded yet: each call is a failure of it. */
  #guard(point: HookPointName): Hook {
    return new Hook(this.#settings(point, undefined, false, false), () => {
      throw new Error(`hook provider '${this.name}' has not been loaded yet`)
    })
  }

  #settings(
    point: HookPointName,
    topics: readonly string[] | undefined,
    observe: boolean,
    wantsSignal: boolean,
  ): HookSettings {
    return {
      point,
      owner: this.#owner,
      name: point,
      priority: this.#policy.priority ?? defaultPolicy.priority,
      phase: 'mutate',
      topics,
      timeout: this.#policy.timeout,
      failedAction: this.#failedAction,
      answersForTopic: false,
      observe,
      wantsSignal,
    }
  }
}
