import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { HookmqError } from '../errors.ts'

/** A folder with a package.json that has a plugin in it. Nothing of it has been imported. */
export interface PluginPackage {
  readonly folder: string
  /** As package.json has it. */
  readonly packageName: string
  /** What the plugin is most likely called: `hookmq.plugin`, else the package's name without `plugin-` and the like. */
  readonly name: string
  readonly version: string
  readonly description: string
  /** Commands that it registers, from `hookmq.commands`, with their subcommand if they have one: whoever types one of them is told what to load. */
  readonly commands: readonly string[]
  /** The module file. */
  readonly entry: string
}

const entries = [
  'index.ts',
  'index.mts',
  'index.js',
  'index.mjs',
  'src/index.ts',
  'src/index.js',
  'plugin.ts',
  'plugin.js',
]

/** Throws a HookmqError with code PLUGIN_PACKAGE. */
export function readPackage(folder: string): PluginPackage {
  const file = join(folder, 'package.json')
  const wrong = (problem: string, cause?: unknown): HookmqError =>
    new HookmqError('PLUGIN_PACKAGE', `plugin ${folder}: ${problem}`, { cause })
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw wrong('the folder has no package.json that can be read; name the module file, or make it a package', error)
  }
  let manifest: Record<string, unknown>
  try {
    manifest = JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    throw wrong(`package.json is not JSON: ${error instanceof Error ? error.message : String(error)}`, error)
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest))
    throw wrong('package.json is not an object')
  const entry = entryOf(folder, manifest)
  if (entry === undefined)
    throw wrong(
      "package.json names no module that exists; expected 'exports' with '.', 'main', or a file index.ts or src/index.ts",
    )
  const packageName = textOf(manifest.name) ?? basename(folder)
  return {
    folder,
    packageName,
    name:
      pluginOf(manifest.hookmq) ??
      packageName.replace(/^@[^/]+\//, '').replace(/^(?:hookmq-)?(?:plugin-|provider-)?/, ''),
    version: textOf(manifest.version) ?? '0.0.0',
    description: textOf(manifest.description) ?? '',
    commands: commandsOf(manifest.hookmq),
    entry,
  }
}

function commandsOf(own: unknown): string[] {
  const commands = typeof own === 'object' && own !== null && 'commands' in own ? own.commands : undefined
  return Array.isArray(commands) ? commands.filter((name) => typeof name === 'string') : []
}

function pluginOf(own: unknown): string | undefined {
  return typeof own === 'object' && own !== null && 'plugin' in own ? textOf(own.plugin) : undefined
}

function entryOf(folder: string, manifest: Record<string, unknown>): string | undefined {
  const named = targetOf(manifest.exports) ?? textOf(manifest.main)
  const candidates = named === undefined ? entries : [named]
  return candidates.map((path) => join(folder, path)).find((path) => existsSync(path))
}

/** The file of `"."` in `exports`, which may be under conditions. */
function targetOf(exported: unknown): string | undefined {
  if (typeof exported === 'string') return exported
  if (typeof exported !== 'object' || exported === null) return undefined
  const map = exported as Record<string, unknown>
  for (const key of ['.', 'node', 'import', 'module-sync', 'default', 'require']) {
    const target = targetOf(map[key])
    if (target !== undefined) return target
  }
  return undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
