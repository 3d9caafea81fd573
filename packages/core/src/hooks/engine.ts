import {
  type HookHandle,
  type HookHandler,
  type HookOptions,
  type HookPointName,
  type HookProvider,
  type HookProviderPolicy,
  HookRegistrationError,
  hookPointNames,
  hookPointTable,
  type Logger,
  resolveHookPoint,
} from '@hookmq/api'
import type { Registry } from '../plugins/registry.ts'
import { Chain } from './chain.ts'
import { type ChainDescription, describeChain } from './describe.ts'
import { type AnyHandler, Hook, type HookEvent, type HookOwner } from './hook.ts'
import { clientKey, NotificationQueue } from './notification-queue.ts'
import { checkedSettings } from './options.ts'
import { PendingCalls } from './pending.ts'
import type { AttachedProvider } from './provider.ts'
import { Providers } from './providers.ts'
import { within } from './within.ts'

export interface HookEngineOptions {
  readonly log: Logger
  /** Milliseconds that an asynchronous answer may take, for hooks that name no timeout; 0 = no limit. */
  readonly timeout: number
  /** Notifications that may wait for one owner. */
  readonly queueLimit: number
  readonly queueDrop: 'oldest' | 'newest'
  /** Hears of what the metrics count. */
  readonly count?: (event: HookEvent) => void
  /** Hooks were added to this point or taken out. */
  readonly changed?: (point: HookPointName) => void
  /** Milliseconds on a clock that never goes back. Default: performance.now. */
  readonly now?: () => number
}

/** One call that has not been answered yet. */
export interface WaitingCall {
  readonly owner: string
  readonly hook: string
  readonly point: HookPointName
  readonly clientId?: string
  /** Milliseconds since the epoch. */
  readonly since: number
}

function inOrder(one: Hook, other: Hook): number {
  return other.priority - one.priority || one.place - other.place || one.order - other.order
}

interface QueuePolicy {
  readonly queueLimit?: number | undefined
  readonly queueDrop?: 'oldest' | 'newest' | undefined
}

/** All chains, and everything that is registered in them. */
export class HookEngine implements Registry<Hook> {
  readonly #options: HookEngineOptions
  readonly #calls: PendingCalls
  readonly #chains = new Map<HookPointName, Chain<HookPointName>>()
  readonly #owners = new Map<string, HookOwner>()
  readonly providers: Providers
  #order = 0

  constructor(options: HookEngineOptions) {
    this.#options = options
    this.providers = new Providers(this, options.log)
    this.#calls = new PendingCalls(options.now ?? (() => performance.now()))
    for (const point of hookPointNames) this.#chains.set(point, new Chain(point, options.log, this.#calls))
  }

  /** The same object for as long as the engine lives: keep it in a field. */
  chain<P extends HookPointName>(point: P): Chain<P> {
    const chain = this.#chains.get(point)
    if (chain === undefined) throw new HookRegistrationError('invalid_hookpoint', `there is no hook point '${point}'`)
    return chain as unknown as Chain<P>
  }

  /**
   * Registers a hook for a plugin (`owner`), or for the broker itself ('core'). Throws `HookRegistrationError`: 'invalid_hookpoint', 'already_exists'
   * (the same handler on the same point), 'invalid_options'.
   */
  add<P extends HookPointName>(
    point: P,
    handler: HookHandler<P>,
    options: HookOptions & { readonly owner: string },
  ): HookHandle {
    const hook = this.make(point, handler, options)
    this.insert([hook])
    return { point: hook.point, name: hook.name, remove: () => this.remove([hook]) }
  }

