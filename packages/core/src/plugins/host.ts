import type { Plugin } from '@hookmq/api'
import type { Broker } from '../broker.ts'
import { createContext, type PluginConfiguration } from './context.ts'
import { Generation, type PluginPatience } from './generation.ts'
import { inProcess, type PluginRunner } from './runner.ts'

/** How a plugin is loaded: its settings, and where it runs. */
export interface PluginStart extends PluginConfiguration {
  /** Default: in the thread of the broker. */
  readonly runner?: PluginRunner
  /** Makes another runner for the same code: for when this plugin has to be started once more. */
  readonly again?: () => PluginRunner
}

export interface LoadedPlugin {
  readonly plugin: Plugin
  readonly placement: 'in-process' | 'worker'
  /** What is wrong with it while it is loaded. */
  readonly problem?: string
}

interface Loaded {
  readonly plugin: Plugin
  readonly start: PluginStart
  readonly generation: Generation
}

const defaultPatience: PluginPatience = { setup: 30_000, drain: 5000, teardown: 5000 }

/** Loads, reloads and unloads plugins; whatever a plugin registers is taken back when it goes. */
export class PluginHost {
  readonly #broker: Broker
  readonly #loaded = new Map<string, Loaded>()
  /** Names on which something is under way. */
  readonly #busy = new Set<string>()
  /** Who listens to what a plugin of this name says in another process of the broker. */
  readonly #told = new Map<string, Set<(value: unknown) => void>>()
  /** Who answers what a plugin of this name asks in another process; of two generations the later one. */
  readonly #asked = new Map<string, Set<(value: unknown) => unknown>>()
  /** How long plugins may take. */
  patience: PluginPatience = defaultPatience

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** In the order in which they were loaded. */
  list(): LoadedPlugin[] {
    return [...this.#loaded.values()].map(({ plugin, generation: { runner } }) => ({
      plugin,
      placement: runner.placement,
      problem: runner.problem,
    }))
  }

  /** Returns what ends it. */
  onTold(name: string, receive: (value: unknown) => void): () => void {
    const listeners = this.#told.get(name) ?? new Set()
    this.#told.set(name, listeners.add(receive))
    return () => void listeners.delete(receive)
  }

  told(name: string, value: unknown): void {
    for (const receive of this.#told.get(name) ?? []) receive(value)
  }

  /** Returns what ends it. */
  onAsked(name: string, answer: (value: unknown) => unknown): () => void {
    const answerers = this.#asked.get(name) ?? new Set()
    this.#asked.set(name, answerers.add(answer))
    return () => void answerers.delete(answer)
  }

  /** Throws when there is nobody to answer. */
  asked(name: string, value: unknown): unknown {
    const answer = [...(this.#asked.get(name) ?? [])].at(-1)
    if (answer === undefined) throw new Error(`there is no plugin ${name} that answers`)
    return answer(value)
  }

  has(name: string): boolean {
    return this.#loaded.has(name)
  }

  /** Runs `setup`. When it throws or takes too long, what it had registered is taken back and the error is passed on. */
  async load(plugin: Plugin, start: PluginStart = {}): Promise<void> {
    const { name } = plugin
    if (typeof name !== 'string' || name === '') throw new TypeError('a plugin needs a name')
    await this.#alone(name, async () => {
      if (this.#loaded.has(name)) throw new Error(`plugin '${name}' is loaded already`)
      this.#hold({ plugin, start, generation: await this.#begin(plugin, start, undefined) })
    })
    this.#broker.log.info('plugin loaded', { plugin: name, version: plugin.version })
  }

  /**
   * Puts a new generation in the place of the one that is loaded. What the new one registers takes over in one step: each event is handled by the one or
   * the other. The old one finishes what it has begun and is torn down. When the setup of the new one fails, the old one stays as it is.
   */
  async reload(plugin: Plugin, start: PluginStart = {}): Promise<void> {
    const { name } = plugin
    await this.#alone(name, async () => {
      const before = this.#loaded.get(name)
      if (before === undefined) throw new Error(`plugin '${name}' is not loaded`)
      if (plugin.exclusive === true) {
        await this.#restart(before, plugin, start)
        return
      }
      this.#hold({ plugin, start, generation: await this.#begin(plugin, start, before.generation) })
      await before.generation.end(this.patience)
    })
    this.#broker.log.info('plugin reloaded', { plugin: name, version: plugin.version })
  }

  /** false: no such plugin. What fails while it is taken down is logged, and the rest goes on. */
  async unload(name: string): Promise<boolean> {
    if (!this.#loaded.has(name)) return false
    await this.#alone(name, async () => {
      const generation = this.#loaded.get(name)?.generation
      this.#loaded.delete(name)
      if (generation === undefined) return
      generation.withdrawAll()
      await generation.end(this.patience)
      this.#broker.hooks.removeOwner(name)
    })
    this.#broker.log.info('plugin unloaded', { plugin: name })
    return true
  }

  /** Last loaded first. */
  async unloadAll(): Promise<void> {
    for (const name of [...this.#loaded.keys()].reverse()) await this.unload(name)
  }

  /** One after the other. Rejects when the new one fails; the old one is in force again then, if it can be. */
  async #restart(before: Loaded, plugin: Plugin, start: PluginStart): Promise<void> {
    const { name } = plugin
    before.generation.withdrawAll()
    await before.generation.end(this.patience)
    try {
      this.#hold({ plugin, start, generation: await this.#begin(plugin, start, undefined) })
    } catch (error) {
      this.#loaded.delete(name)
      const again = { ...before.start, runner: before.start.again?.() }
      this.#hold({ ...before, generation: await this.#begin(before.plugin, again, undefined) })
      throw error
    }
  }

  /** It is in force. */
  #hold(loaded: Loaded): void {
    this.#loaded.set(loaded.plugin.name, loaded)
    loaded.generation.runner.supervise?.((successor) => this.#replace(loaded, successor))
  }

  /** Puts a new generation of the same code and settings in the place of one whose runner has ended by itself. */
  async #replace(before: Loaded, runner: PluginRunner): Promise<void> {
    const { plugin, start, generation } = before
    await this.#alone(plugin.name, async () => {
      if (this.#loaded.get(plugin.name)?.generation !== generation) return
      this.#hold({ ...before, generation: await this.#begin(plugin, { ...start, runner }, generation) })
      await generation.end(this.patience)
    })
    this.#broker.log.warn('plugin started again after it had ended by itself', { plugin: plugin.name })
  }

  /** One generation, set up and in force; or none, and the reason. */
  async #begin(plugin: Plugin, start: PluginStart, predecessor: Generation | undefined): Promise<Generation> {
    const { name } = plugin
    const elsewhere = plugin.workers === 'leader' && this.#broker.peers?.cluster.leads === false
    const runner = elsewhere ? inProcess({ ...plugin, setup() {} }) : (start.runner ?? inProcess(plugin))
    const generation = new Generation(this.#broker, name, runner, predecessor)
    try {
      const context = createContext(this.#broker, plugin, generation, start)
      await withinSetup(async () => runner.setup(context), this.patience.setup)
      generation.commit()
      return generation
    } catch (error) {
      generation.withdrawAll()
      await generation.end(this.patience)
      if (predecessor === undefined) this.#broker.hooks.removeOwner(name)
      throw error
    }
  }

  /** Two things at a time on one plugin would undo each other's work; the second is refused, because waiting could be for itself. */
  async #alone(name: string, work: () => Promise<void>): Promise<void> {
    if (this.#busy.has(name)) throw new PluginBusyError(name)
    this.#busy.add(name)
    try {
      await work()
    } finally {
      this.#busy.delete(name)
    }
  }
}

/** Something is under way on this plugin already. */
export class PluginBusyError extends Error {
  constructor(name: string) {
    super(`plugin '${name}' is being loaded, reloaded or unloaded at this moment; try again when that is over`)
    this.name = 'PluginBusyError'
  }
}

/** The setup did not end in time. */
export class PluginSetupTimeout extends Error {
  constructor(milliseconds: number) {
    super(
      `setup did not end within ${milliseconds / 1000} s; what it registers takes effect when it ends, so it must not wait for that`,
    )
    this.name = 'PluginSetupTimeout'
  }
}

async function withinSetup(work: () => Promise<void>, milliseconds: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new PluginSetupTimeout(milliseconds)), milliseconds)
  try {
    await Promise.race([work(), promise])
  } finally {
    clearTimeout(timer)
  }
}
