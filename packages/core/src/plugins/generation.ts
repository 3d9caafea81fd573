import type { Broker } from '../broker.ts'
import type { Hook } from '../hooks/hook.ts'
import { within } from '../hooks/within.ts'
import type { Registry } from './registry.ts'
import type { PluginRunner } from './runner.ts'

type State = 'setting up' | 'in force' | 'leaving' | 'gone'

/** Milliseconds. */
export interface PluginPatience {
  /** For setup. */
  readonly setup: number
  /** For calls in flight to end, when the plugin goes. */
  readonly drain: number
  /** For all that the plugin does when it goes. */
  readonly teardown: number
}

/**
 * One plugin as it was loaded once. What it registers while it is set up takes effect when setup has succeeded, all of it in one
 * step; what it registers later takes effect at once. A reload makes another generation, and they change places in one step.
 */
export class Generation {
  readonly name: string
  readonly runner: PluginRunner
  readonly abort = new AbortController()
  readonly #broker: Broker
  readonly #teardown: (() => void | Promise<void>)[] = []
  /** In the order of registration. */
  #items: { readonly registry: Registry<unknown>; readonly item: unknown }[] = []
  /** The generation that this one is to replace: what is registered may be what that one has. */
  readonly #predecessor: Generation | undefined
  #state: State = 'setting up'

  constructor(broker: Broker, name: string, runner: PluginRunner, predecessor: Generation | undefined) {
    this.#broker = broker
    this.name = name
    this.runner = runner
    this.#predecessor = predecessor
  }

  /** Throws when it cannot be registered, or when the plugin is on its way out. */
  register<T>(registry: Registry<T>, item: T): void {
    this.#requirePresent()
    const entry = { registry: registry as Registry<unknown>, item }
    if (this.#state === 'setting up') {
      registry.check(this.#predecessor?.itemsOf(registry) ?? [], [...this.itemsOf(registry), item])
      this.#items.push(entry)
      return
    }
    registry.check([], [item])
    this.#items.push(entry)
    registry.exchange([], [item])
  }

  withdraw<T>(registry: Registry<T>, item: T): void {
    const index = this.#items.findIndex((entry) => entry.item === item)
    if (index === -1) return
    this.#items.splice(index, 1)
    if (this.#state === 'in force') registry.exchange([item], [])
  }

  /** In one step. Throws when the successor cannot be registered. */
  replace<T>(registry: Registry<T>, item: T, successor: T): void {
    this.#requirePresent()
    const index = this.#items.findIndex((entry) => entry.item === item)
    if (index === -1) throw new Error(`plugin '${this.name}' has not registered what is to be replaced`)
    const entry = { registry: registry as Registry<unknown>, item: successor }
    if (this.#state === 'setting up') {
      const others = this.itemsOf(registry).filter((other) => other !== item)
      registry.check(this.#predecessor?.itemsOf(registry) ?? [], [...others, successor])
      this.#items.splice(index, 1, entry)
      return
    }
    registry.check([item], [successor])
    this.#items.splice(index, 1, entry)
    registry.exchange([item], [successor])
  }

  onTeardown(run: () => void | Promise<void>): void {
    this.#requirePresent()
    this.#teardown.push(run)
  }

  itemsOf<T>(registry: Registry<T>): T[] {
    return this.#items.filter((entry) => entry.registry === registry).map(({ item }) => item as T)
  }

  /** Puts all that was registered into force, and takes out what the predecessor has. Throws before anything is changed. */
  commit(): void {
    const before = this.#predecessor
    const registries = new Set([...this.#items, ...(before?.present ?? [])].map(({ registry }) => registry))
    for (const registry of registries) registry.check(before?.itemsOf(registry) ?? [], this.itemsOf(registry))
    for (const registry of registries) registry.exchange(before?.itemsOf(registry) ?? [], this.itemsOf(registry))
    if (before !== undefined) before.#state = 'leaving'
    this.#state = 'in force'
  }

  private get present(): readonly { readonly registry: Registry<unknown> }[] {
    return this.#items
  }

  /** Takes out what is in force, the last first. No event reaches the plugin after this. */
  withdrawAll(): void {
    const inForce = this.#state === 'in force'
    this.#state = 'leaving'
    if (!inForce) return
    for (const registry of new Set(this.#items.map((entry) => entry.registry).reverse())) {
      registry.exchange(this.itemsOf(registry).reverse(), [])
    }
  }

  /**
   * The rest of its life, once nothing new reaches it: lets calls in flight end, tells it by its signal, tears it down, undoes its own teardown steps in
   * reverse. What fails is logged, and the rest goes on.
   */
  async end(patience: PluginPatience): Promise<void> {
    const { hooks, access, log } = this.#broker
    const mine = this.itemsOf(hooks) as Hook[]
    const drained = await within(patience.drain, () =>
      Promise.all([
        hooks.drained(mine),
        access.authenticators.drained(this.itemsOf(access.authenticators)),
        access.authorizers.drained(this.itemsOf(access.authorizers)),
      ]),
    )
    // Each step of a provider's end is bounded. One that is replaced answers until its successor can.
    await Promise.all(this.itemsOf(hooks.providers).map((provider) => provider.left))
    if (!drained) {
      log.warn('calls of the plugin did not end in time; given up', { plugin: this.name, milliseconds: patience.drain })
    }
    for (const hook of mine) hook.gone = true
    this.#state = 'gone'
    this.abort.abort()
    const ended = await within(patience.teardown, async () => {
      for (const step of [() => this.runner.teardown(), ...this.#teardown.reverse()]) {
        try {
          await step()
        } catch (error) {
          log.error('plugin failed while being unloaded', { plugin: this.name, error: describe(error) })
        }
      }
    })
    if (!ended) {
      log.error('plugin did not end its teardown; left behind', { plugin: this.name, milliseconds: patience.teardown })
    }
    this.#items = []
  }

  #requirePresent(): void {
    if (this.#state === 'setting up' || this.#state === 'in force') return
    throw new Error(
      `plugin '${this.name}' is ${this.#state === 'gone' ? 'unloaded' : 'being unloaded'}: nothing can be registered`,
    )
  }
}

export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
