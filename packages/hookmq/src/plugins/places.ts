import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { type Config, ConfigError, declaresKey, parseConf, readPluginConfig } from '@hookmq/config'
import { joinKey } from '@hookmq/kit'
import { HookmqError } from '../errors.ts'
import { Catalogue } from './catalogue.ts'
import { importPlugin } from './load.ts'
import type { PluginPlaces } from './manager.ts'
import type { PreparedPlugin } from './prepare.ts'

/** What a broker with a new data folder loads. From then on the file there decides. */
const initialPlugins = ['management', 'presence', 'exhook']

/** Where a configuration says that plugins are. `home`: the folder that relative paths in its file are in. */
export function placesOf(config: Config, home: string): PluginPlaces {
  const { etcDir, dir, loadedFile, overrides } = config.plugins
  return {
    home,
    folders: [etcDir],
    dir,
    overrides,
    loadedFile: loadedFile ?? join(config.dataDir, 'loaded_plugins'),
    initial: initialPlugins,
  }
}

/**
 * Every key that is not the broker's own must be some plugin's: one that is given, one that could be loaded, or one whose file has the key.
 * Rejects with a ConfigError; its `all` has every unknown key.
 */
export async function requireKnownKeys(
  config: Config,
  places: PluginPlaces,
  given: readonly PreparedPlugin[],
): Promise<void> {
  const open = config.plugins.overrides.filter(({ unknown }) => unknown !== undefined)
  if (open.length === 0) return
  const inFiles = new Set(places.folders.flatMap(keysInFiles))
  const plugins = given.map(({ plugin }) => plugin)
  // Only now, because it imports every plugin there is.
  for (const one of new Catalogue(places).list()) {
    const plugin = await importPlugin(one.entry).catch(() => undefined)
    if (plugin !== undefined) plugins.push(plugin)
  }
  for (const name of config.plugins.load) {
    const source = await new Catalogue(places).find(name).catch(() => undefined)
    const plugin = source === undefined ? undefined : await importPlugin(source.file).catch(() => undefined)
    if (plugin !== undefined) plugins.push(plugin)
  }
  const errors = open
    .filter(({ words }) => !inFiles.has(joinKey(words)) && !plugins.some((plugin) => declaresKey(plugin, words)))
    .flatMap(({ unknown }) => (unknown === undefined ? [] : [unknown]))
  if (errors.length > 0) throw ConfigError.first(errors)
}

/**
 * Imports plugins by name and reads their settings, without setting them up. Resolves to lines about what the broker would warn of; rejects with what would
 * keep one from being loaded.
 */
export async function rehearsePlugins(names: readonly string[], places: PluginPlaces): Promise<string[]> {
  const catalogue = new Catalogue(places)
  const warnings: string[] = []
  for (const name of names) {
    const source = await catalogue.find(name)
    if (source === undefined)
      throw new HookmqError('PLUGIN_NOT_FOUND', `plugin ${name}: there is no plugin of this name`)
    const plugin = await importPlugin(source.file)
    const own = source.package === undefined ? [] : [join(source.package.folder, 'etc')]
    const init = { ...places, spelling: name, folders: [...places.folders, ...own] }
    warnings.push(...readPluginConfig(plugin, init).warnings)
  }
  return warnings
}

/** Keys of all NAME.conf in a folder: plugins that declare nothing have no others. A file that cannot be read is its plugin's trouble. */
function keysInFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => extname(name) === '.conf')
    .flatMap((name) => {
      try {
        return parseConf(readFileSync(join(folder, name), 'utf8'), basename(name), () => []).map(({ words }) =>
          joinKey(words),
        )
      } catch {
        return []
      }
    })
}
