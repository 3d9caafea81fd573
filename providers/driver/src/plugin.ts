import { definePlugin } from '@hookmq/api'
import { driversCommand } from './command.ts'
import { Drivers } from './drivers.ts'
import { keys, readDrivers } from './settings.ts'

export default definePlugin({
  name: 'extension-hook',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emqx_extension_hook'],
  description: 'Hooks in Python or Java, in a child process',
  config: keys,
  async setup(ctx) {
    const drivers = new Drivers(ctx, readDrivers(ctx.settings))
    ctx.command(driversCommand(drivers))
    ctx.members.onAsked((value) => drivers.asked(value as Parameters<Drivers['asked']>[0]))
    ctx.onTeardown(() => drivers.stopWatching())
    await drivers.startAll()
  },
})
