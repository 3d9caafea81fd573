import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { databaseFile, folder, openStore } from './folder.testing.ts'
import { backupStore, checkStore, compactStore } from './maintenance.ts'
import { SqliteStore } from './sqlite-store.ts'

async function fill(store: SqliteStore, count: number): Promise<void> {
  const values = store.namespace('plugin')
  await Promise.all(Array.from({ length: count }, (_, index) => values.put(`key/${index}`, 'x'.repeat(200))))
}

test('a store in use is checked and copied; the copy is a store that has what was there', async (t) => {
  const file = databaseFile(t)
  const store = await openStore(t, { file })
  await fill(store, 1000)
  assert.deepEqual(checkStore(file), [])
  const target = join(folder(t), "it's a copy.db")
  backupStore(file, target)
  await store.namespace('plugin').put('later', 1)
  const copy = await openStore(t, { file: target })
  assert.equal(statSync(target).mode & 0o777, 0o600)
  assert.equal(await copy.namespace('plugin').get('key/999'), 'x'.repeat(200))
  assert.equal(await copy.namespace('plugin').get('later'), undefined)
})

test('a backup is never written over a file', async (t) => {
  const file = databaseFile(t)
  await fill(await openStore(t, { file }), 1)
  const target = join(folder(t), 'precious')
  writeFileSync(target, 'mine')
  assert.throws(() => backupStore(file, target), /precious: exists already; a backup is written to a new file/)
  assert.equal(readFileSync(target, 'utf8'), 'mine')
})

test('check says what is wrong with a damaged file', async (t) => {
  const file = databaseFile(t)
  const store = await SqliteStore.open({ file })
  await fill(store, 2000)
  await store.close()
  const bytes = readFileSync(file)
  bytes.fill(0xa5, bytes.length - 8 * 4096)
  writeFileSync(file, bytes)
  const faults = checkStore(file)
  assert.ok(faults.length > 0)
  for (const fault of faults) assert.match(fault, /\S/)
})

test('compact gives back what was deleted, and keeps the rest', async (t) => {
  const file = databaseFile(t)
  const store = await SqliteStore.open({ file })
  await fill(store, 5000)
  const values = store.namespace('plugin')
  await Promise.all(Array.from({ length: 4990 }, (_, index) => values.delete(`key/${index}`)))
  await store.close()
  const before = statSync(file).size
  compactStore(file)
  assert.ok(statSync(file).size < before / 10, `${statSync(file).size} of ${before}`)
  const again = await openStore(t, { file })
  assert.equal(await again.namespace('plugin').get('key/4999'), 'x'.repeat(200))
})

test('no file is no store, and none is made', async (t) => {
  const file = databaseFile(t)
  for (const run of [checkStore, compactStore])
    assert.throws(() => run(file), /hookmq\.db: there is no store; name the data folder/)
  assert.throws(() => statSync(file), { code: 'ENOENT' })
})