  /** A hook that is not registered yet. Throws as `add` does, but for 'already_exists'. */
  make<P extends HookPointName>(
    point: P,
    handler: HookHandler<P>,
    options: HookOptions & { readonly owner: string },
  ): Hook {
    const { owner, ...rest } = options
    const resolved = resolveHookPoint(point)
    const settings = checkedSettings(resolved, handler, rest, this.ownerOf(owner, {}), this.#options.timeout)
    return new Hook(settings, handler as AnyHandler)
  }

  /** Adds several hooks; none of them when one is there already. */
  insert(hooks: readonly Hook[]): void {
    this.check([], hooks)
    this.exchange([], hooks)
  }

  remove(hooks: readonly Hook[]): void {
    this.exchange(hooks, [])
  }

  check(leaving: readonly Hook[], coming: readonly Hook[]): void {
    for (const [index, hook] of coming.entries()) {
      const same = [...this.chain(hook.point).hooks(), ...coming.slice(0, index)].find(
        (other) => other.identity === hook.identity && other.point === hook.point && !leaving.includes(other),
      )
      if (same !== undefined)
        throw new HookRegistrationError(
          'already_exists',
          `this handler is already on ${hook.point}, as '${same.name}' of ${same.owner.name}; remove it first`,
        )
    }
  }

  /**
   * Takes hooks out and puts others in, in one step: an event meets the ones or the others, and runs in progress finish with those that they
   * began with. On each point the first that comes takes the place of the first that leaves, and so on.
   */
  exchange(leaving: readonly Hook[], coming: readonly Hook[]): void {
    const removed = new Set(leaving)
    const points = new Set([...leaving, ...coming].map((hook) => hook.point))
    for (const point of points) {
      const places = leaving.filter((hook) => hook.point === point).sort((a, b) => a.order - b.order)
      const added = coming.filter((hook) => hook.point === point)
      for (const hook of added) hook.order = places.shift()?.order ?? ++this.#order
      const chain = this.chain(point)
      const kept = chain.hooks().filter((hook) => !removed.has(hook))
      chain.replace([...kept, ...added].sort(inOrder))
      this.#options.changed?.(point)
    }
  }

  /** The place of these hooks has changed. */
  sort(hooks: readonly Hook[]): void {
    for (const point of new Set(hooks.map((hook) => hook.point))) {
      const chain = this.chain(point)
      chain.replace(chain.hooks().sort(inOrder))
      this.#options.changed?.(point)
    }
  }

  /**
   * Loads a provider and registers what it asks for. Rejects with `HookRegistrationError` when the name is taken or the policy makes no sense; when
   * loading fails the answer has status 'failed' and the reason.
   */
  async attach(provider: HookProvider, policy: HookProviderPolicy = {}): Promise<AttachedProvider> {
    const attached = this.providers.make(provider, policy)
    this.providers.check([], [attached])
    this.providers.exchange([], [attached])
    await attached.ready
    return attached
  }

  /**
   * Resolves when these hooks, which have been taken out, will not be called any more: calls in flight, notifications that wait for them, and runs
   * that began when they were still in, unless `runs` is false.
   */
  async drained(hooks: readonly Hook[], runs = true): Promise<void> {
    const leaving = new Set(hooks)
    const owners = new Set(hooks.map((hook) => hook.owner))
    for (;;) {
      const points = new Set(
        [...new Set(hooks.map(({ point }) => point))].filter((point) => runs && this.chain(point).awaits(leaving)),
      )
      const queued = hooks.some((hook) => hook.queued > 0)
      const calls = [...this.#calls].filter(
        ({ hook }) => leaving.has(hook) || points.has(hook.point) || (queued && owners.has(hook.owner)),
      )
      if (calls.length === 0) return
      await Promise.race(calls.map((call) => call.whenSettled()))
    }
  }

  /** Takes out all hooks of a plugin. What waits in its queue is forgotten. */
  removeOwner(owner: string): void {
    const found = this.#owners.get(owner)
    if (found === undefined) return
    for (const chain of this.#chains.values()) this.remove(chain.hooks().filter((hook) => hook.owner === found))
    found.queue.clear()
    this.#owners.delete(owner)
  }

  /** Every chain, its hooks in the order in which they run. */
  describe(): ChainDescription[] {
    return [...this.#chains.values()].map((chain) => describeChain(chain, hookPointTable[chain.point].kind))
  }

  /** The calls that have not been answered, longest waiting first. */
  waiting(): WaitingCall[] {
    const wallClock = Date.now()
    return [...this.#calls]
      .map((call) => ({
        owner: call.hook.owner.name,
        hook: call.hook.name,
        point: call.hook.point,
        clientId: clientKey(call.args) || undefined,
        since: Math.round(wallClock - this.#calls.elapsed(call)),
      }))
      .sort((a, b) => a.since - b.since)
  }

  /** Resolves when all notifications have been handled, after `timeout` milliseconds at the latest. true: all were. */
  async idle(timeout = 5000): Promise<boolean> {
    const queues = [...this.#owners.values()].map(({ queue }) => queue)
    if (queues.every((queue) => queue.idle)) return true
    return within(timeout, async () => {
      // What one owner does may tell another: look again until all of them are idle at the same time.
      while (queues.some((queue) => !queue.idle)) await Promise.all(queues.map((queue) => queue.whenIdle()))
    })
  }

  /**
   * Gives up what is still running: queued notifications are forgotten, calls in flight end as cancelled and their providers see it. Without this, a
   * call that is never answered keeps the process alive until its timeout.
   */
  close(): void {
    for (const { queue } of this.#owners.values()) queue.clear()
    this.#calls.cancelAll()
  }

  findOwner(name: string): HookOwner | undefined {
    return this.#owners.get(name)
  }

  /** Made when there is none of that name. */
  ownerOf(name: string, policy: QueuePolicy): HookOwner {
    const known = this.#owners.get(name)
    if (known !== undefined) {
      known.queue.limit = policy.queueLimit ?? known.queue.limit
      known.queue.drop = policy.queueDrop ?? known.queue.drop
      return known
    }
    const count = this.#options.count ?? (() => {})
    const queue = new NotificationQueue(
      {
        owner: name,
        log: this.#options.log,
        limit: policy.queueLimit ?? this.#options.queueLimit,
        drop: policy.queueDrop ?? this.#options.queueDrop,
      },
      this.#calls,
    )
    const owner: HookOwner = { name, queue, count }
    this.#owners.set(name, owner)
    return owner
  }
}
