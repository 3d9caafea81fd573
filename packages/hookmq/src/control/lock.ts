import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HookmqError, messageOf } from '../errors.ts'

export interface DataLock {
  release(): void
}

/** SQLITE_BUSY: somebody else has it. */
const busy = 5

/** A file that nobody refers to is closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>()

/**
 * Makes the folder and takes it for this process: two brokers on the same files would spoil them. The lock is the system's own, held
 * through SQLite on an empty file, so it ends with the process however that ends. Throws a HookmqError: DATA_DIR_LOCKED
 * names the process that has it, DATA_DIR what cannot be written.
 */
export function lockDataDir(dataDir: string): DataLock {
  const pidFile = join(dataDir, 'hookmq.pid')
  let file: DatabaseSync
  try {
    mkdirSync(dataDir, { recursive: true })
    file = new DatabaseSync(join(dataDir, 'hookmq.lock'))
  } catch (error) {
    throw unusable(dataDir, error)
  }
  try {
    // Nothing is ever written, so no journal has to lie beside it.
    file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    file.close()
    if ((error as { errcode?: number }).errcode === busy) throw taken(dataDir, pidFile)
    throw unusable(dataDir, error)
  }
  try {
    writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    file.close()
    throw unusable(dataDir, error)
  }
  held.add(file)
  return {
    release() {
      if (!held.delete(file)) return
      rmSync(pidFile, { force: true })
      file.close()
    },
  }
}

function taken(dataDir: string, pidFile: string): HookmqError {
  let holder = ''
  try {
    const pid = readFileSync(pidFile, 'utf8').trim()
    if (/^\d+$/.test(pid)) holder = ` (process ${pid})`
  } catch {
    // It is only just starting, or just ending.
  }
  return new HookmqError(
    'DATA_DIR_LOCKED',
    `${dataDir}: another broker is using this data folder${holder}; stop it, or give this one its own with --data-dir`,
  )
}

function unusable(dataDir: string, error: unknown): HookmqError {
  return new HookmqError(
    'DATA_DIR',
    `${dataDir}: the data folder cannot be used: ${messageOf(error)}; check its owner and permissions, or set node.data_dir`,
    { cause: error },
  )
}
