import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { StoreError } from './errors.ts'
import { databaseFile, openStore } from './folder.testing.ts'

const slow = new URL('./slow-thread.testing.ts', import.meta.url)
const stuck = new URL('./stuck-thread.testing.ts', import.meta.url)
const table = 'plugin_values'

test('what waits while a batch is written is the next batch, as a whole', async (t) => {
  const store = await openStore(t, { thread: slow })
  const values = store.namespace('plugin')
  const first = values.put('first', 1)
  await turn()
  const waiting = Array.from({ length: 1000 }, (_, index) => values.put(`key/${index}`, index))
  await Promise.all([first, ...waiting])
  assert.deepEqual(store.stats, { waiting: 0, batches: 2, transactions: 2 })
})

test('a thousand writers, each with a value after the other, share transactions', async (t) => {
  const store = await openStore(t)
  const values = store.namespace('plugin')
  const writer = async (name: number): Promise<void> => {
    for (let round = 0; round < 5; round++) await values.put(`${name}/${round}`, round)
  }
  await Promise.all(Array.from({ length: 1000 }, (_, name) => writer(name)))
  const { transactions, batches } = store.stats
  assert.equal(batches, transactions)
  assert.ok(transactions >= 5 && transactions <= 100, `${transactions} transactions for 5000 puts`)
})

test('only writing takes a transaction', async (t) => {
  const store = await openStore(t)
  const values = store.namespace('plugin')
  await values.get('a')
  for await (const _ of values.list()) assert.fail('it is empty')
  assert.equal(store.stats.transactions, 0)
  await values.put('a', 1)
  assert.equal(store.stats.transactions, 1)
})

test('a batch ends at its limits; nothing is lost or put out of order by that', async (t) => {
  const store = await openStore(t, { thread: slow, batchOperations: 10, batchBytes: 2000 })
  const values = store.namespace('plugin')
  const small = Array.from({ length: 100 }, (_, index) => values.put('count', index))
  await Promise.all(small)
  assert.equal(store.stats.batches, 10)
  assert.equal(await values.get('count'), 99)
  const before = store.stats.batches
  await Promise.all(Array.from({ length: 5 }, (_, index) => values.put('large', `${index}${'x'.repeat(1500)}`)))
  assert.equal(store.stats.batches - before, 5)
})

test('several operations of one unit are done together, and behind what was asked before', async (t) => {
  const store = await openStore(t, { batchOperations: 2 })
  const space = 'session 1'
  const bytes = Buffer.from('some bytes in a pool')
  const results = await store.commit([
    { kind: 'put', table, space, key: 'a', value: 'text' },
    { kind: 'put', table, space, key: 'b', value: bytes },
    { kind: 'get', table, space, key: 'b' },
    { kind: 'delete', table, space, key: 'c' },
    { kind: 'scan', table, space, from: '', after: false, before: undefined, limit: 10, size: 1000 },
  ])
  const stored = new Uint8Array(bytes)
  assert.deepEqual(results, [
    undefined,
    undefined,
    stored,
    false,
    { keys: ['a', 'b'], values: ['text', stored], more: false },
  ])
  await store.commit([{ kind: 'put', table, space: 'session 2', key: 'a', value: 'other' }])
  const [, left, other] = await store.commit([
    { kind: 'clear', table, space },
    { kind: 'get', table, space, key: 'a' },
    { kind: 'get', table, space: 'session 2', key: 'a' },
  ])
  assert.deepEqual([left, other], [undefined, 'other'])
})

test('a unit that fails leaves nothing of itself, and the store goes on', async (t) => {
  const store = await openStore(t)
  const run = store.commit([
    { kind: 'put', table, space: 's', key: 'a', value: 'half' },
    { kind: 'put', table: 'no_such_table', space: 's', key: 'a', value: '' },
  ])
  await assert.rejects(run, /no table 'no_such_table'/)
  const [value] = await store.commit([{ kind: 'get', table, space: 's', key: 'a' }])
  assert.equal(value, undefined)
})

test('more than may wait is refused at once, with the numbers; what waits is not harmed', async (t) => {
  const store = await openStore(t, { thread: slow, maxWaiting: 50, maxWaitingBytes: 10_000 })
  const values = store.namespace('plugin')
  const results = await Promise.allSettled(Array.from({ length: 60 }, (_, index) => values.put(`${index}`, index)))
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 50)
  const refused = results.filter((result) => result.status === 'rejected')
  for (const { reason } of refused) {
    assert.equal((reason as StoreError).code, 'STORE_OVERLOADED')
    assert.match(
      (reason as Error).message,
      /50 operations \(\d+ bytes\) wait for the store, and 50 \(10000 bytes\) may; try again/,
    )
  }
  const byBytes = await Promise.allSettled([values.put('a', 'x'.repeat(9000)), values.put('b', 'x'.repeat(9000))])
  assert.deepEqual(
    byBytes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  // Larger than all that may wait, but nothing else does.
  await values.put('c', 'x'.repeat(20_000))
  await values.put('d', 'there is room again')
})

test('the event loop turns while the disk does not answer', async (t) => {
  const store = await openStore(t, { thread: stuck })
  const values = store.namespace('plugin')
  let settled = false
  const writing = values.put('a', 1).finally(() => {
    settled = true
  })
  const refused = assert.rejects(writing, { code: 'STORE_CLOSED' })
  for (let turns = 0; turns < 1000; turns++) {
    assert.equal(settled, false)
    await turn()
  }
  await store.close(0)
  await refused
})

test('close writes what waits, and takes no more', async (t) => {
  const file = databaseFile(t)
  const store = await openStore(t, { file, thread: slow })
  const values = store.namespace('plugin')
  const puts = Array.from({ length: 100 }, (_, index) => values.put(String(index), index))
  const closed = store.close()
  await assert.rejects(values.put('late', 1), { code: 'STORE_CLOSED', message: 'the store is closed' })
  await closed
  await Promise.all(puts)
  const database = new DatabaseSync(file, { readOnly: true })
  assert.deepEqual({ ...database.prepare('SELECT count(*) AS count FROM plugin_values').get() }, { count: 100 })
  database.close()
})

test('close does not wait for ever for a disk that does not answer; what waits is rejected', async (t) => {
  const store = await openStore(t, { thread: stuck })
  const values = store.namespace('plugin')
  const inFlight = values.put('a', 1)
  await turn()
  const queued = values.put('b', 1)
  const outcomes = Promise.allSettled([inFlight, queued])
  await store.close(20)
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected')
    assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'STORE_CLOSED')
  }
})
