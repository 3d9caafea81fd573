import { type FSWatcher, watch } from 'node:fs'
import type { Logger } from '@hookmq/api'
import { searchFolders } from './search-path.ts'
import type { DriverSettings } from './settings.ts'

/** Editors save a file in several steps, and one save often touches several files. Milliseconds. */
const quiet = 200

/** Calls `changed` soon after a source in the driver's folders was saved. Returns what ends it. */
export function watchHandler({ name, language, launch }: DriverSettings, log: Logger, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const soon = (): void => {
    clearTimeout(timer)
    timer = setTimeout(changed, quiet)
    timer.unref()
  }
  const watchers: FSWatcher[] = []
  const problem = (error: unknown): void =>
    log.warn(
      `driver ${name}: changes of its files cannot be noticed: ${error instanceof Error ? error.message : error}`,
    )
  try {
    for (const folder of searchFolders(launch)) {
      const watcher = watch(folder, { recursive: true, persistent: false }, (_event, file) => {
        if (file !== null && language.isSource(file)) soon()
      })
      watcher.on('error', problem)
      watchers.push(watcher)
    }
  } catch (error) {
    problem(error)
  }
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}
