import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'

export interface Scope {
  after(run: () => void | Promise<void>): void
}

/** A folder for one test. */
export function folder(scope: Scope): string {
  const path = mkdtempSync(join(tmpdir(), 'hookmq-store-'))
  scope.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function databaseFile(scope: Scope): string {
  return join(folder(scope), 'hookmq.db')
}

/** A store that is closed when the test ends; in a folder of its own when no file is named. */
export async function openStore(scope: Scope, options: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
  let store: SqliteStore | undefined
  // Before the folder goes.
  scope.after(() => store?.close())
  store = await SqliteStore.open({ file: options.file ?? databaseFile(scope), ...options })
  return store
}
