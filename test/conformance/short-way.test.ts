import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { turns } from '../support/wait.ts'
import { workerCount } from '../support/workers.ts'

// The second QoS 0 message to a topic may take the short way through the broker: it must not make a difference.
testVersions(currentVersions, 'upgradeQos holds for every message of a topic', async (t, version) => {
  const broker = await startBroker(t, { upgradeQos: true }, { record: false })
  const subscriber = await broker.connect({ version })
  await subscribe(subscriber, 'a', { qos: 1 })
  const publisher = await broker.connect({ version })
  for (const payload of ['1', '2', '3']) {
    publish(publisher, 'a', payload)
    await subscriber.expect('publish', { payload, qos: 1 })
  }
})

testVersions(currentVersions, 'ignoreLoopDeliver holds for every message of a topic', async (t, version) => {
  const broker = await startBroker(t, { ignoreLoopDeliver: true }, { record: false })
  const client = await broker.connect({ version })
  await subscribe(client, 'a')
  const other = await broker.connect({ version })
  await subscribe(other, 'a')
  for (const payload of ['1', '2', '3']) publish(client, 'a', payload)
  await client.expectNothing()
  assert.deepEqual(payloads(await other.settle()), ['1', '2', '3'])
})

test('hooks of message.publish see every message of a topic, and may keep it', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  const seen: { readonly payload: Uint8Array; readonly topic: string }[] = []
  broker.hook('message.publish', (_, message) => {
    seen.push(message)
  })
  const subscriber = await broker.connect()
  await subscribe(subscriber, 'a')
  const publisher = await broker.connect()
  const sent = Array.from({ length: 300 }, (_, index) => `${index} ${'x'.repeat(index)}`)
  for (const payload of sent) publish(publisher, 'a', payload)
  await publisher.settle()
  assert.deepEqual(payloads(await subscriber.settle()), sent)
  assert.deepEqual(
    seen.map(({ payload }) => String(payload)),
    sent,
  )
})

test('a hook that borrows payloads sees each of them, and what it makes of them stays', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  const seen: string[] = []
  broker.hook(
    'message.publish',
    (_, message) => {
      const { payload } = message
      seen.push(String(payload))
      if (payload[0] === 0x63) return { ok: { ...message, payload: payload.subarray(1) } }
      if (payload[0] === 0x6d) return { ok: { ...message, topic: 'moved' } }
      return undefined
    },
    { payload: 'borrow' },
  )
  const subscriber = await broker.connect()
  await subscribe(subscriber, '#')
  // Cannot have frames as they are.
  const other = await broker.connect({ version: 5 })
  await subscribe(other, '#')
  const publisher = await broker.connect()
  const sent = Array.from({ length: 300 }, (_, index) => `${'acm'[index % 3]}${index} ${'x'.repeat(index)}`)
  for (const payload of sent) publish(publisher, 'a', payload)
  await publisher.settle()
  const expected = sent.map((payload) => (payload[0] === 'c' ? payload.slice(1) : payload))
  assert.deepEqual(payloads(await subscriber.settle()), expected)
  assert.deepEqual(payloads(await other.settle()), expected)
  assert.deepEqual(seen, sent)
})

