import { type HookProvider, type HookProviderPolicy, HookRegistrationError, type Logger } from '@hookmq/api'
import type { Registry } from '../plugins/registry.ts'
import type { HookEngine } from './engine.ts'
import type { HookOwner } from './hook.ts'
import { AttachedProvider } from './provider.ts'

/** Through whom a provider is registered: it can be taken out and replaced only there. */
export interface Registrar {
  withdraw<T>(registry: Registry<T>, item: T): void
  replace<T>(registry: Registry<T>, item: T, successor: T): void
}

/** All providers of hooks that are attached, by name. One that comes in the place of another takes over its queue, so that order is kept. */
export class Providers implements Registry<AttachedProvider> {
  readonly #engine: HookEngine
  readonly #log: Logger
  readonly #items = new Set<AttachedProvider>()
  /** How many providers use an owner: one that is leaving and its successor at most share it. */
  readonly #owners = new Map<HookOwner, number>()

  /** For providers that no plugin has registered. */
  readonly #direct: Registrar = {
    withdraw: (registry, item) => registry.exchange([item], []),
    replace(registry, item, successor) {
      registry.check([item], [successor])
      registry.exchange([item], [successor])
    },
  }

  constructor(engine: HookEngine, log: Logger) {
    this.#engine = engine
    this.#log = log
  }

  /** Throws `HookRegistrationError` 'invalid_options'. Nothing happens before it is exchanged in. */
  make(provider: HookProvider, policy: HookProviderPolicy, registrar: Registrar = this.#direct): AttachedProvider {
    return new AttachedProvider(provider, policy, { engine: this.#engine, providers: this, registrar, log: this.#log })
  }

  list(): AttachedProvider[] {
    return [...this.#items]
  }

  check(leaving: readonly AttachedProvider[], coming: readonly AttachedProvider[]): void {
    const names = new Set([...this.#items].filter((item) => !leaving.includes(item)).map(({ name }) => name))
    for (const { name } of coming) {
      if (typeof name !== 'string' || name === '')
        throw new HookRegistrationError('invalid_options', 'a hook provider needs a name')
      const owner = this.#engine.findOwner(name)
      if (names.has(name) || (owner !== undefined && !this.#owners.has(owner)))
        throw new HookRegistrationError('already_exists', `there already are hooks of '${name}'`)
      names.add(name)
    }
  }

  exchange(leaving: readonly AttachedProvider[], coming: readonly AttachedProvider[]): void {
    for (const item of leaving) this.#items.delete(item)
    for (const item of coming) {
      this.#items.add(item)
      const owner = this.#engine.ownerOf(item.name, item.policy)
      this.#owners.set(owner, (this.#owners.get(owner) ?? 0) + 1)
      item.begin(
        owner,
        leaving.find((other) => other.name === item.name),
      )
    }
    for (const item of leaving) if (!coming.some(({ name }) => name === item.name)) void item.leave()
  }

  /** One provider less uses it. */
  release(owner: HookOwner): void {
    const users = (this.#owners.get(owner) ?? 1) - 1
    if (users > 0) {
      this.#owners.set(owner, users)
      return
    }
    this.#owners.delete(owner)
    this.#engine.removeOwner(owner.name)
  }

  /** Resolves when the first load of each has ended, after `timeout` milliseconds at the latest. */
  async ready(timeout: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, timeout)
    void Promise.all([...this.#items].map((item) => item.ready)).then(() => resolve())
    await promise
    clearTimeout(timer)
  }
}
