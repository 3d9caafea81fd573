import { createHash } from 'node:crypto'
import type { PluginContext } from '@hookmq/api'

type Context = Pick<PluginContext, 'config' | 'terms' | 'store' | 'log'>

/** Of the plugin's store. */
const key = 'settings'

/**
 * Keeps settings that were changed while the plugin runs, as JSON, for the next time that it is loaded: until its file of settings says something else than
 * now. Rejects with what the store rejects with.
 */
export async function keepSettings({ config, terms, store }: Context, settings: unknown): Promise<void> {
  await store.put(key, { file: fingerprint(config, terms), settings })
}

/** What was kept; undefined when there is nothing, or when the plugin's file has changed since: then that counts again. */
export async function readKeptSettings({ config, terms, store, log }: Context): Promise<unknown> {
  const kept = await store.get(key)
  if (typeof kept !== 'object' || kept === null || !('file' in kept) || !('settings' in kept)) return undefined
  if (kept.file === fingerprint(config, terms)) return kept.settings
  await store.delete(key)
  log.info('settings that were changed over HTTP count no more: the file of settings was changed after that')
  return undefined
}

/** A hash, because there may be passwords among them. */
function fingerprint(config: Context['config'], terms: Context['terms']): string {
  const sorted = (entries: Readonly<Record<string, unknown>>): unknown[] =>
    Object.entries(entries).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([sorted(config), sorted(terms)]))
    .digest('hex')
}
