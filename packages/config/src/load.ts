import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { joinKey, parseConf, quote, type ReadIncluded } from './conf.ts'
import type { Draft } from './definition.ts'
import { ConfigError, type Origin } from './error.ts'
import { agreeOnCertificates, finishListeners } from './listeners.ts'
import { type Chosen, Layers } from './merge.ts'
import { brokerSchema } from './schema.ts'
import type { BrokerSettings, ListenerSettings, LogSettings, PluginSettings } from './settings.ts'

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
  /** Settings of plugins, NAME.conf each. Default: all in plugins.etc_dir. */
  pluginFiles?: readonly string[]
}

export interface Config {
  options: BrokerSettings
  listeners: ListenerSettings[]
  node: string
  dataDir: string
  /** File of the access rules; the plugin acl-file has it as its setting `file` too. */
  aclFile: string | undefined
  log: LogSettings
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
  const plugins = pluginSettings(init.pluginFiles, draft, layers)
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
    log: draft.log,
    plugins,
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
    log: { level: 'info', to: 'console', format: 'auto', file: '' },
    plugins: { etcDir: '', load: [] },
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

/** Settings of plugins: their files, `plugin.NAME.KEY` lines, and other lines with a key that one of the files has. */
function pluginSettings(files: readonly string[] | undefined, draft: Draft, layers: Layers): PluginSettings {
  const settings: Record<string, Record<string, string>> = {}
  const of = (name: string): Record<string, string> => {
    if (!Object.hasOwn(settings, name)) settings[name] = {}
    return settings[name]
  }
  for (const file of files ?? confFiles(draft.plugins.etcDir)) {
    const lines = layers.collect(() => parseConf(readFile(file), shown(file), readIncluded)) ?? []
    for (const { key, value } of lines) of(basename(file, extname(file)))[key] = value
  }
  if (draft.aclFile !== undefined) of('acl-file').file = draft.aclFile
  for (const foreign of layers.foreign) {
    const { words, value } = foreign
    const key = joinKey(words)
    const owners = Object.values(settings).filter((plugin) => Object.hasOwn(plugin, key))
    if (words[0] === 'plugin' && words.length > 2) of(words[1])[joinKey(words.slice(2))] = value
    else if (owners.length === 0) layers.refuse(foreign)
    else for (const plugin of owners) plugin[key] = value
  }
  return { ...draft.plugins, settings }
}

/** A name for people: from the current folder when the file is in it. */
function shown(file: string): string {
  const name = relative('.', file)
  return name === '' || name.startsWith('..') ? file : name
}

function confFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.conf'))
      .sort()
      .map((name) => join(folder, name))
  } catch {
    // No folder, no settings.
    return []
  }
}

function homeOf(file: string | undefined): string {
  if (file === undefined) return '.'
  const folder = dirname(resolve(file))
  return basename(folder) === 'etc' ? dirname(folder) : folder
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(
      { kind: 'default' },
      undefined,
      `${shown(file)}: cannot be read (${reasonOf(error)})`,
      'a file',
    )
  }
}

/** A name may have `*` in its last part: `etc/conf.d/*.conf`. */
const readIncluded: ReadIncluded = (pattern, from) => {
  const path = join(dirname(from), pattern)
  const wanted = resolve(dirname(from), pattern)
  if (!pattern.includes('*')) return [{ file: path, text: contentOf(wanted) }]
  const parts = basename(pattern).split('*')
  const fits = new RegExp(`^${parts.map((part) => part.replace(/[^\w]/g, '\\$&')).join('.*')}$`)
  return readdirSync(dirname(wanted))
    .filter((name) => fits.test(name))
    .sort()
    .map((name) => ({ file: join(dirname(path), name), text: contentOf(join(dirname(wanted), name)) }))
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`cannot be read (${reasonOf(error)})`)
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EACCES') return 'no permission'
  if (code === 'EISDIR') return 'it is a folder'
  return code === '' ? String(error) : code
}
