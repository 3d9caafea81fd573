import type { BrokerAdmin, Logger } from '@hookmq/api'
import { messageOf } from '../errors.ts'

/** Milliseconds between two looks at the files. What was just saved is left alone until the next look: editors write in several steps. */
const interval = 250

/**
 * Reloads plugins whose files were saved, one after the other, and says in the log how it went. For writing plugins: every version of a changed
 * file stays in memory. Looks at the files instead of having the system tell, because that works on every file system and for files that
 * are replaced. Returns what ends it.
 */
export function watchPlugins(admin: BrokerAdmin, log: Logger, every = interval): () => void {
  let ended = false
  let timer: NodeJS.Timeout
  let settling = new Set<string>()

  async function look(): Promise<void> {
    const changed = await admin.changedPlugins()
    for (const name of changed) {
      if (ended) return
      if (!settling.has(name)) continue
      const began = performance.now()
      const outcome = await admin.reloadPlugin(name)
      if (outcome.ok)
        log.info('plugin reloaded, because it was saved', {
          plugin: name,
          milliseconds: Math.round(performance.now() - began),
        })
      else log.error('plugin was saved and could not be reloaded', { plugin: name, reason: outcome.error })
    }
    settling = new Set(changed.filter((name) => !settling.has(name)))
  }

  function next(): void {
    timer = setTimeout(() => {
      look()
        .catch((error: unknown) => log.error('watching plugins failed', { reason: messageOf(error) }))
        .finally(() => {
          if (!ended) next()
        })
    }, every)
    timer.unref()
  }

  next()
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
