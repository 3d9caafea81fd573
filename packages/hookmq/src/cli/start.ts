import { type Command, Option } from 'commander'
import type { SettingFlags } from '../config/read.ts'
import { messageOf } from '../errors.ts'
import { logLevels } from '../log/levels.ts'
import type { AdjustableLogger } from '../log/logger.ts'
import type { StartSettings } from './assemble.ts'
import { collectExHook, type ExHookFlag, exhookSettings } from './exhook-option.ts'
import { inlineMore } from './inline-more.ts'

interface StartFlags extends SettingFlags {
  plugin: string[]
  exhook: ExHookFlag[]
  watch?: boolean
  workers?: string
}

const examples = `
Examples:
  hookmq start                                              MQTT on 127.0.0.1:1883, WebSocket on 127.0.0.1:8083
  hookmq start --plugin ./my-plugin.ts                      a hook of your own, in TypeScript, from anywhere on disk
  hookmq start --plugin ./my-plugin --watch                 reloads the plugin each time one of its files is saved
  hookmq start --exhook http://127.0.0.1:9000               asks an ExHook server, such as the one that EMQX asks today
  hookmq start --set listener.tcp.external=127.0.0.1:0      a free port; the 'listening' line names it
  hookmq start --set listener.tcp.external=0.0.0.0:1883 --set allow_anonymous=true
                                                            open to other machines: only with an authentication
                                                            plugin, or with these words
  hookmq start --workers 4                                  four processes that behave as one broker, for more cores
  hookmq start --config /etc/hookmq/hookmq.conf --data-dir /var/lib/hookmq
  HOOKMQ_MQTT__MAX_PACKET_SIZE=64KB hookmq start            settings from the environment

A first hook, my-plugin.ts:
  export default {
    name: 'shout',
    setup(ctx) {
      ctx.hook('message.publish', (args, message) => {
        return { ok: { ...message, payload: Buffer.from(message.payload).toString().toUpperCase() } }
      })
    },
  }

Output: one line 'listening NAME on ADDRESS' per listener, then a line that begins with 'ready', on standard output; the
log on standard error. Exit code: 0 when stopped by a signal, 1 when it could not start.

Signals: SIGTERM, SIGINT stop (a second one: at once); SIGHUP reads certificates and the access rules again; SIGUSR2 turns
debug messages on and off.`

export function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

/** The options that say which settings there are, for `start` and `check-config`. */
export function addSettingOptions(command: Command): Command {
  return command
    .helpOption('--help', 'show this help')
    .option('-c, --config <file>', 'configuration file (default: etc/hookmq.conf)')
    .option('-s, --set <key=value>', 'a setting that wins over the file; may be repeated', collect, [])
    .option('-d, --data-dir <folder>', 'folder for everything that the broker keeps (node.data_dir)')
}

export function addStart(program: Command): void {
  addSettingOptions(program.command('start'))
    .description('start the broker; it runs until it is told to stop')
    .option('-p, --plugin <file>', 'a module or folder with a plugin; may be repeated', collect, [])
    .option('-e, --exhook <[name=]url>', 'an ExHook server: http://HOST:PORT; may be repeated', collectExHook, [])
    .option('-w, --watch', 'reload plugins when their files are saved; for writing them')
    .option('-n, --workers <number>', 'processes that make up the broker (node.workers)')
    .addOption(new Option('-l, --log-level <level>', 'least severe messages that are logged').choices([...logLevels]))
    .addHelpText('after', examples)
    .action(async (flags: StartFlags) => start(flags))
}

async function start({ workers, exhook, ...given }: StartFlags): Promise<void> {
  inlineMore()
  const flags: StartSettings = {
    ...given,
    set: [
      ...(given.set ?? []),
      ...exhookSettings(exhook),
      ...(workers === undefined ? [] : [`node.workers=${workers}`]),
    ],
    load: exhook.length === 0 ? [] : ['exhook'],
  }
  const { readConfig } = await import('../config/read.ts')
  const settings = readConfig(flags)
  if (settings.workers.count > 1) {
    const { startWorkers } = await import('../workers/start.ts')
    return startWorkers(flags, settings)
  }
  // Loaded when it is needed: `pub` and `sub` start faster without the broker.
  const [{ assemble }, { superviseSignals }, { lockDataDir }, { ControlServer }] = await Promise.all([
    import('./assemble.ts'),
    import('./signals.ts'),
    import('../control/lock.ts'),
    import('../control/server.ts'),
  ])
  const { config, broker, log, reload } = await assemble(flags)
  const { dataDir } = config
  const lock = lockDataDir(dataDir)
  process.on('exit', () => lock.release())
  // Before the listeners are bound: a signal that comes while it starts must find somebody.
  const supervision = superviseSignals(broker, log, reload)
  try {
    await broker.start()
  } catch (error) {
    supervision.release()
    await log.flush()
    throw error
  }
  if (supervision.stopping) return
  try {
    const control = await ControlServer.open({ admin: broker.admin, dataDir, profile: config.control.profile, log })
    process.on('exit', () => control.close())
  } catch (error) {
    // The clients' broker matters more than its operator's comfort.
    log.error(`'hookmq ctl' will not reach this broker: ${messageOf(error)}`)
  }
  if (flags.watch === true) {
    const { watchPlugins } = await import('../plugins/watch.ts')
    watchPlugins(broker.admin, log)
  }
  for (const listener of broker.listeners) process.stdout.write(`listening ${listener.id} on ${listener.address}\n`)
  const places = broker.listeners.map((listener) => `${listener.address} (${listener.id})`)
  process.stdout.write(`ready${places.length === 0 ? ' without listeners' : ` on ${places.join(', ')}`}\n`)
  logStart(log, broker.plugins)
}

function logStart(log: AdjustableLogger, plugins: readonly string[]): void {
  log.info('started', { pid: process.pid, node: process.versions.node, plugins: plugins.join(', ') || 'none' })
}
