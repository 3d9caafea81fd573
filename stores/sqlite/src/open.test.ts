import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { databaseFile, folder, openStore, type Scope } from './folder.testing.ts'
import { SqliteStore } from './sqlite-store.ts'

/** A file with 2000 values in it, closed. */
async function filled(scope: Scope): Promise<string> {
  const file = databaseFile(scope)
  const store = await SqliteStore.open({ file })
  const values = store.namespace('plugin')
  await Promise.all(Array.from({ length: 2000 }, (_, index) => values.put(`key/${index}`, `value ${index}`)))
  await store.close()
  return file
}

function change(file: string, sql: string): void {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}

/** One line: the file, what is wrong, what to do. */
async function refuses(file: string, code: string, words: RegExp): Promise<void> {
  await assert.rejects(SqliteStore.open({ file }), (error: Error & { code?: string }) => {
    assert.equal(error.code, code, error.message)
    assert.ok(error.message.startsWith(`${file}: `), error.message)
    assert.match(error.message, words)
    assert.doesNotMatch(error.message, /\n/)
    return true
  })
}

describe('a file that is used again', () => {
  test('has all that was stored when it was closed', async (t) => {
    const file = await filled(t)
    const store = await openStore(t, { file })
    const values = store.namespace('plugin')
    assert.equal(await values.get('key/1999'), 'value 1999')
    let count = 0
    for await (const [key, value] of values.list('key/')) {
      assert.equal(value, `value ${key.slice(4)}`)
      count++
    }
    assert.equal(count, 2000)
  })

  test('leaves one file when it is closed, which only its owner may read', async (t) => {
    const file = await filled(t)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.throws(() => statSync(`${file}-wal`), { code: 'ENOENT' })
  })

  test('is marked with what it is and which schema it has', async (t) => {
    const database = new DatabaseSync(await filled(t), { readOnly: true })
    assert.deepEqual({ ...database.prepare('PRAGMA application_id').get() }, { application_id: 0x486b4d51 })
    assert.deepEqual({ ...database.prepare('PRAGMA user_version').get() }, { user_version: 4 })
    assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' })
    database.close()
  })

  test('its folder is made when it is not there', async (t) => {
    const file = join(folder(t), 'a', 'b', 'hookmq.db')
    const store = await openStore(t, { file })
    await store.namespace('plugin').put('a', 1)
  })
})

describe('a file that cannot be used is refused in one line', () => {
  test('a later version: which schema, and nothing in it is changed', async (t) => {
    const file = await filled(t)
    change(file, 'PRAGMA user_version = 7')
    const before = readFileSync(file)
    await refuses(
      file,
      'STORE_NEWER',
      /by a later version of HookMQ \(its schema is 7, this one knows those up to 4\); start that version/,
    )
    assert.deepEqual(readFileSync(file), before)
  })

  test('a database of another program', async (t) => {
    const file = databaseFile(t)
    change(file, 'CREATE TABLE photos (id INTEGER)')
    await refuses(file, 'STORE_FOREIGN', /a database of another program; move it away/)
  })

  test('no database at all', async (t) => {
    const file = databaseFile(t)
    writeFileSync(file, 'shopping list: eggs, milk, bread\n'.repeat(500))
    await refuses(
      file,
      'STORE_FOREIGN',
      /no database of HookMQ, or its beginning is damaged; put a backup in its place/,
    )
  })

  test('damaged where it begins', async (t) => {
    const file = await filled(t)
    const bytes = readFileSync(file)
    bytes.fill(0x5a, 100, 4096)
    writeFileSync(file, bytes)
    await refuses(file, 'STORE_CORRUPT', /the database is damaged.*`hookmq store check`/)
  })

  test('another program holds it', async (t) => {
    const file = await filled(t)
    const other = new DatabaseSync(file)
    t.after(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    await refuses(file, 'STORE_LOCKED', /another program holds this database; end it/)
  })

  test('a folder in its place', async (t) => {
    const file = databaseFile(t)
    mkdirSync(file)
    await refuses(file, 'STORE_READ_ONLY', /cannot be opened or written.*check the owner and permissions/)
  })

  // Nobody forbids root anything: the user nobody tries then.
  const root = process.getuid?.() === 0
  const skip = process.platform === 'win32' ? 'has no such permissions' : false
  for (const what of ['folder', 'file'] as const) {
    test(`a ${what} that may only be read`, { skip }, async (t) => {
      const path = folder(t)
      const file = join(path, 'hookmq.db')
      if (what === 'file') await (await SqliteStore.open({ file })).close()
      chmodSync(path, what === 'folder' ? 0o555 : 0o777)
      if (what === 'file') chmodSync(file, 0o444)
      const { stdout } = spawnSync(
        process.execPath,
        [fileURLToPath(new URL('./open.testing.ts', import.meta.url)), file],
        {
          encoding: 'utf8',
          ...(root ? { uid: 65_534, gid: 65_534 } : {}),
        },
      )
      assert.match(
        stdout,
        /^STORE_READ_ONLY .*hookmq\.db: cannot be opened or written.*check the owner and permissions/,
      )
    })
  }
})

test('damage further inside is told by what meets it; the rest goes on', async (t) => {
  const file = await filled(t)
  const size = statSync(file).size
  const bytes = readFileSync(file)
  bytes.fill(0xa5, size - 8 * 4096)
  writeFileSync(file, bytes)
  const store = await openStore(t, { file })
  const values = store.namespace('plugin')
  const outcomes = await Promise.allSettled(Array.from({ length: 2000 }, (_, index) => values.get(`key/${index}`)))
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
  assert.ok(failed.length > 0)
  for (const { reason } of failed)
    assert.match(String(reason), /hookmq\.db: the database is damaged.*`hookmq store check`/)
  await store
    .namespace('other')
    .get('anything')
    .catch(() => {})
})

test('a file that was cut short is refused or told, never taken for an empty one', async (t) => {
  const file = await filled(t)
  truncateSync(file, 4096 * 2)
  const run = async (): Promise<unknown> => {
    const store = await openStore(t, { file })
    return store.namespace('plugin').get('key/1')
  }
  await assert.rejects(run, { code: 'STORE_CORRUPT' })
})

test('a program that is given on the command line can open a store', (t) => {
  const file = databaseFile(t)
  const program = `
    import { SqliteStore } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    const store = await SqliteStore.open({ file: ${JSON.stringify(file)} })
    await store.namespace('plugin').put('key', 1)
    console.log(await store.namespace('plugin').get('key'))
    await store.close()`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.equal(stdout, '1\n', stderr)
})
