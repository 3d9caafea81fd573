import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from './errors.ts'
import { explain } from './sqlite/explain.ts'
import { openDatabase } from './sqlite/open.ts'

/** Faults that are told of one file; more of the same helps nobody. */
const maxFaults = 100

/** Looks through every page of the file, also while a broker uses it. Returns what is wrong with it, nothing when it is sound. */
export function checkStore(file: string): string[] {
  return using(file, (database) => {
    try {
      return database
        .prepare(`PRAGMA integrity_check(${maxFaults})`)
        .all()
        .flatMap((row) => String(row.integrity_check).split('\n'))
        .filter((line) => line !== 'ok' && !line.startsWith('***'))
    } catch (error) {
      // So damaged that the check itself cannot go on.
      if (explain(file, error).code === 'STORE_CORRUPT') return [(error as Error).message]
      throw error
    }
  })
}

/**
 * Writes what is stored at this moment into a new file, also while a broker uses the store.
 * @throws StoreError also when `target` exists: a backup is never written over
 */
export function backupStore(file: string, target: string): void {
  using(file, (database) => {
    let made: number
    try {
      // As the store itself: for its owner only.
      made = openSync(target, 'wx', 0o600)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const reason = code === 'EEXIST' ? 'exists already' : `cannot be made (${message})`
      throw new StoreError('STORE_READ_ONLY', `${target}: ${reason}; a backup is written to a new file`, {
        cause: error,
      })
    }
    try {
      database.prepare('VACUUM INTO ?').run(target)
      fsyncSync(made)
    } catch (error) {
      rmSync(target, { force: true })
      throw explain(file, error)
    } finally {
      closeSync(made)
    }
  })
}

/** Makes the file as small as what is in it. No broker must be using it. */
export function compactStore(file: string): void {
  using(file, (database) => {
    database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)')
  })
}

function using<Result>(file: string, run: (database: DatabaseSync) => Result): Result {
  if (!existsSync(file))
    throw new StoreError(
      'STORE_READ_ONLY',
      `${file}: there is no store; name the data folder of the broker with --data-dir`,
    )
  const database = openDatabase({ file, durability: 'fsync' })
  try {
    return run(database)
  } catch (error) {
    throw explain(file, error)
  } finally {
    database.close()
  }
}
