import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledge, payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import type { Received, Version } from '../support/raw-client.ts'
import { allVersions, currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

/** What a new subscriber gets. */
async function retained(
  broker: TestBroker,
  filter: string,
  version: Version = 5,
  qos: 0 | 1 | 2 = 2,
): Promise<Received[]> {
  const client = await broker.connect({ version })
  await subscribe(client, filter, { qos })
  const received = await client.settle()
  client.destroy()
  return received
}

testVersions(
  allVersions,
  'stored with its QoS, replaced, and sent to new subscribers with retain 1 [MQTT-3.3.1-5] [MQTT-3.3.1-9] [MQTT-3.3.1-5 v3.1.1] [MQTT-3.3.1-6 v3.1.1] [MQTT-3.3.1-8 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    await publishThrough(publisher, 'a/b', 'old', { qos: 1, retain: true })
    await publishThrough(publisher, 'a/b', 'new', { qos: 2, retain: true })
    await publishThrough(publisher, 'a/c', 'other', { qos: 0, retain: true })
    const received = await retained(broker, 'a/#', version)
    assert.deepEqual(payloads(received).sort(), ['new', 'other'])
    assert.ok(received.every(({ retain, dup }) => retain === true && dup === false))
    assert.equal(received.find(({ topic }) => topic === 'a/b')?.qos, 2)
    assert.equal((await retained(broker, 'a/b', version, 1))[0].qos, 1)
  },
)

testVersions(
  currentVersions,
  'a QoS 0 message replaces a retained one too [MQTT-3.3.1-7 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    await publishThrough(publisher, 'a', 'old', { qos: 2, retain: true })
    await publishThrough(publisher, 'a', 'new', { qos: 0, retain: true })
    assert.deepEqual(payloads(await retained(broker, 'a', version)), ['new'])
  },
)

testVersions(
  currentVersions,
  'an empty payload is delivered, removes the retained message and is not stored [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT-3.3.1-10 v3.1.1] [MQTT-3.3.1-11 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    await publishThrough(publisher, 'a', 'kept', { retain: true })
    const live = await broker.connect({ version })
    await subscribe(live, 'a')
    await live.expect('publish', { payload: 'kept', retain: true })
    await publishThrough(publisher, 'a', '', { retain: true })
    await live.expect('publish', { payload: '', retain: false })
    assert.deepEqual(await retained(broker, 'a', version), [])
  },
)

testVersions(
  currentVersions,
  'retain 0 neither stores nor removes [MQTT-3.3.1-8] [MQTT-3.3.1-12 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    await publishThrough(publisher, 'a', 'kept', { retain: true })
    await publishThrough(publisher, 'a', 'live')
    await publishThrough(publisher, 'a', '')
    await publishThrough(publisher, 'b', 'live')
    assert.deepEqual(payloads(await retained(broker, '#', version)), ['kept'])
  },
)

testVersions(
  currentVersions,
  'retained messages outlive the session that published them [MQTT-3.1.2-7 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version, clientId: 'p' })
    await publishThrough(publisher, 'a', 'kept', { qos: 1, retain: true })
    await publisher.disconnect()
    const again = await broker.connect({ version, clientId: 'p', clean: true })
    await again.disconnect()
    assert.deepEqual(payloads(await retained(broker, 'a', version)), ['kept'])
  },
)

test('retained messages follow SUBACK', async (t) => {
  const broker = await startBroker(t)
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'kept', { retain: true })
  const client = await broker.connect()
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0 }] })
  await client.expect('suback')
  await client.expect('publish', { payload: 'kept' })
})

test('a leading wildcard does not find retained messages of $ topics', async (t) => {
  const broker = await startBroker(t)
  await broker.broker.link.publish({ topic: '$own/a', payload: 'hidden', retain: true })
  assert.deepEqual(await retained(broker, '#'), [])
  assert.deepEqual(await retained(broker, '+/a'), [])
  assert.deepEqual(payloads(await retained(broker, '$own/#')), ['hidden'])
})

test('shared subscriptions get no retained messages', async (t) => {
  const broker = await startBroker(t)
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'kept', { retain: true })
  assert.deepEqual(await retained(broker, '$share/g/a'), [])
})

test('an expired retained message is not sent; a living one has the rest of its life', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const publisher = await broker.connect()
  await publishThrough(publisher, 'short', 'x', { retain: true, properties: { messageExpiryInterval: 10 } })
  await publishThrough(publisher, 'long', 'x', { retain: true, properties: { messageExpiryInterval: 100 } })
  clock.advance(30_000)
  const received = await retained(broker, '#')
  assert.deepEqual(
    received.map(({ topic }) => topic),
    ['long'],
  )
  assert.equal((received[0].properties as { messageExpiryInterval: number }).messageExpiryInterval, 70)
})

test('limits on number and size of retained messages', async (t) => {
  const broker = await startBroker(t, { maxRetainedMessages: 2, maxRetainedPayload: 10 })
  const publisher = await broker.connect()
  for (const topic of ['a', 'b', 'c']) await publishThrough(publisher, topic, topic, { qos: 1, retain: true })
  await publishThrough(publisher, 'a', 'changed', { qos: 1, retain: true })
  await publishThrough(publisher, 'b', 'x'.repeat(11), { qos: 1, retain: true })
  assert.deepEqual(payloads(await retained(broker, '#')).sort(), ['b', 'changed'])
})

