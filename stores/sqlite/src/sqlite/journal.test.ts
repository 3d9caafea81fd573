import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { QueuePage, StoredDelivery, StoredSession } from '@hookmq/api'
import { databaseFile } from '../folder.testing.ts'
import { BatchWriter } from '../sessions/batch-writer.ts'
import { SqliteEngine } from './engine.ts'
import { Journal } from './journal.ts'
import { openDatabase } from './open.ts'
import { SessionTables } from './session-tables.ts'

const run = 1
const first = run * 2 ** 36

function message(sequence: number, packetId = 0, size = 300): StoredDelivery {
  return {
    sequence: first + sequence,
    packetId,
    released: false,
    qos: 1,
    retain: false,
    subscriptionIdentifiers: undefined,
    share: undefined,
    body: new Uint8Array(size).fill(sequence),
  }
}

/** What makes batches, as a store does. */
function batches(journal: { add(batch: Uint8Array): void }) {
  let number = 0
  return (fill: (writer: BatchWriter) => void): void => {
    const writer = new BatchWriter()
    fill(writer)
    journal.add(writer.seal(run, ++number))
  }
}

function open(scope: { after(run: () => void): void }, file: string) {
  const database = openDatabase({ file, durability: 'none' })
  scope.after(() => database.close())
  database.exec('INSERT OR IGNORE INTO writers VALUES (1, 0)')
  const count = (what: string): number =>
    (database.prepare(`SELECT count(*) AS n FROM ${what}`).get() as { n: number }).n
  return { database, count, changes: () => count('deliveries') }
}

test('what comes and goes within the journal never becomes a row', (t) => {
  const { database, count } = open(t, databaseFile(t))
  const journal = new Journal(database, new SessionTables(database), 2000)
  const batch = batches(journal)
  database.exec(
    'CREATE TABLE made (n); CREATE TRIGGER t AFTER INSERT ON deliveries BEGIN INSERT INTO made VALUES (1); END',
  )
  batch((writer) => writer.append(7, message(1, 5)))
  batch((writer) => writer.append(7, message(2)))
  batch((writer) => writer.advance(7, first + 2, 6, false))
  batch((writer) => {
    writer.remove(7, first + 1)
    writer.remove(7, first + 2)
  })
  journal.settleAll()
  assert.deepEqual([count('made'), count('journal'), count('queues')], [0, 0, 0])
  // Longer than the journal: rows are made, and taken away when they go.
  for (let sequence = 10; sequence < 20; sequence++) batch((writer) => writer.append(7, message(sequence)))
  assert.ok(count('made') > 0)
  for (let sequence = 10; sequence < 20; sequence++) batch((writer) => writer.remove(7, first + sequence))
  journal.settleAll()
  assert.deepEqual([count('deliveries'), count('journal'), count('queues')], [0, 0, 0])
})

test('a body that several wait for is gone with the last of them, also when some never were a row', (t) => {
  const { database, count } = open(t, databaseFile(t))
  const journal = new Journal(database, new SessionTables(database))
  const batch = batches(journal)
  const shared = message(1)
  batch((writer) => {
    for (const session of [1, 2, 3]) writer.append(session, { ...shared, sequence: first + session })
  })
  batch((writer) => writer.remove(1, first + 1))
  journal.settleAll()
  assert.deepEqual([count('deliveries'), count('bodies'), count('queues')], [2, 1, 2])
  batch((writer) => {
    writer.remove(2, first + 2)
    writer.remove(3, first + 3)
  })
  journal.settleAll()
  assert.deepEqual([count('deliveries'), count('bodies'), count('queues')], [0, 0, 0])
})

test('another process may make rows of it, and what was to cancel them still does', (t) => {
  const file = databaseFile(t)
  const { database, count } = open(t, file)
  const journal = new Journal(database, new SessionTables(database))
  const batch = batches(journal)
  batch((writer) => writer.append(7, message(1, 5)))
  const other = new DatabaseSync(file)
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  new Journal(other, new SessionTables(other)).settleAll()
  other.exec('COMMIT')
  assert.equal(count('deliveries'), 1)
  batch((writer) => writer.append(7, message(2, 6)))
  batch((writer) => writer.remove(7, first + 1))
  journal.settleAll()
  assert.deepEqual([count('deliveries'), count('journal')], [1, 0])
})

test('a batch that failed leaves nothing of itself behind, in the file or in memory', (t) => {
  const { database, count } = open(t, databaseFile(t))
  const journal = new Journal(database, new SessionTables(database))
  const batch = batches(journal)
  batch((writer) => writer.append(7, message(1, 5)))
  database.exec('BEGIN')
  batch((writer) => writer.remove(7, first + 1))
  database.exec('ROLLBACK')
  journal.forget()
  journal.settleAll()
  assert.equal(count('deliveries'), 1)
})

test('a new start makes rows of it, whoever wrote it', (t) => {
  const file = databaseFile(t)
  const { database } = open(t, file)
  database.exec('INSERT INTO writers VALUES (2, 0)')
  const journal = new Journal(database, new SessionTables(database))
  batches(journal)((writer) => writer.append(7, message(1)))
  const second = new BatchWriter()
  second.append(8, message(2))
  new Journal(database, new SessionTables(database)).add(second.seal(2, 1))
  const engine = new SqliteEngine({ file, durability: 'none' })
  t.after(() => engine.close())
  const page = engine.read({ kind: 'queue', session: 7, after: 0, limit: 10, bytes: 1000 })
  assert.equal((page as { deliveries: unknown[] }).deliveries.length, 1)
  const journalRows = database.prepare('SELECT count(*) AS n FROM journal').get() as { n: number }
  assert.equal(journalRows.n, 0)
})

