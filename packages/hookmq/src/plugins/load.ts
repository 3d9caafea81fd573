import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Plugin } from '@hookmq/api'
import { PluginSetupTimeout } from '@hookmq/core'
import { HookmqError, messageOf } from '../errors.ts'
import { checkPlugin } from './check.ts'
import { importLatest } from './modules.ts'
import { readPackage } from './package.ts'

export const moduleExtensions: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs', '.cjs', '.cts'])

/**
 * Imports a plugin from a file anywhere on disk, or from a folder with a package.json. TypeScript is run as it stands (types are stripped), and
 * imports of 'hookmq' and '@hookmq/api' find this installation even when the file lies outside any package. A file that has changed since it was
 * imported is imported again.
 *
 * Rejects with a HookmqError whose one-line message names the file and what is wrong with it.
 */
export async function importPlugin(path: string, directory: string = process.cwd()): Promise<Plugin> {
  const file = pluginFile(path, directory)
  let module: { readonly default?: unknown }
  try {
    module = await importLatest(file)
  } catch (error) {
    throw importFailure(file, error)
  }
  // A CommonJS file compiled from ES modules carries its default one level deeper.
  const exported = module.default as { readonly default?: unknown } | undefined
  const isWrapped = typeof exported === 'object' && exported !== null && 'default' in exported
  return checkPlugin(isWrapped ? exported.default : exported, file)
}

/** The module file that a path stands for: itself, or the entry of the package in the folder. Throws a HookmqError. */
export function pluginFile(path: string, directory: string = process.cwd()): string {
  const file = resolve(directory, path)
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats?.isDirectory() === true) return readPackage(file).entry
  if (stats === undefined) throw new HookmqError('PLUGIN_NOT_FOUND', `plugin ${path}: no such file: ${file}`)
  if (!moduleExtensions.has(extname(file)))
    throw new HookmqError(
      'PLUGIN_NOT_FOUND',
      `plugin ${path}: ${extname(file) === '' ? 'a file without an extension' : `'${extname(file)}'`} is not a module; expected a file that ends in ${[...moduleExtensions].join(', ')}`,
    )
  return file
}

/** What a failing setup function threw, with the line of the plugin's own file when the stack has it. */
export function setupFailure(name: string, origin: string | undefined, error: unknown): HookmqError {
  if (error instanceof HookmqError) return error
  const at = origin === undefined ? undefined : placeInStack(error, origin)
  const where = at ?? origin
  const code = error instanceof PluginSetupTimeout ? 'PLUGIN_TIMEOUT' : 'PLUGIN_SETUP'
  const place = where === undefined ? '' : ` (${where})`
  const what = error instanceof PluginSetupTimeout ? messageOf(error) : `setup failed: ${messageOf(error)}`
  return new HookmqError(code, `plugin ${name}${place}: ${what}`, { cause: error })
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
