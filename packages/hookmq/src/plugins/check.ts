import { apiVersion, type Plugin, type PluginConfigKey } from '@hookmq/api'
import { expectedSetting, readSetting } from '@hookmq/kit'
import { type ErrorCode, HookmqError } from '../errors.ts'
import { inRange, readVersion } from './version-range.ts'

const pluginName = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const expected = 'expected: export default definePlugin({ name, setup(ctx) { … } })'
const types: Record<PluginConfigKey['type'], true> = {
  string: true,
  secret: true,
  integer: true,
  number: true,
  flag: true,
  duration: true,
  bytesize: true,
  percent: true,
  enum: true,
  path: true,
  address: true,
  term: true,
}

/**
 * Looks at what a module exported, or an embedding program handed over. `origin` names it in the message.
 * Throws a HookmqError whose code says which part of it is wrong.
 */
export function checkPlugin(value: unknown, origin: string): Plugin {
  const wrong = (code: ErrorCode, problem: string): HookmqError => new HookmqError(code, `plugin ${origin}: ${problem}`)
  if (value === undefined) throw wrong('PLUGIN_EXPORT', `no default export; ${expected}`)
  if (!isObject(value))
    throw wrong('PLUGIN_EXPORT', `the default export is ${describe(value)}, not an object; ${expected}`)
  const plugin = value as Partial<Record<keyof Plugin, unknown>>
  checkName(plugin.name, wrong)
  if (typeof plugin.setup !== 'function')
    throw wrong('PLUGIN_INVALID', `'setup' is ${describe(plugin.setup)}; expected a function setup(ctx)`)
  for (const field of ['description'] as const)
    if (plugin[field] !== undefined && typeof plugin[field] !== 'string')
      throw wrong('PLUGIN_INVALID', `'${field}' is ${describe(plugin[field])}; expected a string`)
  if (plugin.exclusive !== undefined && typeof plugin.exclusive !== 'boolean')
    throw wrong('PLUGIN_INVALID', `'exclusive' is ${describe(plugin.exclusive)}; expected true or false`)
  if (plugin.placement !== undefined && plugin.placement !== 'in-process' && plugin.placement !== 'worker')
    throw wrong('PLUGIN_PLACEMENT', `'placement' is ${quoted(plugin.placement)}; expected 'in-process' or 'worker'`)
  checkVersions(plugin.version, plugin.api, wrong)
  checkNames('aliases', plugin.aliases, 'PLUGIN_ALIAS', wrong)
  checkNames('dependencies', plugin.dependencies, 'PLUGIN_DEPENDENCY', wrong)
  checkNames('includes', plugin.includes, 'PLUGIN_DEPENDENCY', wrong)
  checkConfig(plugin.config, wrong)
  return value as Plugin
}

type Wrong = (code: ErrorCode, problem: string) => HookmqError

function checkName(name: unknown, wrong: Wrong): void {
  if (typeof name !== 'string') throw wrong('PLUGIN_NAME', `'name' is ${describe(name)}; expected a string`)
  if (!pluginName.test(name))
    throw wrong(
      'PLUGIN_NAME',
      `'${name.slice(0, 80)}' cannot be a plugin's name; expected a letter, then up to 63 letters, digits, '_', '-' or '.'`,
    )
}

function checkVersions(version: unknown, api: unknown, wrong: Wrong): void {
  if (version !== undefined && (typeof version !== 'string' || !/^\d+(\.\d+){0,2}([-+][\w.+-]+)?$/.test(version)))
    throw wrong('PLUGIN_VERSION', `'version' is ${quoted(version)}; expected numbers with dots, such as '1.0.0'`)
  if (api === undefined) return
  const own = readVersion(apiVersion) ?? [0, 0, 0]
  const fits = typeof api === 'string' ? inRange(own, api) : undefined
  if (fits === undefined)
    throw wrong('PLUGIN_API', `'api' is ${quoted(api)}; expected a range of versions such as '^${apiVersion}'`)
  if (!fits)
    throw wrong(
      'PLUGIN_API',
      `it needs @hookmq/api ${String(api)}, and this broker has ${apiVersion}; install a version of it for this broker`,
    )
}

function checkNames(
  field: 'aliases' | 'dependencies' | 'includes',
  names: unknown,
  code: ErrorCode,
  wrong: Wrong,
): void {
  if (names === undefined) return
  if (!Array.isArray(names)) throw wrong(code, `'${field}' is ${describe(names)}; expected a list of names`)
  for (const name of names)
    if (typeof name !== 'string' || !pluginName.test(name))
      throw wrong(code, `'${field}' has ${quoted(name)}, which cannot be a plugin's name`)
}

function checkConfig(config: unknown, wrong: Wrong): void {
  if (config === undefined) return
  if (!isObject(config) || Array.isArray(config))
    throw wrong('PLUGIN_SCHEMA', `'config' is ${describe(config)}; expected an object of keys`)
  for (const [key, definition] of Object.entries(config as Record<string, Partial<PluginConfigKey> | undefined>)) {
    const bad = (problem: string): HookmqError => wrong('PLUGIN_SCHEMA', `config key '${key}': ${problem}`)
    if (!isObject(definition)) throw bad(`it is ${describe(definition)}; expected { type, description }`)
    const { type, values, default: initial, aliases = [], unit } = definition
    if (typeof type !== 'string' || !Object.hasOwn(types, type))
      throw bad(`'type' is ${quoted(type)}; expected one of ${Object.keys(types).join(', ')}`)
    if (type === 'enum' && (!Array.isArray(values) || values.length === 0)) throw bad("an enum needs its 'values'")
    if (unit !== undefined && unit !== 's' && unit !== 'ms')
      throw bad(`'unit' is ${quoted(unit)}; expected 's' or 'ms'`)
    if (!Array.isArray(aliases)) throw bad(`'aliases' is ${describe(aliases)}; expected a list of keys`)
    const names = (spelling: string): string =>
      [...spelling.matchAll(/(?:^|\.)(\$\w+)/g)]
        .map(([, name]) => name)
        .sort()
        .join()
    for (const spelling of [key, ...aliases]) {
      if (!/^[\w@/:$*-]+(\.[\w@/:$*-]+)*$/.test(spelling))
        throw bad(`'${spelling}' is not a key: words with dots between them`)
      if (names(spelling) !== names(key)) throw bad(`its alias '${spelling}' has not the same $names`)
    }
    if (initial === undefined) continue
    if (typeof initial !== 'string')
      throw bad(`'default' is ${describe(initial)}; expected the text as it would stand in the file`)
    const known = { description: '', ...definition, type }
    if (type !== 'term' && readSetting(known, initial) === undefined)
      throw bad(`its default ${quoted(initial)} is not of its type: expected ${expectedSetting(known)}`)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 80)}'` : describe(value)
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