test('a session is read out of the journal without rows being made, and as it would be with them', (t) => {
  const file = databaseFile(t)
  const engine = new SqliteEngine({ file, durability: 'none' })
  t.after(() => engine.close())
  const own = engine.read({ kind: 'run' }) as number
  const sequences = own * 2 ** 36
  let number = 0
  const batch = (fill: (writer: BatchWriter) => void): void => {
    const writer = new BatchWriter()
    fill(writer)
    engine.apply(writer.seal(own, ++number))
  }
  const of = (sequence: number, packetId = 0): StoredDelivery => ({
    ...message(sequence, packetId),
    sequence: sequences + sequence,
  })
  batch((writer) => {
    writer.putSession(1, 'one', 5, Buffer.from('record'))
    writer.putSession(2, 'two', undefined, Buffer.from('other'))
    // One body for both.
    const both = of(1)
    writer.append(1, both)
    writer.append(2, { ...both, sequence: sequences + 2 })
    writer.append(1, of(3, 9))
    writer.putAwaiting(1, 77, 5)
  })
  batch((writer) => {
    writer.advance(1, sequences + 1, 8, false)
    writer.append(1, of(4))
    writer.append(1, of(5))
    writer.remove(1, sequences + 5)
    // Much that is no business of this session.
    for (let sequence = 100; sequence < 300; sequence++) writer.append(2, of(sequence))
    writer.putRetained('topic', Buffer.from('x'))
  })
  const reader = new DatabaseSync(file, { readOnly: true })
  t.after(() => reader.close())
  const rows = (): unknown =>
    reader.prepare('SELECT (SELECT count(*) FROM journal) AS journal, (SELECT count(*) FROM deliveries) AS rows').get()
  const laid = engine.read({ kind: 'session', session: 1 })
  assert.deepEqual({ ...(rows() as object) }, { journal: 2, rows: 0 })
  // A later message than those that were read before may be in the journal.
  const queue = engine.read({ kind: 'queue', session: 1, after: sequences + 3, limit: 9, bytes: 1e6 })
  assert.deepEqual({ ...(rows() as object) }, { journal: 0, rows: 204 })
  assert.deepEqual(laid, engine.read({ kind: 'session', session: 1 }))
  const { inflight, queued, queuedBytes } = laid as StoredSession
  assert.deepEqual([inflight.map(({ packetId }) => packetId), queued, queuedBytes], [[8, 9], 1, 300])
  assert.deepEqual(
    (queue as QueuePage).deliveries.map(({ sequence }) => sequence - sequences),
    [4],
  )
  batch((writer) => writer.remove(1, sequences + 1))
  engine.read({ kind: 'queue', session: 1, after: sequences + 3, limit: 9, bytes: 1e6 })
  assert.deepEqual({ ...(rows() as object) }, { journal: 1, rows: 204 }, 'what lies before does not show')
})

test('who is due is found in the journal, and not who is not any more', (t) => {
  const engine = new SqliteEngine({ file: databaseFile(t), durability: 'none' })
  t.after(() => engine.close())
  const own = engine.read({ kind: 'run' }) as number
  let number = 0
  const batch = (fill: (writer: BatchWriter) => void): void => {
    const writer = new BatchWriter()
    fill(writer)
    engine.apply(writer.seal(own, ++number))
  }
  const due = (): unknown => engine.read({ kind: 'due', from: 10, to: 20, limit: 5 })
  batch((writer) => writer.putSession(1, 'one', 30, Buffer.from('record')))
  assert.deepEqual(due(), [])
  batch((writer) => writer.putSession(2, 'two', 15, Buffer.from('record')))
  assert.deepEqual(due(), ['two'])
  batch((writer) => writer.putSession(1, 'one', 12, Buffer.from('record')))
  assert.deepEqual(due(), ['one', 'two'])
  batch((writer) => writer.putSession(2, 'two', 40, Buffer.from('record')))
  batch((writer) => writer.deleteSession(1))
  assert.deepEqual(due(), [])
})

test('a session is read also when another process has made rows of what this one wrote', (t) => {
  const file = databaseFile(t)
  open(t, file)
  const [own, other] = [new SqliteEngine({ file, durability: 'none' }), new SqliteEngine({ file, durability: 'none' })]
  t.after(() => {
    own.close()
    other.close()
  })
  let number = 0
  const batch = (fill: (writer: BatchWriter) => void): void => {
    const writer = new BatchWriter()
    fill(writer)
    own.apply(writer.seal(run, ++number))
  }
  batch((writer) => {
    writer.putSession(7, 'c', undefined, new Uint8Array(1))
    writer.append(7, message(1))
  })
  // It finds the journal of a process that it does not know, and settles it.
  assert.ok(other.read({ kind: 'session', session: 7 }))
  assert.equal((own.read({ kind: 'session', session: 7 }) as StoredSession).queued, 1)
  batch((writer) => writer.append(7, message(2)))
  assert.equal((own.read({ kind: 'session', session: 7 }) as StoredSession).queued, 2)
})
