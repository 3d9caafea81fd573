import type { PluginConfigKey, PluginSettings, Term } from '@hookmq/api'
import { KeyTable, splitKey } from './key-table.ts'
import { expectedSetting, readSetting, type SettingValue } from './read.ts'

type Keys = Readonly<Record<string, PluginConfigKey>>
type Type = PluginConfigKey['type']

/**
 * A plugin's settings as what they stand for: what `ctx.settings` is, and what a unit test gives to a plugin.
 *
 *     createSettings({ 'recon.gc_interval': { type: 'duration', unit: 's', default: '10m', description: '' } }, {}).duration('recon.gc_interval') // 600000
 */
export function createSettings(
  keys: Keys = {},
  given: { readonly config?: Readonly<Record<string, string>>; readonly terms?: Readonly<Record<string, Term>> } = {},
): PluginSettings {
  return new Settings(keys, given.config ?? {}, given.terms ?? {})
}

class Settings implements PluginSettings {
  readonly #keys: Keys
  readonly #table: KeyTable<PluginConfigKey & { readonly key: string }>
  readonly #config: Readonly<Record<string, string>>
  readonly #terms: Readonly<Record<string, Term>>

  constructor(keys: Keys, config: Readonly<Record<string, string>>, terms: Readonly<Record<string, Term>>) {
    this.#keys = keys
    // Only first spellings: by now every setting is under its own.
    this.#table = new KeyTable(Object.entries(keys).map(([key, definition]) => ({ ...definition, key, aliases: [] })))
    this.#config = config
    this.#terms = terms
  }

  has(key: string): boolean {
    const definition = this.#definition(key)
    if (definition.type === 'term') return Object.hasOwn(this.#terms, key)
    return this.#text(key, definition) !== undefined
  }

  text(key: string): string {
    return this.#read(key, ['string', 'secret', 'enum', 'path']) as string
  }

  number(key: string): number {
    return this.#read(key, ['integer', 'number', 'percent']) as number
  }

  flag(key: string): boolean {
    return this.#read(key, ['flag']) as boolean
  }

  duration(key: string): number {
    return this.#read(key, ['duration']) as number
  }

  bytes(key: string): number {
    return this.#read(key, ['bytesize']) as number
  }

  address(key: string): { host: string; port: number } {
    return this.#read(key, ['address']) as { host: string; port: number }
  }

  term(key: string): Term {
    this.#definition(key, ['term'])
    if (!Object.hasOwn(this.#terms, key)) throw unset(key)
    return this.#terms[key]
  }

  matching(pattern: string): { key: string; words: Readonly<Record<string, string>> }[] {
    if (!Object.hasOwn(this.#keys, pattern)) throw new TypeError(`settings: there is no declared key ${pattern}`)
    const found: { key: string; words: Readonly<Record<string, string>> }[] = []
    for (const key of [...Object.keys(this.#config), ...Object.keys(this.#terms)].sort()) {
      const match = this.#table.find(splitKey(key))
      if (match?.definition.key === pattern) found.push({ key, words: match.captures })
    }
    return found
  }

  #read(key: string, types: readonly Type[]): SettingValue {
    const definition = this.#definition(key, types)
    const text = this.#text(key, definition)
    if (text === undefined) throw unset(key)
    const value = readSetting(definition, text)
    if (value === undefined) {
      const got = definition.type === 'secret' ? 'something else' : JSON.stringify(text)
      throw new TypeError(`settings: ${key}: expected ${expectedSetting(definition)}, got ${got}`)
    }
    return value
  }

  #text(key: string, definition: PluginConfigKey): string | undefined {
    return Object.hasOwn(this.#config, key) ? this.#config[key] : definition.default
  }

  #definition(key: string, types?: readonly Type[]): PluginConfigKey {
    const definition = this.#table.find(splitKey(key))?.definition
    if (definition === undefined) throw new TypeError(`settings: there is no declared key ${key}`)
    if (types !== undefined && !types.includes(definition.type))
      throw new TypeError(`settings: ${key} is of type ${definition.type}, and was asked for as ${types.join(' or ')}`)
    return definition
  }
}

function unset(key: string): TypeError {
  return new TypeError(`settings: ${key} is not set and has no default`)
}