test('a hook that ignores payloads leaves them as they are, also in a message that it changes', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  broker.hook(
    'message.publish',
    (_, message) => (message.topic === 'move' ? { ok: { ...message, topic: 'moved' } } : undefined),
    { payload: 'ignore' },
  )
  const subscribers = [await broker.connect(), await broker.connect({ version: 5 })]
  for (const subscriber of subscribers) await subscribe(subscriber, '#')
  const publisher = await broker.connect()
  const sent = Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(index)}`)
  for (const [index, payload] of sent.entries()) publish(publisher, index % 3 === 0 ? 'move' : 'stay', payload)
  await publisher.settle()
  for (const subscriber of subscribers) assert.deepEqual(payloads(await subscriber.settle()), sent)
})

test('beside a hook that keeps payloads, one that ignores them makes no difference', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  const kept: Uint8Array[] = []
  broker.hook('message.publish', () => {}, { payload: 'ignore', priority: 1 })
  broker.hook('message.publish', (_, { payload }) => void kept.push(payload))
  const subscriber = await broker.connect()
  await subscribe(subscriber, 'a')
  const publisher = await broker.connect()
  const sent = Array.from({ length: 200 }, (_, index) => `${index} ${'x'.repeat(index)}`)
  for (const payload of sent) publish(publisher, 'a', payload)
  await publisher.settle()
  assert.deepEqual(payloads(await subscriber.settle()), sent)
  assert.deepEqual(kept.map(String), sent)
})

test('a hook that borrows payloads and answers later has failed, and the message goes on', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  broker.hook('message.publish', async () => ({ drop: true as const }), { payload: 'borrow', name: 'late' })
  const subscriber = await broker.connect()
  await subscribe(subscriber, 'a')
  const publisher = await broker.connect()
  for (const payload of ['1', '2', '3']) publish(publisher, 'a', payload)
  await publisher.settle()
  assert.deepEqual(payloads(await subscriber.settle()), ['1', '2', '3'])
  const failures = broker.brokers
    .flatMap(({ hooks }) => hooks.describe())
    .flatMap(({ hooks }) => hooks.filter(({ name }) => name === 'late').map((hook) => hook.failures))
  assert.equal(
    failures.reduce((sum, count) => sum + count, 0),
    3,
  )
})

test('hooks of message.publish are asked for their topics only, and each answer counts', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  const asked: string[] = []
  broker.hook(
    'message.publish',
    (_, message) => {
      const text = String(message.payload)
      asked.push(text)
      if (text === 'drop') return { drop: true }
      if (text === 'change') return { ok: { ...message, payload: Buffer.from('changed') } }
      if (text === 'move') return { ok: { ...message, topic: 'other' } }
      return undefined
    },
    { topics: ['wanted/#'] },
  )
  const subscriber = await broker.connect()
  await subscribe(subscriber, '#')
  const publisher = await broker.connect()
  for (const payload of ['1', 'drop', 'change', '2', 'move', '3']) {
    publish(publisher, 'wanted/a', payload)
    publish(publisher, 'b', payload)
  }
  await publisher.settle()
  const got = (await subscriber.settle()).map((packet) => `${packet.topic} ${packet.payload}`)
  assert.deepEqual(
    got.filter((line) => !line.startsWith('b ')),
    ['wanted/a 1', 'wanted/a changed', 'wanted/a 2', 'other move', 'wanted/a 3'],
  )
  assert.equal(got.filter((line) => line.startsWith('b ')).length, 6)
  assert.deepEqual(asked, ['1', 'drop', 'change', '2', 'move', '3'])
})

test('a hook that begins to answer later keeps the order', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  broker.hook('message.publish', (_, message) => (String(message.payload) === '3' ? turns() : undefined))
  const subscriber = await broker.connect()
  await subscribe(subscriber, 'a')
  const publisher = await broker.connect()
  const sent = ['1', '2', '3', '4', '5', '6']
  for (const payload of sent) publish(publisher, 'a', payload)
  for (const payload of sent) await subscriber.expect('publish', { payload })
})

// Another worker hears of a kick when it reads what it was sent: before or after the message.
const oneWorker = { skip: workerCount > 1 && 'a receiver of another worker is kicked some time later' }

test(
  'what a hook of message.publish does to the receivers counts for the message that it sees',
  oneWorker,
  async (t) => {
    const broker = await startBroker(t, {}, { record: false })
    const leaving = await broker.connect({ clientId: 'leaving' })
    const staying = await broker.connect()
    await subscribe(leaving, 'a')
    await subscribe(staying, 'a')
    broker.hook('message.publish', (_, message) => {
      if (String(message.payload) === '3') broker.broker.admin.kick('leaving')
    })
    const publisher = await broker.connect()
    for (const payload of ['1', '2', '3', '4']) publish(publisher, 'a', payload)
    await publisher.settle()
    await leaving.expect('publish', { payload: '1' })
    await leaving.expect('publish', { payload: '2' })
    await leaving.expectDisconnect(0x98)
    assert.deepEqual(payloads(await staying.settle()), ['1', '2', '3', '4'])
  },
)

test('a hook that borrows payloads and answers with a broken promise does not end the connection of its client', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  const broken = {
    // biome-ignore lint/suspicious/noThenProperty: that is what breaks
    then() {
      throw new Error('broken')
    },
  }
  broker.hook('message.publish', () => broken as unknown as undefined, { payload: 'borrow' })
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const client = await broker.connect()
  publish(client, 'a', 'short way')
  await publishThrough(client, 'a', 'ordinary way', { qos: 1 })
  assert.deepEqual(payloads(await watcher.settle()), ['short way', 'ordinary way'])
})
