import { definePlugin } from '@hookmq/api'
import { ReloadLog } from './log.ts'
import { Watcher } from './watcher.ts'

export default definePlugin({
  name: 'reloader',
  version: '0.1.0',
  api: '^0.1.0',
  description: 'Reloader Plugin',
  // It has the broker reload, which does so in all of its processes.
  workers: 'leader',
  aliases: ['emq_reloader', 'emqx_reloader'],
  config: {
    'reloader.interval': {
      type: 'duration',
      unit: 's',
      default: '60s',
      description: 'How often changed plugins are looked for, whether they are watched or not; 0 = never.',
    },
    'reloader.watch': {
      type: 'flag',
      default: 'on',
      description: 'Load a plugin again soon after its files were saved.',
    },
    'reloader.watch_interval': {
      type: 'duration',
      default: '500ms',
      minimum: 10,
      maximum: 60_000,
      description: 'How often saved files are looked for, and how long they are left alone after they were seen.',
    },
    'reloader.max_reloads': {
      type: 'integer',
      default: '1000',
      minimum: 1,
      description: 'Reloads by itself until the broker is started again: each of them leaves the old code in memory.',
    },
    'reloader.logfile': { type: 'path', default: 'log/reloader.log', description: 'What was reloaded, one line each.' },
  },

  setup(ctx) {
    const { settings, admin } = ctx
    const file = new ReloadLog(settings.text('reloader.logfile'), (problem) =>
      ctx.log.warn('the log of reloads cannot be written', { problem }),
    )
    /** Resolves to the line that says how it went. */
    const reload = async (name: string): Promise<{ ok: boolean; line: string }> => {
      const outcome = await admin.reloadPlugin(name)
      const line = outcome.ok
        ? `Reload module ${name} successfully.`
        : `Failed to reload module ${name}: ${outcome.error.replace(/\.$/, '')}.`
      // Whoever unloads the plugin may clear its files away; what it has done to itself is still told.
      if (!ctx.signal.aborted || name === ctx.name) await file.write(new Date(ctx.now()), line)
      if (!outcome.ok) ctx.log.warn(line)
      return { ok: outcome.ok, line }
    }

    ctx.onTeardown(() => file.written())

    const interval = settings.duration('reloader.interval')
    const watchInterval = settings.duration('reloader.watch_interval')
    const watcher = new Watcher({
      changed: () => admin.changedPlugins(),
      reload: async (name) => (await reload(name)).ok,
      now: () => ctx.now(),
      settle: watchInterval,
      // As often as without watching, and not more.
      longestPause: Math.max(interval, 60_000),
      maxReloads: settings.number('reloader.max_reloads'),
      exhausted: (count) =>
        ctx.log.warn(`${count} reloads are enough: changed plugins are left alone until the broker is started again`),
    })
    if (settings.flag('reloader.watch')) ctx.every(watchInterval, () => watcher.look())
    if (interval > 0) ctx.every(interval, () => watcher.sweep())

    ctx.command({
      name: 'reload',
      usage: [['reload <Module>', 'Load the code and the settings of a plugin again']],
      async run(args) {
        if (args.length !== 1) return undefined
        const { ok, line } = await reload(args[0])
        return { lines: [line], json: { ok, module: args[0] } }
      },
    })
  },
})
