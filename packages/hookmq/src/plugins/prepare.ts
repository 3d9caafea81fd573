import type { Plugin } from '@hookmq/api'
import { checkPlugin, importPlugin } from './load.ts'

/** A plugin to load: the object itself, or the path of a module that default-exports one; with its settings. */
export type PluginSpec =
  | Plugin
  | string
  | { readonly plugin: Plugin | string; readonly config?: Readonly<Record<string, string>> }

/** A plugin whose module has been imported and checked. */
export interface PreparedPlugin {
  readonly plugin: Plugin
  /** The file that it came from. */
  readonly origin?: string
  readonly config: Readonly<Record<string, string>>
}

/** Imports and checks, nothing is set up. Rejects with a HookmqError. */
export async function preparePlugin(spec: PluginSpec): Promise<PreparedPlugin> {
  if (typeof spec === 'string') return { plugin: await importPlugin(spec), origin: spec, config: {} }
  const { plugin, config = {} } = 'plugin' in spec ? spec : { plugin: spec }
  if (typeof plugin === 'string') return { plugin: await importPlugin(plugin), origin: plugin, config }
  return { plugin: checkPlugin(plugin, 'given to the broker'), config }
}
