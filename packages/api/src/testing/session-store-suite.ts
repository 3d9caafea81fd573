import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SessionIndexPage, SessionStore, StoredDelivery } from '../session-store.ts'

interface Scope {
  after(run: () => void | Promise<void>): void
}

/** An empty store, and how to open what it holds again. */
export interface OpenedSessionStore {
  readonly store: SessionStore
  /** Ends it without warning and opens what it committed. */
  reopen(): Promise<SessionStore>
}

/** Makes an empty store; what has to be cleared away afterwards is given to `scope`. */
export type CreateSessionStore = (scope: Scope) => Promise<OpenedSessionStore>

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** A page of the index with ordinary arrays. */
function readable(page: SessionIndexPage) {
  return {
    numbers: [...page.numbers],
    clientIds: Buffer.from(page.clientIds).toString().split('\0').slice(0, -1),
    dues: [...page.dues],
    waiting: [...page.waiting],
    waitingBytes: [...page.waitingBytes],
    inflight: [...page.inflight],
    owners: [...page.owners],
    filters: [...page.filters],
    bits: [...page.bits],
    identifiers: [...page.identifiers],
  }
}

function delivery(sequence: number, text: string, more: Partial<StoredDelivery> = {}): StoredDelivery {
  return {
    sequence,
    packetId: 0,
    released: false,
    qos: 1,
    retain: false,
    subscriptionIdentifiers: undefined,
    share: undefined,
    body: bytes(text),
    ...more,
  }
}

const plain = (found: StoredDelivery): StoredDelivery => ({ ...found, body: new Uint8Array(found.body) })

