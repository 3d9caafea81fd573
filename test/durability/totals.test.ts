import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledge, publishThrough, subscribe } from '../support/actions.ts'
import { workerCount } from '../support/workers.ts'
import { Crashing, kept } from './crash.ts'

const skip = workerCount > 1 ? 'each process counts its own sessions' : false

/** A client with a session that stays, subscribed to `topic`, which has left. */
async function leave(crashing: Crashing, clientId: string, topic: string): Promise<void> {
  const client = await crashing.broker.connect({ clientId, ...kept })
  await subscribe(client, topic, { qos: 1 })
  await client.disconnect()
}

const queued = ({ broker }: Crashing): (number | undefined)[] => {
  const stats = broker.broker.stats.snapshot()
  return [stats['store.queued.count'], stats['store.queued_bytes.count']]
}

test('all queues together have a bound: what comes beyond is dropped, counted, and hooks are told', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t, { maxStoreQueued: 5 })
  const gone: string[] = []
  crashing.broker.hook('delivery.dropped', ({ message, reason }) => void gone.push(`${reason} ${message.topic}`))
  await leave(crashing, 'one', 'a')
  await leave(crashing, 'two', 'b')
  const publisher = await crashing.broker.connect()
  for (const topic of ['a', 'a', 'a', 'b', 'b', 'b', 'a']) await publishThrough(publisher, topic, 'x', { qos: 1 })
  assert.deepEqual(queued(crashing), [5, 10])
  const metrics = crashing.broker.broker.link.metrics()
  assert.equal(metrics['store.queues_full'], 2)
  assert.equal(metrics['delivery.dropped.queue_full'], 2)
  assert.deepEqual(gone, ['queue_full b', 'queue_full a'])
  const two = await crashing.broker.connect({ clientId: 'two', ...kept })
  for (const packet of await two.settle()) await acknowledge(two, packet)
  assert.deepEqual(queued(crashing), [3, 6])
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  assert.deepEqual(queued(crashing), [4, 8])
})

test('bytes count as well, also those of an earlier run, and what a session leaves behind when it ends', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t, { maxStoreQueuedBytes: 100 })
  await leave(crashing, 'one', 'a')
  await leave(crashing, 'two', 'b')
  const publisher = await crashing.broker.connect()
  for (let index = 0; index < 3; index++) await publishThrough(publisher, 'a', 'x'.repeat(29), { qos: 1 })
  assert.deepEqual(queued(crashing), [3, 90])
  await crashing.crash()
  assert.deepEqual(queued(crashing), [3, 90])
  const again = await crashing.broker.connect()
  await publishThrough(again, 'b', 'x'.repeat(29), { qos: 1 })
  assert.equal(crashing.broker.broker.link.metrics()['store.queues_full'], 1)
  await publishThrough(again, 'b', 'x', { qos: 1 })
  assert.deepEqual(queued(crashing), [4, 92])
  const anew = await crashing.broker.connect({ clientId: 'one', clean: true })
  assert.equal(anew.connack?.sessionPresent, false)
  assert.deepEqual(queued(crashing), [1, 2])
})

test('operators see what waits for a session of an earlier run that nobody has woken', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const client = await crashing.broker.connect({ clientId: 'one', ...kept })
  await subscribe(client, 'a', { qos: 1 })
  const publisher = await crashing.broker.connect()
  await publishThrough(publisher, 'a', 'in flight', { qos: 1 })
  await client.expect('publish')
  await client.disconnect()
  for (let index = 0; index < 7; index++) await publishThrough(publisher, 'a', 'waits', { qos: 1 })
  // Without subscriptions: one that nobody needs an object for.
  const other = await crashing.broker.connect({ clientId: 'two', ...kept })
  await other.disconnect()
  await crashing.crash()
  const { sessions } = crashing.broker.broker
  const views = [...sessions.values()].map((session) => session.info())
  const shown = views.map(({ clientId, queued, inflight }) => [clientId, queued, inflight])
  assert.deepEqual(shown.sort(), [
    ['one', 7, 1],
    ['two', 0, 0],
  ])
  assert.equal(sessions.size, 2)
  assert.equal(sessions.has('two'), true)
  assert.equal(sessions.get('two')?.number, [...sessions.values()].find(({ id }) => id === 'two')?.number)
  assert.equal(sessions.size, 2)
})
