import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Engine, EngineInit } from '../engine.ts'
import { StoreError, type StoreErrorCode } from '../errors.ts'
import { type AnyResult, type Operation, type Page, type Scan, type Stored, writes } from '../operations.ts'
import type { Query } from '../sessions/change.ts'
import { explain } from './explain.ts'
import { Journal } from './journal.ts'
import { openDatabase } from './open.ts'
import { tables } from './schema.ts'
import { SessionQueries } from './session-queries.ts'
import { SessionTables } from './session-tables.ts'

/** The disk takes nothing; what is on it can be read. */
const unwritable: ReadonlySet<StoreErrorCode> = new Set(['STORE_DISK_FULL', 'STORE_IO', 'STORE_READ_ONLY'])

type Row = [key: string, value: Stored]

interface Statements {
  readonly get: StatementSync
  readonly put: StatementSync
  readonly delete: StatementSync
  readonly clear: StatementSync
  readonly scan: StatementSync
  readonly scanBefore: StatementSync
}

/** node:sqlite as an engine. */
export class SqliteEngine implements Engine {
  transactions = 0
  readonly #file: string
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #beginRead: StatementSync
  readonly #commit: StatementSync
  readonly #statements = new Map<string, Statements>()
  readonly #journal: Journal
  readonly #queries: SessionQueries

  constructor(init: EngineInit) {
    this.#file = init.file
    this.#database = openDatabase(init)
    this.#begin = this.#database.prepare('BEGIN IMMEDIATE')
    this.#beginRead = this.#database.prepare('BEGIN')
    this.#commit = this.#database.prepare('COMMIT')
    this.#journal = new Journal(this.#database, new SessionTables(this.#database))
    this.#queries = new SessionQueries(this.#database)
    try {
      this.#transaction(true, () => this.#journal.settleAll(), 0)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  run(operations: readonly Operation[]): AnyResult[] {
    const writing = operations.some(writes)
    return this.#transaction(writing, () => operations.map((operation) => this.#do(operation)))
  }

  apply(batch: Uint8Array): void {
    this.#transaction(true, () => this.#journal.add(batch))
  }

  read(query: Query, unwritten: readonly Uint8Array[] = []): unknown {
    const read = (): unknown => this.#queries.read(query)
    if (query.kind === 'run') return this.#transaction(true, read, 0)
    if (unwritten.length > 0) return this.#laid(query, unwritten)
    const hidden = this.#journal.hides(query)
    if (!hidden) {
      const found = this.#transaction(false, read, 0)
      if (query.kind !== 'due' || (found as readonly string[]).length === 0 || !this.#journal.hidesLess()) return found
    }
    if (query.kind === 'session' && this.#journal.hidesLittle(query.session)) return this.#laid(query, [])
    const settled = (): unknown => {
      this.#journal.settleAll()
      return read()
    }
    try {
      return this.#transaction(true, settled, 0)
    } catch (error) {
      // To read does not need a disk that takes something.
      if (error instanceof StoreError && unwritable.has(error.code)) return this.#laid(query, [])
      throw error
    }
  }

  /** Reads with rows that are there for this purpose only: nothing is written. */
  #laid(query: Query, unwritten: readonly Uint8Array[]): unknown {
    const database = this.#database
    // Not to the disk before its time either.
    database.exec('PRAGMA cache_spill = OFF')
    try {
      this.#begin.run()
      this.#journal.lay('session' in query ? query.session : undefined, unwritten)
      return this.#queries.read(query)
    } catch (error) {
      throw explain(this.#file, error)
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK')
      database.exec('PRAGMA cache_spill = ON')
    }
  }

  #transaction<Result>(writing: boolean, work: () => Result, counts = 1): Result {
    try {
      if (writing) this.#begin.run()
      else this.#beginRead.run()
      const result = work()
      this.#commit.run()
      if (writing) this.transactions += counts
      return result
    } catch (error) {
      // A full disk ends the transaction by itself.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      this.#journal.forget()
      throw explain(this.#file, error)
    }
  }

  close(): void {
    try {
      this.#transaction(true, () => this.#journal.settleAll(), 0)
    } catch {
      // The next start does it.
    }
    this.#database.close()
  }

  #do(operation: Operation): AnyResult {
    const { space } = operation
    const statements = this.#of(operation.table)
    switch (operation.kind) {
      case 'get':
        return (statements.get.get(space, operation.key) as unknown as [Stored] | undefined)?.[0]
      case 'put':
        statements.put.run(space, operation.key, operation.value)
        return undefined
      case 'delete':
        return statements.delete.run(space, operation.key).changes !== 0
      case 'clear':
        statements.clear.run(space)
        return undefined
      case 'scan':
        return scan(statements, operation)
    }
  }

  #of(table: string): Statements {
    let statements = this.#statements.get(table)
    if (statements === undefined) {
      // It becomes a part of the statement's text.
      if (!tables.has(table)) throw new TypeError(`the store has no table '${table}'`)
      statements = prepare(this.#database, table)
      this.#statements.set(table, statements)
    }
    return statements
  }
}

function prepare(database: DatabaseSync, table: string): Statements {
  const rows = (text: string): StatementSync => {
    const statement = database.prepare(text)
    statement.setReturnArrays(true)
    return statement
  }
  return {
    get: rows(`SELECT value FROM ${table} WHERE space = ? AND key = ?`),
    put: database.prepare(
      `INSERT INTO ${table} (space, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
    ),
    delete: database.prepare(`DELETE FROM ${table} WHERE space = ? AND key = ?`),
    clear: database.prepare(`DELETE FROM ${table} WHERE space = ?`),
    scan: rows(`SELECT key, value FROM ${table} WHERE space = ? AND key >= ? ORDER BY key`),
    scanBefore: rows(`SELECT key, value FROM ${table} WHERE space = ? AND key >= ? AND key < ? ORDER BY key`),
  }
}

function scan(statements: Statements, { space, from, after, before, limit, size }: Scan): Page {
  const rows =
    before === undefined ? statements.scan.iterate(space, from) : statements.scanBefore.iterate(space, from, before)
  const keys: string[] = []
  const values: Stored[] = []
  let read = 0
  // Leaving the loop ends the statement.
  for (const row of rows) {
    const [key, value] = row as unknown as Row
    if (after && key === from) continue
    keys.push(key)
    values.push(value)
    read += value.length
    if (keys.length === limit || read >= size) return { keys, values, more: true }
  }
  return { keys, values, more: false }
}