/** What every store of sessions has to do. Call it from a test file of the store. */
export function sessionStoreSuite(name: string, create: CreateSessionStore): void {
  describe(`session store: ${name}`, () => {
    test('a session comes back with all that was stored for it', async (t) => {
      const { store, reopen } = await create(t)
      store.putSession(7, 'client', 5000, bytes('first'))
      store.putSession(7, 'client', undefined, bytes('record'))
      store.putSubscription(7, 'a/+', 1, 0)
      store.putSubscription(7, 'ä/#', 0b10_1101, 268_435_455)
      store.putSubscription(7, 'gone', 0, 0)
      store.deleteSubscription(7, 'gone')
      store.putAwaiting(7, 65_535, 1_700_000_000_123)
      store.putAwaiting(7, 1, 1_700_000_000_124)
      store.putAwaiting(7, 2, 5)
      store.deleteAwaiting(7, 2)
      const kept = delivery(1, 'in flight', { packetId: 65_535, qos: 2, retain: true, share: '$share/g/ä/#' })
      store.append(7, kept)
      const last = delivery(3, 'waits', { subscriptionIdentifiers: [1, 2] })
      store.append(7, delivery(2, 'released', { packetId: 2, qos: 2 }))
      store.advance(7, 2, 2, true)
      store.append(7, last)
      await store.settled()
      const again = await reopen()
      assert.deepEqual(readable(await again.readIndex(-1, 10)), {
        numbers: [7],
        clientIds: ['client'],
        dues: [-1],
        waiting: [1],
        waitingBytes: [5],
        inflight: [2],
        owners: [0, 0],
        filters: ['a/+', 'ä/#'],
        bits: [1, 0b10_1101],
        identifiers: [0, 268_435_455],
      })
      const session = await again.readSession(7)
      assert.ok(session !== undefined)
      assert.deepEqual(new Uint8Array(session.record), bytes('record'))
      assert.deepEqual(session.awaiting, [
        [65_535, 1_700_000_000_123],
        [1, 1_700_000_000_124],
      ])
      assert.deepEqual(session.inflight.map(plain), [
        kept,
        delivery(2, 'released', { packetId: 2, qos: 2, released: true }),
      ])
      assert.deepEqual([session.queued, session.queuedBytes], [1, 5])
      const page = await again.readQueue(7, 0, 10, 1000)
      assert.deepEqual([page.deliveries.map(plain), page.more], [[last], false])
    })

    test('what was committed survives, what was not may be gone, and a batch is whole or not there', async (t) => {
      const { store, reopen } = await create(t)
      store.putSession(1, 'a', undefined, bytes('a'))
      await store.settled()
      const batch = store.batch
      store.putSession(2, 'b', undefined, bytes('b'))
      store.append(1, delivery(1, 'with b'))
      assert.equal(store.batch, batch, 'one run of code, one batch')
      const again = await reopen()
      const { clientIds } = readable(await again.readIndex(-1, 10))
      const { deliveries } = await again.readQueue(1, 0, 10, 1000)
      assert.deepEqual(clientIds, deliveries.length === 1 ? ['a', 'b'] : ['a'])
      assert.ok(again.run > store.run)
    })

    test('a batch is told of once it is committed, in order', async (t) => {
      const { store } = await create(t)
      const told: number[] = []
      store.observe({ committed: (batch) => told.push(batch), troubled: () => assert.fail('it works') })
      const batches: number[] = []
      for (let round = 0; round < 3; round++) {
        batches.push(store.batch)
        const { changes } = store
        store.putSession(round, 'a', undefined, bytes('a'))
        assert.equal(store.changes, changes + 1)
        assert.equal(store.last, store.batch)
        assert.ok(store.waitingBytes > 0)
        await store.settled()
        assert.ok(store.committed >= (batches.at(-1) ?? 0))
      }
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(told, batches)
      assert.equal(store.waitingBytes, 0)
    })

    test('a message for many is there for each of them until that one has done with it', async (t) => {
      const { store } = await create(t)
      for (const size of [10, 5000]) {
        const body = bytes('x'.repeat(size))
        for (let session = 1; session <= 3; session++) {
          store.putSession(session, `${session}`, undefined, bytes(''))
          store.append(session, { ...delivery(size * 10 + session, ''), body })
        }
        await store.settled()
        store.remove(1, size * 10 + 1)
        store.deleteSession(2)
        await store.settled()
        assert.equal((await store.readQueue(1, 0, 10, 1e6)).deliveries.length, 0)
        assert.equal(await store.readSession(2), undefined)
        assert.equal((await store.readQueue(2, 0, 10, 1e6)).deliveries.length, 0)
        const [left] = (await store.readQueue(3, 0, 10, 1e6)).deliveries
        assert.equal(left?.body.length, size)
        store.remove(3, size * 10 + 3)
      }
      await store.settled()
      assert.equal((await store.readQueue(3, 0, 10, 1e6)).deliveries.length, 0)
    })

    test('a queue is read page by page, bounded in number and bytes', async (t) => {
      const { store } = await create(t)
      store.putSession(1, 'a', undefined, bytes(''))
      for (let sequence = 1; sequence <= 25; sequence++) store.append(1, delivery(sequence, 'x'.repeat(100)))
      store.advance(1, 3, 9, false)
      const found: number[] = []
      let after = 0
      for (let more = true; more; ) {
        const page = await store.readQueue(1, after, 10, 1e6)
        assert.ok(page.deliveries.length <= 10)
        found.push(...page.deliveries.map(({ sequence }) => sequence))
        after = found.at(-1) ?? 0
        more = page.more
      }
      const expected = Array.from({ length: 25 }, (_, index) => index + 1).filter((sequence) => sequence !== 3)
      assert.deepEqual(found, expected)
      assert.equal((await store.readQueue(1, 0, 100, 250)).deliveries.length, 3)
    })

    test('a message that lost its packet identifier waits again, in its place', async (t) => {
      const { store, reopen } = await create(t)
      store.putSession(1, 'a', undefined, bytes(''))
      store.append(1, delivery(1, 'first', { packetId: 5 }))
      store.append(1, delivery(2, 'second'))
      await store.settled()
      store.advance(1, 1, 0, false)
      const read = async (from: typeof store): Promise<void> => {
        const session = await from.readSession(1)
        assert.deepEqual([session?.inflight.length, session?.queued, session?.queuedBytes], [0, 2, 11])
        const { deliveries } = await from.readQueue(1, 0, 10, 1e6)
        assert.deepEqual(
          deliveries.map(({ sequence, packetId }) => [sequence, packetId]),
          [
            [1, 0],
            [2, 0],
          ],
        )
      }
      await read(store)
      store.advance(1, 1, 7, false)
      store.advance(1, 1, 0, false)
      await store.settled()
      await read(await reopen())
    })

    test('sessions are listed page by page, also those without subscriptions', async (t) => {
      const { store } = await create(t)
      for (let number = 1; number <= 10; number++) {
        store.putSession(number, `c${number}`, undefined, bytes(''))
        if (number % 3 === 0) store.putSubscription(number, `f/${number}`, 1, 0)
      }
      const clients: string[] = []
      const filters: string[] = []
      for (let after = -1; ; ) {
        const page = readable(await store.readIndex(after, 4))
        const last = page.numbers.at(-1)
        if (last === undefined) break
        clients.push(...page.clientIds)
        filters.push(...page.owners.map((owner, index) => `${page.clientIds[owner]} ${page.filters[index]}`))
        after = last
      }
      assert.equal(clients.length, 10)
      assert.deepEqual(filters, ['c3 f/3', 'c6 f/6', 'c9 f/9'])
    })

    test('who is due is found, the longest overdue first', async (t) => {
      const { store } = await create(t)
      for (const [number, due] of [300, 100, undefined, 200, 900].entries())
        store.putSession(number + 1, `c${number}`, due, bytes(''))
      assert.deepEqual(readable(await store.readIndex(-1, 9)).dues, [300, 100, -1, 200, 900])
      assert.deepEqual(await store.readDue(1, 300, 10), ['c1', 'c3', 'c0'])
      assert.deepEqual(await store.readDue(1, 300, 1), ['c1'])
      assert.deepEqual(await store.readDue(101, 300, 9), ['c3', 'c0'])
      store.putSession(2, 'c1', undefined, bytes(''))
      store.deleteSession(4)
      assert.deepEqual(await store.readDue(1, 300, 10), ['c0'])
    })

    test('retained messages: one for each topic, page by page, gone when cleared', async (t) => {
      const { store, reopen } = await create(t)
      for (const topic of ['b', 'a', 'c', '\u{1f600}', 'ä']) store.putRetained(topic, bytes(`first ${topic}`))
      store.putRetained('a', bytes('second'))
      store.deleteRetained('c')
      const first = await store.readRetained('', 2)
      assert.deepEqual(first.topics, ['a', 'b'])
      assert.deepEqual(new Uint8Array(first.bodies[0] ?? []), bytes('second'))
      assert.deepEqual((await store.readRetained('b', 9)).topics, ['ä', '\u{1f600}'])
      const again = await reopen()
      assert.equal((await again.readRetained('', 9)).topics.length, 4)
      again.clearRetained()
      assert.equal((await again.readRetained('', 9)).topics.length, 0)
    })

    test('a mark is what was put last, and is as safe as what was changed with it', async (t) => {
      const { store, reopen } = await create(t)
      assert.equal((await store.readMarks()).size, 0)
      store.putMark('one', 'first')
      store.putMark('two \u{1f600}', '')
      await store.settled()
      store.putMark('one', 'second')
      assert.deepEqual(
        await store.readMarks(),
        new Map([
          ['one', 'second'],
          ['two \u{1f600}', ''],
        ]),
      )
      assert.equal((await (await reopen()).readMarks()).get('one'), 'second')
    })

    test('numbers up to 2^53 stay what they are', async (t) => {
      const { store } = await create(t)
      const session = 65_535 * 2 ** 36 + 2 ** 36 - 1
      store.putSession(session, 'a', 2 ** 52, bytes(''))
      store.append(session, delivery(session, 'm'))
      store.append(session, delivery(session + 1, 'n'))
      const { deliveries } = await store.readQueue(session, session - 1, 10, 100)
      assert.deepEqual(
        deliveries.map(({ sequence }) => sequence),
        [session, session + 1],
      )
      assert.deepEqual(await store.readDue(2 ** 52, 2 ** 52, 5), ['a'])
    })
  })
}
