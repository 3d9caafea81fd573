import type { Counter, Plugin, PluginContext } from '@hookmq/api'
import type { Broker } from '../broker.ts'

interface Loaded {
  readonly plugin: Plugin
  readonly undo: (() => void | Promise<void>)[]
  readonly abort: AbortController
}

/** Loads and unloads plugins; whatever a plugin registers is taken back when it goes, in reverse order. */
export class PluginHost {
  readonly #broker: Broker
  readonly #loaded = new Map<string, Loaded>()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  list(): Plugin[] {
    return [...this.#loaded.values()].map(({ plugin }) => plugin)
  }

  /** Runs `setup`. When it throws, what it had registered is taken back and the error is passed on. */
  async load(plugin: Plugin, config: Readonly<Record<string, string>> = {}): Promise<void> {
    const { name } = plugin
    if (typeof name !== 'string' || name === '') throw new TypeError('a plugin needs a name')
    if (this.#loaded.has(name)) throw new Error(`plugin '${name}' is loaded already`)
    const loaded: Loaded = { plugin, undo: [], abort: new AbortController() }
    this.#loaded.set(name, loaded)
    try {
      await plugin.setup(this.#context(loaded, config))
    } catch (error) {
      await this.unload(name)
      throw error
    }
    this.#broker.log.info('plugin loaded', { plugin: name, version: plugin.version })
  }

  /** false: no such plugin. What fails while it is taken down is logged, and the rest goes on. */
  async unload(name: string): Promise<boolean> {
    const loaded = this.#loaded.get(name)
    if (loaded === undefined) return false
    this.#loaded.delete(name)
    this.#broker.hooks.removeOwner(name)
    loaded.abort.abort()
    for (const undo of loaded.undo.reverse()) {
      try {
        await undo()
      } catch (error) {
        this.#broker.log.error('plugin failed while being unloaded', { plugin: name, error: describe(error) })
      }
    }
    return true
  }

  /** Last loaded first. */
  async unloadAll(): Promise<void> {
    for (const name of [...this.#loaded.keys()].reverse()) await this.unload(name)
  }

  #context(loaded: Loaded, config: Readonly<Record<string, string>>): PluginContext {
    const broker = this.#broker
    const { name } = loaded.plugin
    const { undo, abort } = loaded
    const log = broker.log.child({ plugin: name })
    const guarded = (what: string, run: () => void) => () => {
      try {
        run()
      } catch (error) {
        log.error(`${what} threw`, { error: describe(error) })
      }
    }
    return {
      name,
      log,
      config,
      signal: abort.signal,
      broker: {
        ...broker.link,
        publish: (message) => broker.link.publish({ from: name, ...message }),
        subscribe(filter, receive, options) {
          const cancel = broker.link.subscribe(filter, receive, options)
          undo.push(cancel)
          return cancel
        },
      },
      admin: broker.admin,
      get store() {
        return broker.storeOf(name)
      },
      command: (command) => void undo.push(broker.registrations.addCommand(command)),
      route: (route) => void undo.push(broker.registrations.addRoute(route)),
      hook: (point, handler, options = {}) => broker.hooks.add(point, handler, { ...options, owner: name }),
      authenticator: (authenticator, sequence) =>
        void undo.push(broker.access.addAuthenticator(authenticator, sequence)),
      authorizer: (authorizer, sequence) => void undo.push(broker.access.addAuthorizer(authorizer, sequence)),
      counter: (counter: string): Counter => broker.metrics.pluginCounter(name, counter),
      every: (interval, run) => void undo.push(broker.clock.every(interval, guarded('a timer', run))),
      after: (delay, run) => void undo.push(broker.clock.after(delay, guarded('a timer', run))),
      onTeardown: (run) => void undo.push(run),
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
