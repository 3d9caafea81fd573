import type { Plugin } from '@hookmq/api'
import { inProcess, type PluginRunner } from '@hookmq/core'
import { HookmqError } from '../errors.ts'
import { readLimits } from './worker/limits.ts'
import { WorkerRunner } from './worker/runner.ts'

/** A plugin, and what there is to know about where its code is. */
export interface Placeable {
  readonly plugin: Plugin
  /** The module file; undefined for an object of the embedding program. */
  readonly file: string | undefined
  /** What the operator wants, by the settings `placement` and the like. */
  readonly host: Readonly<Record<string, string>>
}

/** Where the plugin is to run: what the operator says, else what the plugin says. Throws a HookmqError with code PLUGIN_PLACEMENT. */
export function runnerFor({ plugin, file, host }: Placeable): PluginRunner {
  const wanted = host.placement ?? plugin.placement ?? 'in-process'
  if (wanted === 'in-process') return inProcess(plugin)
  if (wanted !== 'worker')
    throw new HookmqError(
      'PLUGIN_PLACEMENT',
      `plugin ${plugin.name}: placement: expected in-process or worker, got ${JSON.stringify(wanted)}`,
    )
  if (file === undefined)
    throw new HookmqError(
      'PLUGIN_PLACEMENT',
      `plugin ${plugin.name}: a plugin that was given as an object cannot run in a worker; give the path of its module`,
    )
  return new WorkerRunner({ plugin, file, limits: readLimits(plugin.name, host) })
}
