import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { SessionStore } from '@hookmq/api'
import { databaseFile, openStore } from '../folder.testing.ts'

/** More than the thread keeps of the file in memory. */
const sessions = 12_000
const record = new Uint8Array(3000)

/** A store with many sessions, all of them in the database itself. */
async function filled(store: SessionStore, file: string): Promise<void> {
  for (let number = 1; number <= sessions; number++) {
    store.putSession(number, `client-${number}`, undefined, record)
    if (number % 1000 === 0) await store.settled()
  }
  // Rows are made of the journal for this.
  await store.readIndex(-1, 1)
  const other = new DatabaseSync(file)
  other.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  other.close()
}

test('pages that are damaged while the store runs: who needs them is told, all else goes on', async (t) => {
  const file = databaseFile(t)
  const store = await openStore(t, { file, durability: 'os' })
  await filled(store.sessions, file)
  const pages = Math.floor(statSync(file).size / 4096)
  const descriptor = openSync(file, 'r+')
  const garbage = new Uint8Array(4096).fill(0xa5)
  // In the middle, where records are.
  for (let page = Math.floor(pages / 2); page < Math.floor(pages / 2) + 400; page++)
    writeSync(descriptor, garbage, 0, garbage.length, page * 4096)
  closeSync(descriptor)
  let whole = 0
  const told: unknown[] = []
  for (let number = 1; number <= sessions; number += 20) {
    try {
      assert.deepEqual((await store.sessions.readSession(number))?.record.length, record.length)
      whole++
    } catch (error) {
      told.push(error)
    }
  }
  assert.ok(whole > 100, `${whole} can be read`)
  assert.ok(told.length > 0)
  for (const error of told) {
    const { code, message } = error as { code?: string; message: string }
    assert.equal(code, 'STORE_CORRUPT', message)
    assert.match(message, /hookmq\.db: the database is damaged; look what is wrong with `hookmq store check`/)
  }
  // What needs none of those pages is stored.
  store.sessions.putSession(sessions + 1, 'new', undefined, record)
  await store.sessions.settled()
  assert.equal(store.sessions.problem, undefined)
  assert.equal((await store.sessions.readSession(sessions + 1))?.record.length, record.length)
})

test('files that cannot be written any more while the store runs: what waits is written when they can be', async (t) => {
  const file = databaseFile(t)
  const store = await openStore(t, { file, durability: 'os' })
  const { sessions: held } = store
  held.putSession(1, 'one', undefined, record)
  await held.settled()
  const troubles: (string | undefined)[] = []
  held.observe({ committed() {}, troubled: (problem) => troubles.push(problem) })
  const files = [file, `${file}-wal`]
  const lock = (how: '+i' | '-i'): void => void execFileSync('chattr', [how, ...files], { stdio: 'pipe' })
  // Root may write whatever its permissions are; this attribute, where there is one, is obeyed. ext4 looks at it at every write.
  try {
    lock('+i')
  } catch {
    return t.skip('this system has no attribute that keeps root from writing a file')
  }
  try {
    held.putSession(2, 'two', undefined, record)
    const written = await Promise.race([held.settled().then(() => true), wait(1000).then(() => false)])
    if (written) return t.skip('this file system lets programs write that have the file open')
    assert.match(String(troubles[0]), /hookmq\.db: (the disk failed to read or write|cannot be opened or written)/)
    assert.equal((await held.readSession(1))?.record.length, record.length)
    assert.equal((await held.readSession(2))?.record.length, record.length)
  } finally {
    lock('-i')
  }
  await held.settled()
  assert.equal(troubles.at(-1), undefined)
  assert.equal(held.problem, undefined)
})
