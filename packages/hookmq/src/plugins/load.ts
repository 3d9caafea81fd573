import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Plugin } from '@hookmq/api'
import { HookmqError, messageOf } from '../errors.ts'
import { resolveOwnPackages } from './resolve.ts'

const moduleExtensions = new Set(['.ts', '.mts', '.js', '.mjs', '.cjs', '.cts'])
const pluginName = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/

/**
 * Imports a plugin from a file anywhere on disk. TypeScript is run as it stands (types are stripped), and imports of
 * 'hookmq' and '@hookmq/api' find this installation even when the file lies outside any package.
 *
 * Rejects with a HookmqError whose one-line message names the file and what is wrong with it.
 */
export async function importPlugin(path: string, directory: string = process.cwd()): Promise<Plugin> {
  const file = resolve(directory, path)
  requireModuleFile(path, file)
  resolveOwnPackages()
  let module: { readonly default?: unknown }
  try {
    module = await import(pathToFileURL(file).href)
  } catch (error) {
    throw importFailure(file, error)
  }
  // A CommonJS file compiled from ES modules carries its default one level deeper.
  const exported = module.default as { readonly default?: unknown } | undefined
  return checkPlugin(isObject(exported) && 'default' in exported ? exported.default : exported, file)
}

/**
 * A plugin as a configuration names it: a path relative to `home`, or the name of a package that is installed there.
 * Rejects as `importPlugin` does.
 */
export async function importNamedPlugin(name: string, home: string): Promise<{ plugin: Plugin; file: string }> {
  if (name.startsWith('.') || isAbsolute(name) || moduleExtensions.has(extname(name)))
    return { plugin: await importPlugin(name, home), file: resolve(home, name) }
  let file: string
  try {
    file = createRequire(join(home, 'package.json')).resolve(name)
  } catch (error) {
    throw new HookmqError(
      'PLUGIN_NOT_FOUND',
      `plugin ${name}: no package of this name is installed in ${home}; for a file write its path, such as ./${name}.ts`,
      { cause: error },
    )
  }
  return { plugin: await importPlugin(file), file }
}

/**
 * Looks at what a module exported, or an embedding program handed over. `origin` names it in the message.
 * Throws a HookmqError with code PLUGIN_INVALID.
 */
export function checkPlugin(value: unknown, origin: string): Plugin {
  const expected = 'expected: export default definePlugin({ name, setup(ctx) { … } })'
  if (value === undefined) throw new HookmqError('PLUGIN_INVALID', `plugin ${origin}: no default export; ${expected}`)
  if (!isObject(value))
    throw new HookmqError(
      'PLUGIN_INVALID',
      `plugin ${origin}: the default export is ${describe(value)}, not an object; ${expected}`,
    )
  const { name, setup } = value as { name?: unknown; setup?: unknown }
  if (typeof name !== 'string')
    throw new HookmqError(
      'PLUGIN_INVALID',
      `plugin ${origin}: 'name' is ${name === undefined ? 'missing' : describe(name)}; expected a string`,
    )
  if (!pluginName.test(name))
    throw new HookmqError(
      'PLUGIN_INVALID',
      `plugin ${origin}: '${name}' cannot be a plugin's name; expected a letter, then up to 63 letters, digits, '_', '-' or '.'`,
    )
  if (typeof setup !== 'function')
    throw new HookmqError(
      'PLUGIN_INVALID',
      `plugin ${origin}: 'setup' is ${setup === undefined ? 'missing' : describe(setup)}; expected a function setup(ctx)`,
    )
  return value as unknown as Plugin
}

/** What a failing setup function threw, with the line of the plugin's own file when the stack has it. */
export function setupFailure(name: string, origin: string | undefined, error: unknown): HookmqError {
  const at = origin === undefined ? undefined : placeInStack(error, origin)
  const where = at ?? origin
  return new HookmqError(
    'PLUGIN_SETUP',
    `plugin ${name}${where === undefined ? '' : ` (${where})`}: setup failed: ${messageOf(error)}`,
    { cause: error },
  )
}

function requireModuleFile(path: string, file: string): void {
  let stats: ReturnType<typeof statSync>
  try {
    stats = statSync(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const what = code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : `cannot be read (${code})`
    throw new HookmqError('PLUGIN_NOT_FOUND', `plugin ${path}: ${what}: ${file}`)
  }
  if (stats.isDirectory())
    throw new HookmqError('PLUGIN_NOT_FOUND', `plugin ${path}: ${file} is a folder; name the module file inside it`)
  if (!moduleExtensions.has(extname(file)))
    throw new HookmqError(
      'PLUGIN_NOT_FOUND',
      `plugin ${path}: '${extname(file)}' is not a module; expected a file that ends in ${[...moduleExtensions].join(', ')}`,
    )
}

function importFailure(file: string, error: unknown): HookmqError {
  if (error instanceof SyntaxError) {
    const at = placeOfSyntaxError(file, error)
    return new HookmqError('PLUGIN_SYNTAX', `plugin ${at}: syntax error: ${messageOf(error)}`, { cause: error })
  }
  const at = placeInStack(error, file) ?? file
  return new HookmqError('PLUGIN_IMPORT', `plugin ${at}: cannot be imported: ${messageOf(error)}`, { cause: error })
}

/** 'file:line' of a syntax error, which may lie in a module that the plugin imports. */
function placeOfSyntaxError(file: string, error: SyntaxError): string {
  const known = firstLinePlace(error.stack ?? '')
  if (known !== undefined) return known
  // For JavaScript the loader keeps the line to itself; the same program that only checks the syntax prints it.
  const check = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: 5000 })
  return firstLinePlace(check.stderr ?? '') ?? file
}

function firstLinePlace(text: string): string | undefined {
  const match = /^(file:\/\/\S+|\/.*|[A-Za-z]:\\.*):(\d+)$/m.exec(text.split('\n', 1)[0] ?? '')
  if (match === null) return undefined
  const [, place, line] = match
  return `${place.startsWith('file:') ? fileURLToPath(place) : place}:${line}`
}

function placeInStack(error: unknown, file: string): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined
  const url = pathToFileURL(file).href
  for (const line of error.stack.split('\n')) {
    const at = line.includes(url) ? line.slice(line.indexOf(url) + url.length) : undefined
    const number = at === undefined ? undefined : /^(?:\?[^:]*)?:(\d+)/.exec(at)?.[1]
    if (number !== undefined) return `${file}:${number}`
  }
  return undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
