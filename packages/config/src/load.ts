import { basename, dirname, resolve } from 'node:path'
import { quote } from './conf.ts'
import type { Draft } from './definition.ts'
import { ConfigError, type Origin } from './error.ts'
import { readFile, readIncluded, shown } from './files.ts'
import { agreeOnCertificates, finishListeners } from './listeners.ts'
import { type Chosen, Layers } from './merge.ts'
import { brokerSchema } from './schema.ts'
import type {
  BrokerSettings,
  ControlSettings,
  ListenerSettings,
  LogSettings,
  PluginOverride,
  PluginSettings,
  StoreSettings,
  WorkersSettings,
} from './settings.ts'

export interface LoadConfigInit {
  /** Configuration file; also its name in errors when `text` is given. */
  file?: string
  /** The file's content, instead of reading it. */
  text?: string
  /** Folder that relative paths in files are in. Default: the folder of the file, or the one above when that is `etc`. */
  home?: string
  /** `key=value`, as after --set. */
  set?: readonly string[]
  /** Usually process.env; only names that begin with HOOKMQ_ count. */
  environment?: Readonly<Record<string, string | undefined>>
  /** Names beginning with HOOKMQ_ that are not keys. */
  reservedVariables?: readonly string[]
  /**
   * What to do with keys that are not the broker's own. 'refuse' (default): an error, unless they begin with `plugin.`. 'keep': the caller, who knows
   * the plugins, looks whether one of them has the key; what is wrong otherwise is in the override.
   */
  pluginKeys?: 'keep' | 'refuse'
}

export interface Config {
  options: BrokerSettings
  listeners: ListenerSettings[]
  node: string
  dataDir: string
  /** File of the access rules. */
  aclFile: string | undefined
  store: StoreSettings
  workers: WorkersSettings
  log: LogSettings
  control: ControlSettings
  plugins: PluginSettings
  /** Where each key that is not at its default was set, by its first spelling. */
  sources: ReadonlyMap<string, Origin>
  /** The text of each of them, as written; secrets are not shown. */
  values: ReadonlyMap<string, string>
  /** Lines for the log: keys that were accepted and do nothing. */
  warnings: readonly string[]
}

/** What listens when the file says nothing about listeners. */
const defaultListeners = ['listener.tcp.external=127.0.0.1:1883', 'listener.ws.external=127.0.0.1:8083']

/**
 * Puts the configuration together: defaults, then the file, then the environment, then --set.
 * @throws ConfigError the first thing that is wrong; its `all` has the others
 */
export function loadConfig(init: LoadConfigInit = {}): Config {
  const layers = new Layers()
  const home = resolve(init.home ?? homeOf(init.file))
  const text = init.text ?? (init.file === undefined ? '' : readFile(init.file))
  const settings = layers.addFile(text, shown(init.file ?? 'configuration'), readIncluded)
  if (!settings.some(({ words }) => words[0] === 'listener')) {
    for (const line of defaultListeners) {
      const [key, value] = line.split('=')
      layers.add(key.split('.'), value, { kind: 'default' })
    }
  }
  layers.addEnvironment(init.environment ?? {}, init.reservedVariables ?? [])
  layers.addSet(init.set ?? [])

  const draft = newDraft()
  for (const definition of brokerSchema) {
    if (definition.default === undefined || definition.key.includes('$')) continue
    definition.apply(draft, definition.type.read(definition.default, { folder: home }), {})
  }
  for (const chosen of layers.chosen.values()) apply(chosen, draft, home, layers)
  const listeners = finishListeners(draft, layers)
  agreeOnCertificates([...draft.listeners.values()], draft.options, layers)
  const overrides = overridesOf(layers, init.pluginKeys === 'keep')
  if (layers.errors.length > 0) throw ConfigError.first(layers.errors)

  const sources = new Map<string, Origin>()
  const values = new Map<string, string>()
  for (const [key, { origin, found, value }] of layers.chosen) {
    if (origin.kind === 'default') continue
    sources.set(key, origin)
    values.set(key, found.definition.type.secret === true ? '(secret)' : value)
  }
  return {
    options: draft.options,
    listeners,
    node: draft.options.node,
    dataDir: draft.dataDir,
    aclFile: draft.aclFile,
    store: draft.store,
    workers: draft.workers,
    log: draft.log,
    control: draft.control,
    plugins: { ...draft.plugins, overrides },
    sources,
    values,
    warnings: layers.warnings,
  }
}

function newDraft(): Draft {
  return {
    // The defaults of the schema fill in the rest, which a test checks.
    options: {
      responseInformation: '',
      messageRate: 0,
      messageBurst: 0,
      byteRate: 0,
      byteBurst: 0,
      sharedStrategyOfGroup: {},
    } as BrokerSettings,
    listeners: new Map(),
    dataDir: '',
    aclFile: undefined,
    mountpoint: undefined,
    store: { type: 'sqlite', durability: 'fsync' },
    workers: { count: 1, maxPending: 64 * 1024 * 1024, patience: 10_000 },
    log: { level: 'info', to: 'console', format: 'auto', file: '' },
    control: { profile: '4.x' },
    plugins: { etcDir: '', dir: undefined, loadedFile: undefined, load: [] },
  }
}

function apply({ found, value, origin, written }: Chosen, draft: Draft, home: string, layers: Layers): void {
  const { type } = found.definition
  // What is typed in a shell is relative to where it is typed.
  const typed = origin.kind === 'set' || origin.kind === 'environment'
  const read = type.read(value, { folder: typed ? process.cwd() : home })
  if (read === undefined) {
    const got = type.secret === true ? 'something else' : quote(value)
    layers.errors.push(new ConfigError(origin, written, `expected ${type.expected}, got ${got}`, type.expected))
  } else found.definition.apply(draft, read, found.captures)
}

/** What is left over is for plugins: their own keys, and `plugin.NAME.KEY`. Which keys they have is known only once they are there. */
function overridesOf(layers: Layers, keep: boolean): PluginOverride[] {
  const overrides: PluginOverride[] = []
  for (const foreign of layers.foreign) {
    const named = foreign.words[0] === 'plugin' && foreign.words.length > 2
    if (!named && layers.ignores(foreign)) continue
    const unknown = named ? undefined : layers.unknown(foreign)
    // When there is something wrong anyway, what looks like a slip of the pen is told along with it.
    const slip = unknown?.expected !== undefined && layers.errors.length > 0
    if (unknown !== undefined && (!keep || slip)) layers.errors.push(unknown)
    else overrides.push({ ...foreign, unknown })
  }
  return overrides
}

function homeOf(file: string | undefined): string {
  if (file === undefined) return '.'
  const folder = dirname(resolve(file))
  return basename(folder) === 'etc' ? dirname(folder) : folder
}
