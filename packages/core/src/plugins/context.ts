import type { Counter, Plugin, PluginContext, PluginSettings, Term } from '@hookmq/api'
import { topicFilterError } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import { isStatName } from '../metrics/index.ts'
import { describe, type Generation } from './generation.ts'
import { type Switch, switches } from './registry.ts'

/** The settings of a plugin as they were read for it. */
export interface PluginConfiguration {
  readonly config?: Readonly<Record<string, string>>
  readonly terms?: Readonly<Record<string, Term>>
}

/** What a plugin sees of the broker. Everything in it that registers something registers it with the generation. */
export function createContext(
  broker: Broker,
  plugin: Plugin,
  generation: Generation,
  { config = {}, terms = {} }: PluginConfiguration,
): PluginContext {
  const { name } = plugin
  const { hooks, access, registrations, link, clock } = broker
  const log = broker.log.child({ plugin: name })
  const guarded = (what: string, run: () => unknown) => () => {
    const failed = (error: unknown): void => log.error(`${what} threw`, { error: describe(error) })
    try {
      const result = run()
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
  const turnOn = (item: Switch): (() => void) => {
    generation.register(switches, item)
    return () => generation.withdraw(switches, item)
  }
  let settings: PluginSettings | undefined
  return {
    name,
    log,
    config,
    terms,
    get settings() {
      settings ??= broker.settingsOf(plugin, { config, terms })
      return settings
    },
    members: {
      count: broker.peers?.cluster.names.length ?? 1,
      name: broker.peers?.cluster.name ?? '',
      leads: broker.peers?.cluster.leads ?? true,
      owns: (key) => broker.peers === undefined || broker.peers.cluster.owner(key) === broker.peers.cluster.name,
      tell: (value) => broker.peers?.cluster.tell('plugin', { plugin: name, value }),
      onTold(receive) {
        turnOn({
          on: () =>
            broker.plugins.onTold(name, (value) => guarded('what another process told', () => receive(value))()),
        })
      },
      ask: (value) => broker.peers?.whole.askPlugin(name, value) ?? Promise.resolve([]),
      onAsked: (answer) => void turnOn({ on: () => broker.plugins.onAsked(name, answer) }),
    },
    signal: generation.abort.signal,
    broker: {
      ...link,
      publish: (message) => link.publish({ from: name, ...message }),
      subscribe(filter, receive, options) {
        const fault = topicFilterError(filter)
        if (fault !== undefined) throw new TypeError(`subscribe: ${fault.message}`)
        return turnOn({ on: () => link.subscribe(filter, receive, options) })
      },
    },
    admin: broker.admin,
    get store() {
      return broker.storeOf(name)
    },
    hook(point, handler, options = {}) {
      const hook = hooks.make(point, handler, { ...options, owner: name })
      generation.register(hooks, hook)
      return { point: hook.point, name: hook.name, remove: () => generation.withdraw(hooks, hook) }
    },
    provider(provider, policy = {}) {
      const attached = hooks.providers.make(provider, policy, generation)
      generation.register(hooks.providers, attached)
      return attached
    },
    authenticator: (module, sequence = 0) => generation.register(access.authenticators, { module, sequence }),
    authorizer: (module, sequence = 0) => generation.register(access.authorizers, { module, sequence }),
    counter: (counter: string): Counter => broker.metrics.pluginCounter(name, counter),
    retained: (policy) => turnOn({ on: () => broker.retained.govern(policy) }),
    gauge(gauge, read) {
      if (!isStatName(gauge))
        throw new TypeError(`there is no statistic '${gauge}'; docs/reference/metrics.md lists them`)
      turnOn({ on: () => broker.stats.provide(gauge, read) })
    },
    command: (command) => generation.register(registrations.commandRegistry, command),
    route: (route) => generation.register(registrations.routeRegistry, route),
    now: () => clock.now(),
    every: (interval, run) => void turnOn({ on: () => clock.every(interval, guarded('a timer', run)) }),
    after(delay, run) {
      const tick = guarded('a timer', run)
      const item: Switch = {
        on: () =>
          clock.after(delay, () => {
            // What has run is forgotten, so that a plugin that sets timer after timer does not grow.
            generation.withdraw(switches, item)
            tick()
          }),
      }
      turnOn(item)
    },
    onTeardown: (run) => generation.onTeardown(run),
  }
}
