import { statSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * Modules of plugins, imported again when they have changed.
 *
 * A module that has been imported stays what it is for as long as the process lives; the same file under another URL is another module. So each
 * generation of a plugin has its number in the URLs of its entry and of whatever that imports by a relative path, however deep. What is imported by a
 * package's name is not imported again: it may be shared. Old generations stay in memory, so that a process that has reloaded a thousand changes
 * holds a thousand versions of those files.
 */

const marker = 'hookmq-generation'
const ownPackage = /^(hookmq|@hookmq\/(api|kit|mqtt))(\/|$)/
const require = createRequire(import.meta.url)

/** Files of one generation, with what they looked like when they were found. */
type Files = Map<string, string>

interface Generation {
  readonly files: Files
  readonly module: Promise<{ readonly default?: unknown }>
}

const filesOf = new Map<number, Files>()
/** The last generation of each entry. */
const latest = new Map<string, Generation>()
let generations = 0
let registered = false

/** The module of a plugin's entry: as it is imported already when none of its files has changed since, otherwise imported again. */
export async function importLatest(entry: string): Promise<{ readonly default?: unknown }> {
  registerResolve()
  const before = latest.get(entry)
  if (before !== undefined && !haveChanged(before.files)) return before.module
  // CommonJS has a cache of its own, by file.
  for (const file of before?.files.keys() ?? []) delete require.cache[file]
  const number = ++generations
  const files: Files = new Map([[entry, appearance(entry)]])
  filesOf.set(number, files)
  const module = import(`${pathToFileURL(entry).href}?${marker}=${number}`) as Promise<{ readonly default?: unknown }>
  latest.set(entry, { files, module })
  try {
    return await module
  } finally {
    // Later imports of this generation, if it makes any, are not looked for.
    filesOf.delete(number)
  }
}

/** Whether importing it now would give something else than last time; also after a failure. */
export function moduleHasChanged(entry: string): boolean {
  const before = latest.get(entry)
  return before !== undefined && haveChanged(before.files)
}

function haveChanged(files: Files): boolean {
  for (const [file, before] of files) if (appearance(file) !== before) return true
  return false
}

/** Changes when the file does, as far as its inode tells. */
export function appearance(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats === undefined ? 'absent' : `${stats.ino}:${stats.size}:${stats.mtimeMs}`
}

/**
 * Lets a plugin file that lies outside any package `import … from 'hookmq'` (or '@hookmq/api', '@hookmq/kit', '@hookmq/mqtt'): a copy that is installed
 * near the file wins, this installation is only the fallback. And passes the number of a generation on to what it imports. Idempotent.
 */
function registerResolve(): void {
  if (registered) return
  registered = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (ownPackage.test(specifier)) {
        try {
          return nextResolve(specifier, context)
        } catch (error) {
          const code = (error as NodeJS.ErrnoException).code
          if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error
          return nextResolve(specifier, { ...context, parentURL: import.meta.url })
        }
      }
      const resolved = nextResolve(specifier, context)
      const number = generationOf(context.parentURL)
      if (number === undefined || !/^\.{1,2}\/|^file:/.test(specifier) || !resolved.url.startsWith('file:'))
        return resolved
      const file = fileURLToPath(resolved.url)
      filesOf.get(number)?.set(file, appearance(file))
      if (context.conditions?.includes('require') === true || resolved.url.includes('?')) return resolved
      return { ...resolved, url: `${resolved.url}?${marker}=${number}` }
    },
  })
}

function generationOf(url: string | undefined): number | undefined {
  const found = url === undefined ? null : new RegExp(`[?&]${marker}=(\\d+)`).exec(url)
  return found === null ? undefined : Number(found[1])
}
