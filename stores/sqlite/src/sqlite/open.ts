import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EngineInit } from '../engine.ts'
import { StoreError } from '../errors.ts'
import { explain } from './explain.ts'
import { applicationId, migrations } from './schema.ts'

/** Milliseconds to wait for another program that has the file for a moment, such as a backup. */
const patience = 5000

/** Bytes that the write-ahead log keeps on disk after a checkpoint. */
const logSize = 64 * 1024 * 1024

/** Pages that the write-ahead log may grow to before they are moved to the database. */
const checkpointPages = 4000

/** How SQLite syncs the write-ahead log: after each commit; before a checkpoint; never. */
const synchronous = { fsync: 'FULL', os: 'NORMAL', none: 'OFF' } as const

/**
 * Opens the file, makes it when it is not there, and brings its schema up to date.
 * @throws StoreError
 */
export function openDatabase({ file, durability }: EngineInit): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true })
    // It holds hashes of passwords and what clients sent: its log files get the same permissions.
    closeSync(openSync(file, 'a', 0o600))
    database = new DatabaseSync(file, { timeout: patience })
    requireOwn(database, file)
    const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string }
    if (mode !== 'wal')
      throw new StoreError(
        'STORE_IO',
        `${file}: this file system cannot share memory; set node.data_dir to a local disk`,
      )
    // fullfsync: on macOS a plain fsync stops at the cache of the drive.
    database.exec(
      `PRAGMA synchronous = ${synchronous[durability]}; PRAGMA fullfsync = ${durability === 'fsync' ? 1 : 0}`,
    )
    database.exec(`PRAGMA journal_size_limit = ${logSize}; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY`)
    database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`)
    migrate(database, file)
    return database
  } catch (error) {
    database?.close()
    throw explain(file, systemError(file, error))
  }
}

/** Before anything is written: the file may be somebody else's, or of a version that this one does not know. */
function requireOwn(database: DatabaseSync, file: string): void {
  const id = pragma(database, 'application_id')
  if (id !== applicationId) {
    const { count } = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number }
    if (id !== 0 || count !== 0)
      throw new StoreError(
        'STORE_FOREIGN',
        `${file}: this is a database of another program; move it away, or set node.data_dir to another folder`,
      )
  }
  const version = pragma(database, 'user_version')
  if (version > migrations.length)
    throw new StoreError(
      'STORE_NEWER',
      `${file}: written by a later version of HookMQ (its schema is ${version}, this one knows those up to ${migrations.length}); ` +
        'start that version, or put a backup of before in its place',
    )
}

function migrate(database: DatabaseSync, file: string): void {
  // Also when there is nothing to do: a file that cannot be written is told from one that can.
  database.exec('BEGIN IMMEDIATE')
  // Another process may have come first.
  requireOwn(database, file)
  const version = pragma(database, 'user_version')
  for (const step of migrations.slice(version)) database.exec(step)
  if (version < migrations.length)
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
  database.exec('COMMIT')
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, number>
  return row[name]
}

/** What the file system said, before SQLite was asked. */
function systemError(file: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined || error instanceof StoreError || code === 'ERR_SQLITE_ERROR') return error
  if (code === 'ENOSPC')
    return new StoreError('STORE_DISK_FULL', `${file}: the disk is full; make room and start again`, { cause: error })
  return new StoreError(
    'STORE_READ_ONLY',
    `${file}: cannot be opened or written (${message}); check the owner and permissions of the file and its folder, or set node.data_dir`,
    { cause: error },
  )
}
