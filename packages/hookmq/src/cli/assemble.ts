import { resolve } from 'node:path'
import type { Cluster, Listener, Logger } from '@hookmq/api'
import { HookmqBroker } from '../broker/hookmq.ts'
import type { ListenerSpec } from '../broker/listeners.ts'
import { partsOfConfig } from '../broker/parts.ts'
import { storeOf } from '../broker/store.ts'
import { operatorCommands } from '../commands/index.ts'
import { type EffectiveConfig, loggerOptions, readConfig, type SettingFlags } from '../config/read.ts'
import { messageOf } from '../errors.ts'
import { recorderOf } from '../exhook/record/recorder-of.ts'
import { type AdjustableLogger, createLogger } from '../log/logger.ts'
import { tracerOf } from '../trace/tracer-of.ts'
import { version } from '../version.ts'

export interface Assembly {
  readonly config: EffectiveConfig
  readonly broker: HookmqBroker
  readonly log: AdjustableLogger
  /** Reads certificates and access rules again. What fails leaves the old one in force. Never rejects. */
  reload(): Promise<Reloaded>
}

/** What the command line says of a start. */
export type StartSettings = SettingFlags & {
  plugin?: readonly string[]
  watch?: boolean
  /** Names of plugins that the command line needs. */
  load?: readonly string[]
}

/** What is different where several processes make the broker. */
export interface WorkerParts {
  readonly name: string
  readonly leads: boolean
  /** Of the broker, milliseconds since the epoch. */
  readonly startedAt: number
  cluster(config: EffectiveConfig, log: Logger): Cluster
  /** A listener of which every worker has one. */
  share(listener: ListenerSpec | Listener): ListenerSpec | Listener
  beforeListening(): Promise<void>
}

/** What was read again, and why the rest was not. */
export interface Reloaded {
  readonly done: readonly string[]
  readonly failed: readonly string[]
}

/** A broker as the command line and the configuration describe it; not started. */
export async function assemble(flags: StartSettings, worker?: WorkerParts): Promise<Assembly> {
  const config = readConfig(flags)
  const log = createLogger(loggerOptions(config))
  if (worker === undefined || worker.leads) for (const warning of config.warnings) log.warn(warning)
  // Plugins of the user's own are not in the folder of the program.
  const home = config.place.shipped ? process.cwd() : config.place.home
  const { options, listeners, plugins, pluginNames, places, problems, aclFile } = await partsOfConfig(
    config,
    home,
    // Who is writing a plugin wants to mend it, not to start the broker again.
    flags.watch === true ? [] : flags.plugin,
  )
  const watched = flags.watch === true ? (flags.plugin ?? []).map((path) => resolve(path)) : []
  const broker = new HookmqBroker({
    options: { ...options, version, log: worker === undefined ? log : log.child({ worker: worker.name }) },
    listeners: worker === undefined ? listeners : listeners.map(worker.share),
    plugins,
    cluster: worker?.cluster(config, log),
    beforeListening: worker?.beforeListening,
    startedAt: worker?.startedAt,
    store: storeOf(config.store, config.dataDir),
    pluginNames: [...watched, ...(pluginNames ?? []), ...(flags.load ?? [])],
    places,
    problems,
    logControl: log,
    commands: (core) =>
      operatorCommands({
        admin: core.admin,
        profile: config.control.profile,
        tracer: tracerOf(core),
        recorder: recorderOf(core, core.admin.node),
      }),
  })

  async function reload(): Promise<Reloaded> {
    const done: string[] = []
    const failed: string[] = []
    const attempt = async (what: string, run: () => void | Promise<void>): Promise<void> => {
      try {
        await run()
        done.push(what)
      } catch (error) {
        failed.push(messageOf(error))
      }
    }
    for (const listener of broker.listeners)
      if (hasCertificates(listener))
        await attempt(`certificates of ${listener.id}`, () => listener.reloadCertificates())
    if (aclFile !== undefined) await attempt('access rules', () => aclFile.reload())
    // Also what the rules said before: it was remembered per client.
    broker.forgetPermissions()
    return { done, failed }
  }

  return { config, broker, log, reload }
}

function hasCertificates(listener: Listener): listener is Listener & { reloadCertificates(): void } {
  return 'reloadCertificates' in listener && !listener.id.startsWith('ws:')
}
