import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { PluginConfigKey, Term } from '@hookmq/api'
import { expectedSetting, type FoundKey, joinKey, KeyTable, parseTerm, readSetting, TermError } from '@hookmq/kit'
import { parseConf, quote } from './conf.ts'
import { ConfigError, describeOrigin, type Origin } from './error.ts'
import { readFile, readIncluded, shown } from './files.ts'
import { parsePluginTerms, shortly, textOfTerm } from './plugin-terms.ts'
import type { PluginOverride } from './settings.ts'

/** What is to be known of a plugin to read its settings. */
export interface ConfigurablePlugin {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly config?: Readonly<Record<string, PluginConfigKey>>
}

export interface PluginConfigInit {
  /** The name that the operator used: its file goes first. */
  readonly spelling?: string
  /** Folders with NAME.config or NAME.conf; the first that has one of the plugin's names counts. */
  readonly folders: readonly string[]
  /** From the broker's own file, the environment and the command line: they win over the file. */
  readonly overrides?: readonly PluginOverride[]
  /** The plugin that this one is a part of: its file goes before this one's own, and has keys for others, too. */
  readonly whole?: PluginWhole
  /** Folder that relative paths in files are in. */
  readonly home: string
}

interface PluginWhole {
  /** That its file may have. */
  readonly names: readonly string[]
  /** Whether another part knows the key. */
  declares(words: readonly string[]): boolean
}

export interface PluginConfig {
  /** Text by the first spelling of the key, defaults included. */
  readonly config: Readonly<Record<string, string>>
  readonly terms: Readonly<Record<string, Term>>
  /** How the plugin is to be run: settings that are not the plugin's own business, such as `placement`. */
  readonly host: Readonly<Record<string, string>>
  /** The file that was read. */
  readonly file: string | undefined
  /** Where each key that is set was set. */
  readonly sources: ReadonlyMap<string, Origin>
  readonly warnings: readonly string[]
}

/** Settings that every plugin has, unless it declares a key of this name. */
const hostKeys = new Set([
  'placement',
  'worker.memory',
  'worker.queue_limit',
  'worker.queue_bytes',
  'worker.hang_timeout',
])

interface Given {
  readonly words: readonly string[]
  readonly value: string | Term
  readonly origin: Origin
}

type Definition = PluginConfigKey & { readonly key: string }

/**
 * The settings of one plugin: its file, what the broker's own configuration says of it, its defaults. Files are read now.
 * @throws ConfigError the first thing that is wrong; its `all` has the others
 */
export function readPluginConfig(plugin: ConfigurablePlugin, init: PluginConfigInit): PluginConfig {
  const reader = new PluginConfigReader(plugin, init)
  return reader.read()
}

/** The file that `readPluginConfig` would read; undefined: none. */
export function pluginConfigFile(plugin: ConfigurablePlugin, init: PluginConfigInit): string | undefined {
  return filesOf(plugin, init)[0]
}

function namesOf({ name, aliases = [] }: ConfigurablePlugin, { spelling, whole }: PluginConfigInit): string[] {
  const used = spelling === undefined ? [] : [spelling]
  return [...new Set([...used, ...(whole?.names ?? []), name, ...aliases])]
}

/** The files in the first folder that has any, the one that counts first. */
function filesOf(plugin: ConfigurablePlugin, init: PluginConfigInit): string[] {
  // A plugin that was loaded by its path has that as its spelling.
  const names = namesOf(plugin, init).filter((name) => /^[\w.@-]+$/.test(name))
  for (const folder of init.folders) {
    const found = names
      .flatMap((name) => [join(folder, `${name}.config`), join(folder, `${name}.conf`)])
      .filter((file) => existsSync(file))
    if (found.length > 0) return found
  }
  return []
}

/** Whether the plugin declares this key, in any of its spellings. */
export function declaresKey(plugin: ConfigurablePlugin, words: readonly string[]): boolean {
  return tableOf(plugin).find(words) !== undefined
}

function tableOf(plugin: ConfigurablePlugin): KeyTable<Definition> {
  return new KeyTable(Object.entries(plugin.config ?? {}).map(([key, definition]) => ({ ...definition, key })))
}

class PluginConfigReader {
  readonly #plugin: ConfigurablePlugin
  readonly #init: PluginConfigInit
  readonly #table: KeyTable<Definition>
  readonly #config: Record<string, string> = Object.create(null)
  readonly #terms: Record<string, Term> = Object.create(null)
  readonly #host: Record<string, string> = Object.create(null)
  readonly #sources = new Map<string, Origin>()
  readonly #warnings: string[] = []
  readonly #errors: ConfigError[] = []

  constructor(plugin: ConfigurablePlugin, init: PluginConfigInit) {
    this.#plugin = plugin
    this.#init = init
    this.#table = tableOf(plugin)
  }

