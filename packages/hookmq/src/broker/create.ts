import { resolve } from 'node:path'
import { type Config, loadConfig } from '@hookmq/config'
import { findConfig } from '../config/files.ts'
import type { PluginSpec } from '../plugins/prepare.ts'
import { version } from '../version.ts'
import { type BrokerParts, HookmqBroker } from './hookmq.ts'
import type { CreateBrokerOptions } from './options.ts'
import { partsOfConfig } from './parts.ts'
import { keep, type OpenStore, storeOf } from './store.ts'

/**
 * Puts a broker together; nothing runs and nothing is bound before its `start`. Rejects with a HookmqError or a
 * ConfigError when an option, the configuration file or a plugin module is not usable.
 *
 *     const broker = await createBroker({ listeners: [{ type: 'tcp', port: 1883 }] })
 *     await broker.start()
 */
export async function createBroker(init: CreateBrokerOptions = {}): Promise<HookmqBroker> {
  const { listeners, plugins = [], retained, store, dataDir, configFile, set, ...own } = init
  const { config, ...configured } = await configure(configFile, set, plugins)
  return new HookmqBroker({
    ...configured,
    options: { version, ...configured.options, ...own },
    listeners: listeners ?? configured.listeners,
    retained,
    store: store === undefined ? storeIn(config, dataDir) : keep(store),
  })
}

/** Files are written only where somebody asked for it. */
function storeIn(config: Config, dataDir: string | undefined): OpenStore | undefined {
  if (dataDir === undefined && !config.sources.has('store.type')) return undefined
  return storeOf(config.store, dataDir === undefined ? config.dataDir : resolve(dataDir), { lock: true })
}

interface Configured extends Pick<BrokerParts, 'options' | 'listeners' | 'plugins' | 'pluginNames' | 'places'> {
  readonly config: Config
}

async function configure(
  file: string | undefined,
  set: Readonly<Record<string, string>> | undefined,
  plugins: readonly PluginSpec[],
): Promise<Configured> {
  const assignments = Object.entries(set ?? {}).map(([key, value]) => `${key}=${value}`)
  if (file !== undefined) {
    const { home } = findConfig(file)
    const config = loadConfig({ file, home, set: assignments, pluginKeys: 'keep' })
    const { problems: _, places, ...parts } = await partsOfConfig(config, home, plugins)
    // The plugins of a new data folder are for operators of the command; a program names its own.
    return { config, ...parts, places: places && { ...places, initial: [] } }
  }
  const config = loadConfig({ text: '', set: assignments, pluginKeys: 'keep' })
  // The defaults of the command (its listeners, its access rules, its folders) are files and ports that nobody here asked for.
  const { sources } = config
  const asked = config.listeners.filter(({ kind, name }) => sources.has(`listener.${kind}.${name}`))
  const aclFile = sources.has('acl_file') ? config.aclFile : undefined
  const home = process.cwd()
  const parts = await partsOfConfig({ ...config, listeners: asked, aclFile }, home, plugins)
  const folders = sources.has('plugins.etc_dir') ? [config.plugins.etcDir] : []
  const { loadedFile } = config.plugins
  return {
    config,
    options: set === undefined ? {} : parts.options,
    listeners: parts.listeners,
    plugins: parts.plugins,
    pluginNames: parts.pluginNames,
    places: { home, folders, dir: config.plugins.dir, overrides: config.plugins.overrides, loadedFile },
  }
}
