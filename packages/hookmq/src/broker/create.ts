import { loadConfig } from '@hookmq/config'
import { findConfig } from '../config/files.ts'
import { preparePlugin } from '../plugins/prepare.ts'
import { version } from '../version.ts'
import { type BrokerParts, HookmqBroker } from './hookmq.ts'
import type { CreateBrokerOptions } from './options.ts'
import { partsOfConfig } from './parts.ts'

/**
 * Puts a broker together; nothing runs and nothing is bound before its `start`. Rejects with a HookmqError or a
 * ConfigError when an option, the configuration file or a plugin module is not usable.
 *
 *     const broker = await createBroker({ listeners: [{ type: 'tcp', port: 1883 }] })
 *     await broker.start()
 */
export async function createBroker(init: CreateBrokerOptions = {}): Promise<HookmqBroker> {
  const { listeners, plugins = [], retained, configFile, set, ...own } = init
  const configured = await configure(configFile, set)
  const prepared = [...configured.plugins]
  for (const spec of plugins) prepared.push(await preparePlugin(spec))
  return new HookmqBroker({
    options: { version, ...configured.options, ...own },
    listeners: listeners ?? configured.listeners,
    plugins: prepared,
    retained,
  })
}

type Configured = Pick<BrokerParts, 'options' | 'listeners' | 'plugins'>

async function configure(
  file: string | undefined,
  set: Readonly<Record<string, string>> | undefined,
): Promise<Configured> {
  const assignments = Object.entries(set ?? {}).map(([key, value]) => `${key}=${value}`)
  if (file !== undefined) {
    const { home } = findConfig(file)
    return partsOfConfig(loadConfig({ file, home, set: assignments }), home)
  }
  if (set === undefined) return { options: {}, listeners: [], plugins: [] }
  const config = loadConfig({ text: '', set: assignments })
  // The defaults of the command (its listeners, its access rules) are files and ports that nobody here asked for.
  const { sources } = config
  const asked = config.listeners.filter(({ kind, name }) => sources.has(`listener.${kind}.${name}`))
  const aclFile = sources.has('acl_file') ? config.aclFile : undefined
  return partsOfConfig({ ...config, listeners: asked, aclFile }, process.cwd())
}