  read(): PluginConfig {
    const file = this.#findFile()
    const given = file === undefined ? [] : this.#readFile(file)
    const inFile = new Set(given.map(({ words }) => joinKey(words)))
    for (const override of this.#init.overrides ?? []) {
      const words = this.#ownWords(override, inFile)
      if (words !== undefined) given.push({ words, value: override.value, origin: override.origin })
    }
    const chosen = new Map<string, Given & { found: FoundKey<Definition> | undefined }>()
    for (const setting of given) this.#choose(setting, chosen)
    for (const [key, setting] of chosen) this.#apply(key, setting, setting.found?.definition)
    if (this.#errors.length > 0) throw ConfigError.first(this.#errors)
    for (const [key, { default: initial, type }] of Object.entries(this.#plugin.config ?? {})) {
      if (initial === undefined || key.includes('$') || type === 'term' || key in this.#config) continue
      this.#config[key] = type === 'path' ? this.#absolute(initial, { kind: 'default' }) : initial
    }
    return {
      config: { ...this.#config },
      terms: { ...this.#terms },
      host: { ...this.#host },
      file,
      sources: this.#sources,
      warnings: this.#warnings,
    }
  }

  get #names(): string[] {
    return namesOf(this.#plugin, this.#init)
  }

  #findFile(): string | undefined {
    const [first, ...others] = filesOf(this.#plugin, this.#init)
    if (first !== undefined)
      for (const other of others)
        this.#warnings.push(
          `${shown(other)}: not read, because ${shown(first)} is there for the plugin ${this.#plugin.name}`,
        )
    return first
  }

  #readFile(file: string): Given[] {
    const name = shown(file)
    try {
      const text = readFile(file)
      if (!file.endsWith('.config') && !holdsTerms(text))
        return parseConf(text, name, readIncluded).map(({ words, value, file: origin, line }) => ({
          words,
          value,
          origin: { kind: 'file', file: origin, line },
        }))
      const within = (words: readonly string[]): boolean =>
        this.#plugin.config !== undefined && this.#table.find(words) === undefined
      const foreign = (application: string, line: number): void =>
        void this.#warnings.push(
          `${name}:${line}: ${application}: not read; the plugin ${this.#plugin.name} is called ${this.#names.join(', ')}`,
        )
      const settings = parsePluginTerms(text, name, new Set(this.#names), within, foreign)
      return settings.map(({ words, value, line }) => ({ words, value, origin: { kind: 'file', file: name, line } }))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      this.#errors.push(error)
      return []
    }
  }

  /** The words of an override without `plugin.NAME`; undefined when it is not for this plugin. */
  #ownWords({ words, unknown }: PluginOverride, inFile: ReadonlySet<string>): readonly string[] | undefined {
    if (unknown === undefined) {
      const wanted = plain(words[1])
      return this.#names.some((name) => plain(name) === wanted) ? words.slice(2) : undefined
    }
    return inFile.has(joinKey(words)) || this.#table.find(words) !== undefined ? words : undefined
  }

  #choose(setting: Given, chosen: Map<string, Given & { found: FoundKey<Definition> | undefined }>): void {
    const { words, value, origin } = setting
    const written = joinKey(words)
    if (words.includes('__proto__')) {
      this.#errors.push(new ConfigError(origin, written, '__proto__ cannot be a name'))
      return
    }
    const found = this.#table.find(words)
    if (found === undefined && this.#plugin.config !== undefined && !hostKeys.has(written)) {
      if (this.#init.whole?.declares(words) === true) return
      const nearest = this.#table.nearest(words)
      const advice = nearest === undefined ? '' : `; did you mean ${nearest}?`
      this.#warnings.push(
        new ConfigError(origin, written, `not a key of the plugin ${this.#plugin.name}, ignored${advice}`).message,
      )
      return
    }
    const key = found?.key ?? written
    // An empty value is no value: what was set before is taken back. For a key of terms the empty list is a value.
    const text = typeof value === 'string' ? value : found?.definition.type === 'term' ? undefined : textOfTerm(value)
    const isUndefined = typeof value !== 'string' && value.type === 'atom' && value.name === 'undefined'
    if (text === '' || isUndefined) chosen.delete(key)
    else chosen.set(key, { ...setting, found })
  }

  #apply(key: string, { words, value, origin }: Given, definition: Definition | undefined): void {
    this.#sources.set(key, origin)
    if (definition?.type === 'term') {
      const term = typeof value === 'string' ? this.#parse(key, value, origin) : value
      if (term !== undefined) this.#terms[key] = term
      return
    }
    const text = typeof value === 'string' ? value : textOfTerm(value)
    if (definition === undefined) {
      if (typeof value !== 'string') this.#terms[key] = value
      if (text === undefined) return
      if (hostKeys.has(key)) this.#host[key] = text
      else this.#config[key] = text
      return
    }
    if (text === undefined || readSetting(definition, text) === undefined) {
      const expected = expectedSetting(definition)
      const got =
        definition.type === 'secret' ? 'something else' : typeof value === 'string' ? quote(value) : shortly(value)
      this.#errors.push(new ConfigError(origin, joinKey(words), `expected ${expected}, got ${got}`, expected))
      return
    }
    this.#config[key] = definition.type === 'path' ? this.#absolute(text, origin) : text
  }

  #parse(key: string, text: string, origin: Origin): Term | undefined {
    try {
      return parseTerm(text.trimEnd().endsWith('.') ? text : `${text}.`, describeOrigin(origin))
    } catch (error) {
      if (!(error instanceof TermError)) throw error
      this.#errors.push(new ConfigError(origin, key, `expected an Erlang term, got ${quote(text)}`, 'an Erlang term'))
      return undefined
    }
  }

  /** What is typed in a shell is relative to where it is typed. */
  #absolute(path: string, { kind }: Origin): string {
    if (isAbsolute(path)) return path
    return resolve(kind === 'set' || kind === 'environment' ? '.' : this.#init.home, path)
  }
}

/** Names of environment variables have no '-'. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

/** The EMQ 2.0 documentation has the terms of emq_mod_rewrite in a file NAME.conf. No line of a `key = value` file begins like this. */
function holdsTerms(text: string): boolean {
  return /^(?:\s|%.*\n)*\[/.test(text)
}