test('thousands of retained messages all arrive', async (t) => {
  const broker = await startBroker(t)
  const publisher = await broker.connect()
  for (let index = 0; index < 3000; index++) publish(publisher, `many/${index}`, `${index}`, { retain: true })
  await publisher.settle()
  const client = await broker.connect()
  await subscribe(client, 'many/+')
  const seen = new Set<string>()
  while (seen.size < 3000) seen.add(String((await client.expect('publish')).topic))
  await client.expectNothing()
})

for (const hooked of [false, true]) {
  const how = hooked ? 'with hooks on all points' : 'without hooks'
  testVersions(
    currentVersions,
    `many retained messages of all QoS: in their order, within the window, ${how} [MQTT-3.3.4-9]`,
    async (t, version) => {
      const broker = await startBroker(t, { maxInflight: 5 }, { record: hooked })
      const publisher = await broker.connect({ version })
      const expected: string[] = []
      for (let index = 0; index < 300; index++) {
        const qos = (index % 3) as 0 | 1 | 2
        await publishThrough(publisher, `many/${index}/é`, `${index} ${qos}`, { qos, retain: true })
        expected.push(`${index} ${qos}`)
      }
      const client = await broker.connect({ version })
      await subscribe(client, 'many/#', { qos: 2, identifier: 7 })
      const received: string[] = []
      const open = new Map<number, number>()
      const unanswered: number[] = []
      while (received.length < expected.length || open.size > 0) {
        const packet = await client.next()
        const messageId = packet.messageId as number
        if (packet.cmd === 'pubrel') {
          client.send({ cmd: 'pubcomp', messageId })
          open.delete(messageId)
          continue
        }
        const { qos, retain, topic, properties } = packet as Received & { qos: number }
        const text = String(packet.payload)
        assert.deepEqual([topic, qos, retain], [`many/${text.split(' ')[0]}/é`, Number(text.split(' ')[1]), true])
        if (version === 5) assert.equal((properties as { subscriptionIdentifier: number }).subscriptionIdentifier, 7)
        received.push(text)
        if (qos !== 0) {
          open.set(messageId, qos)
          unanswered.push(messageId)
        }
        assert.ok(open.size <= 5, `${open.size} at once`)
        if (open.size < 5 && received.length < expected.length) continue
        const answers = unanswered.splice(0).map((id) => ({ id, qos: open.get(id) }))
        for (const answer of answers) if (answer.qos === 1) open.delete(answer.id)
        client.send(...answers.map(({ id, qos }) => ({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: id }) as const))
      }
      assert.deepEqual(received, expected)
      await client.expectNothing()
      assert.equal(broker.home(client.clientId).link.metrics()['messages.delivered'], expected.length)
    },
  )
}

test('retained messages for a client that does not read wait where they are kept', async (t) => {
  const maxPendingBytes = 100_000
  const broker = await startBroker(t, { maxPendingBytes, sendTimeout: 0 }, { record: false })
  const publisher = await broker.connect()
  const payload = Buffer.alloc(60_000, 'x')
  for (let index = 0; index < 400; index++) publish(publisher, `large/${index}`, payload, { retain: true })
  await publisher.settle()
  const client = await broker.connect({ clientId: 'slow' })
  client.socket.pause()
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'large/#', qos: 0 }] })
  const waiting = (): number =>
    [...broker.home('slow').channels].find(({ clientId }) => clientId === 'slow')?.outbox.pending ?? 0
  await until(() => waiting() > maxPendingBytes, 'bytes that wait')
  await publisher.settle()
  assert.ok(waiting() <= maxPendingBytes + 60_100, `${waiting()} bytes wait`)
  client.socket.resume()
  const seen = new Set<string>()
  while (seen.size < 400) {
    const packet = await client.next()
    if (packet.cmd === 'publish') seen.add(String(packet.topic))
  }
  assert.equal(broker.home(client.clientId).link.metrics()['delivery.dropped'], 0)
})

test('one that is too large for the client is left out, the others come [MQTT-3.1.2-25]', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  const publisher = await broker.connect()
  for (const [index, size] of [5, 500, 5, 500, 5].entries())
    await publishThrough(publisher, `a/${index}`, 'x'.repeat(size), { qos: 1, retain: true })
  const client = await broker.connect({ properties: { maximumPacketSize: 100 } })
  await subscribe(client, 'a/+', { qos: 1 })
  const received = await client.settle()
  assert.deepEqual(
    received.map(({ topic }) => topic),
    ['a/0', 'a/2', 'a/4'],
  )
  assert.equal(broker.home(client.clientId).link.metrics()['delivery.dropped.too_large'], 2)
})

test('what expires while a client reads is not sent', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { maxInflight: 1 }, { clock, record: false })
  const publisher = await broker.connect()
  for (const index of [0, 1, 2]) {
    const properties = { messageExpiryInterval: index === 1 ? 10 : 1000 }
    await publishThrough(publisher, `a/${index}`, `${index}`, { qos: 1, retain: true, properties })
  }
  const client = await broker.connect()
  await subscribe(client, 'a/+', { qos: 1 })
  const first = await client.expect('publish')
  assert.equal(first.topic, 'a/0')
  clock.advance(20_000)
  await acknowledge(client, first)
  assert.equal((await client.expect('publish')).topic, 'a/2')
  assert.deepEqual(payloads(await retained(broker, 'a/#', 5, 0)), ['0', '2'])
})
