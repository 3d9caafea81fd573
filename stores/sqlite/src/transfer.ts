import { closeSync, existsSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { StringDecoder } from 'node:string_decoder'
import { StoreError } from './errors.ts'
import { explain } from './sqlite/explain.ts'
import { Journal } from './sqlite/journal.ts'
import { openDatabase } from './sqlite/open.ts'
import { exportedTables, migrations } from './sqlite/schema.ts'
import { SessionTables } from './sqlite/session-tables.ts'

type Value = string | number | null | Uint8Array
type Written = string | number | null | { readonly base64: string }

interface Header {
  readonly format: 'hookmq-store'
  readonly schema: number
}

/** Bytes that are read or written at once. */
const chunkSize = 256 * 1024

/**
 * Writes all that is stored at this moment into a new text file, one line of JSON for each row, also while a broker uses the store.
 * Returns the number of rows.
 * @throws StoreError also when `target` exists
 */
export function exportStore(file: string, target: string): number {
  if (!existsSync(file))
    throw new StoreError(
      'STORE_READ_ONLY',
      `${file}: there is no store; name the data folder of the broker with --data-dir`,
    )
  const database = openDatabase({ file, durability: 'fsync' })
  let output: number
  try {
    output = openSync(target, 'wx', 0o600)
  } catch (error) {
    database.close()
    throw new StoreError(
      'STORE_READ_ONLY',
      `${target}: cannot be made (${(error as Error).message}); an export is written to a new file`,
      {
        cause: error,
      },
    )
  }
  try {
    settle(database)
    let text = `${JSON.stringify({ format: 'hookmq-store', schema: migrations.length } satisfies Header)}\n`
    let rows = 0
    // One moment for all tables.
    database.exec('BEGIN')
    for (const table of exportedTables) {
      const statement = database.prepare(`SELECT * FROM ${table}`)
      for (const row of statement.iterate()) {
        text += `${JSON.stringify([table, mapValues(row as Record<string, Value>, write)])}\n`
        rows++
        if (text.length < chunkSize) continue
        writeSync(output, text)
        text = ''
      }
    }
    writeSync(output, text)
    fsyncSync(output)
    return rows
  } catch (error) {
    rmSync(target, { force: true })
    throw explain(file, error)
  } finally {
    closeSync(output)
    database.close()
  }
}

/**
 * Fills a new store with what `exportStore` wrote: all of it, or nothing. Returns the number of rows.
 * @throws StoreError also when there is a store, and for a line that is none of an export
 */
export function importStore(file: string, source: string): number {
  if (existsSync(file))
    throw new StoreError(
      'STORE_READ_ONLY',
      `${file}: there is a store already; move it away, an import begins a new one`,
    )
  const database = openDatabase({ file, durability: 'fsync' })
  let done = false
  try {
    database.exec('BEGIN')
    let number = 0
    for (const line of linesOf(source)) {
      number++
      try {
        if (number === 1) requireReadable(JSON.parse(line) as Partial<Header>)
        else {
          const [table, row] = JSON.parse(line) as [string, Record<string, Written>]
          if (!exportedTables.includes(table)) throw new TypeError(`there is no table '${table}'`)
          const columns = Object.keys(row)
          if (!columns.every((column) => /^[a-z]+$/.test(column))) throw new TypeError('not a row of a store')
          database
            .prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
            .run(...Object.values(mapValues(row, read)))
        }
      } catch (error) {
        if (error instanceof StoreError) throw error
        throw new StoreError(
          'STORE_FOREIGN',
          `${source}:${number}: not a line of an export (${(error as Error).message}); nothing was imported`,
        )
      }
    }
    if (number === 0) throw new StoreError('STORE_FOREIGN', `${source}: the file is empty; nothing was imported`)
    database.exec('COMMIT')
    done = true
    return number - 1
  } catch (error) {
    throw explain(file, error)
  } finally {
    database.close()
    if (!done) for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
  }
}

/** What a broker has stored and not made rows of. */
function settle(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE')
  new Journal(database, new SessionTables(database)).settleAll()
  database.exec('COMMIT')
}

function requireReadable({ format, schema }: Partial<Header>): void {
  if (format !== 'hookmq-store' || schema === undefined)
    throw new TypeError('it must begin with {"format":"hookmq-store",…}')
  if (schema > migrations.length)
    throw new StoreError(
      'STORE_NEWER',
      `the export is of a later version (schema ${schema}, this program knows those up to ${migrations.length})`,
    )
}

function mapValues<From, To>(row: Record<string, From>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, change(value)]))
}

function write(value: Value): Written {
  return value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value
}

function read(value: Written): Value {
  return typeof value === 'object' && value !== null ? Buffer.from(value.base64, 'base64') : value
}

function* linesOf(path: string): Generator<string> {
  let input: number
  try {
    input = openSync(path, 'r')
  } catch (error) {
    throw new StoreError('STORE_READ_ONLY', `${path}: cannot be read (${(error as Error).message})`, { cause: error })
  }
  try {
    const decoder = new StringDecoder('utf8')
    const chunk = Buffer.alloc(chunkSize)
    let rest = ''
    for (let length = readSync(input, chunk); length > 0; length = readSync(input, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, length))).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    if (rest !== '') yield rest
  } finally {
    closeSync(input)
  }
}
