import type { Plugin, PluginContext } from '@hookmq/api'
import type { Broker } from '@hookmq/core'

/** A plugin of so many lines of setup. */
export function plugin(
  name: string,
  setup: (ctx: PluginContext) => void | Promise<void>,
  rest: Partial<Plugin> = {},
): Plugin {
  return { name, setup, ...rest }
}

/** All that plugins can leave behind in a broker, as numbers. */
export function traces(broker: Broker): Record<string, number> {
  return {
    hooks: broker.hooks.describe().reduce((sum, chain) => sum + chain.hooks.length, 0),
    authenticators: broker.access.authenticators.entries.length,
    authorizers: broker.access.authorizers.entries.length,
    commands: broker.registrations.commands.length,
    routes: broker.registrations.routes.length,
    subscriptions: broker.router.subscriptionCount,
    plugins: broker.plugins.list().length,
  }
}
