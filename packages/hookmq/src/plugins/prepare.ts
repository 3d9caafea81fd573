import type { Plugin } from '@hookmq/api'
import { checkPlugin } from './check.ts'
import { importPlugin, pluginFile } from './load.ts'

/** A plugin to load: the object itself, or the path of a module (or package) that default-exports one; with its settings. */
export type PluginSpec =
  | Plugin
  | string
  | { readonly plugin: Plugin | string; readonly config?: Readonly<Record<string, string>> }

/** A plugin whose module has been imported and checked. */
export interface PreparedPlugin {
  readonly plugin: Plugin
  /** The module file that it came from. */
  readonly file?: string
  /** As it was given, for messages. */
  readonly origin?: string
  /** Settings of the embedding program: they win over files. */
  readonly config?: Readonly<Record<string, string>>
}

/** Imports and checks, nothing is set up. Rejects with a HookmqError. */
export async function preparePlugin(spec: PluginSpec): Promise<PreparedPlugin> {
  if (typeof spec === 'string') return prepareFile(spec, undefined)
  const { plugin, config } = 'plugin' in spec ? spec : { plugin: spec, config: undefined }
  if (typeof plugin === 'string') return prepareFile(plugin, config)
  return { plugin: checkPlugin(plugin, 'given to the broker'), config }
}

async function prepareFile(path: string, config: PreparedPlugin['config']): Promise<PreparedPlugin> {
  return { plugin: await importPlugin(path), file: pluginFile(path), origin: path, config }
}
