import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledge, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import type { RawClient, Version } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

interface Pair {
  broker: TestBroker
  publisher: RawClient
  subscriber: RawClient
}

async function pair(t: Parameters<typeof startBroker>[0], version: Version, qos: 0 | 1 | 2): Promise<Pair> {
  const broker = await startBroker(t)
  const subscriber = await broker.connect({ version, clientId: 'sub' })
  await subscribe(subscriber, 'a', { qos })
  const publisher = await broker.connect({ version, clientId: 'pub' })
  broker.recorder.clear()
  return { broker, publisher, subscriber }
}

function withoutPing(broker: TestBroker, client: string): string[] {
  return broker.recorder.lines({ client }).filter((line) => !/PING|client\.ping/.test(line))
}

const common = ['>PUBLISH', 'client.authorize publish a', 'message.publish a']

testVersions(currentVersions, 'PUBLISH with a subscriber, publisher side', async (t, version) => {
  for (const [qos, rest] of [
    [0, []],
    [1, ['message.puback 0x0', '<PUBACK']],
    [2, ['<PUBREC', '>PUBREL', '<PUBCOMP']],
  ] as const) {
    const { broker, publisher } = await pair(t, version, 0)
    await publishThrough(publisher, 'a', 'x', { qos })
    const lines = withoutPing(broker, 'pub')
    assert.deepEqual(lines, [...common, ...rest], `QoS ${qos}`)
  }
})

testVersions(currentVersions, 'PUBLISH without a subscriber', async (t, version) => {
  for (const [qos, rest] of [
    [0, []],
    [1, ['message.puback 0x10', '<PUBACK']],
    [2, ['<PUBREC', '>PUBREL', '<PUBCOMP']],
  ] as const) {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version, clientId: 'pub' })
    broker.recorder.clear()
    const [answer] = await publishThrough(publisher, 'a', 'x', { qos })
    if (qos > 0 && version === 5) assert.equal(answer.reasonCode, 0x10)
    const lines = withoutPing(broker, 'pub')
    assert.deepEqual(lines, [...common, 'message.dropped a no_subscribers', ...rest], `QoS ${qos}`)
  }
})

test('QoS 2, the identifier is in use, no DUP', async (t) => {
  const { broker, publisher } = await pair(t, 5, 0)
  publish(publisher, 'a', 'x', { qos: 2, messageId: 7 })
  await publisher.expect('pubrec', { reasonCode: 0 })
  broker.recorder.clear()
  publish(publisher, 'a', 'x', { qos: 2, messageId: 7 })
  await publisher.expect('pubrec', { messageId: 7, reasonCode: 0x91 })
  // Allowed a moment ago: the answer of client.authorize is remembered.
  assert.deepEqual(broker.recorder.lines({ client: 'pub' }), [
    '>PUBLISH',
    'message.dropped a packet_identifier_inuse',
    '<PUBREC',
  ])
  assert.equal(broker.recorder.count('message.publish'), 0)
})

testVersions(currentVersions, 'QoS 2, the identifier is in use, DUP', async (t, version) => {
  const { broker, publisher } = await pair(t, version, 0)
  publish(publisher, 'a', 'x', { qos: 2, messageId: 7 })
  await publisher.expect('pubrec')
  broker.recorder.clear()
  publish(publisher, 'a', 'x', { qos: 2, messageId: 7, dup: true })
  await publisher.expect('pubrec', version === 5 ? { messageId: 7, reasonCode: 0 } : { messageId: 7 })
  assert.equal(broker.recorder.count('message.publish'), 0)
  assert.equal(broker.recorder.count('message.dropped'), 0)
})

testVersions(currentVersions, 'QoS 2, too many wait for PUBREL', async (t, version) => {
  const broker = await startBroker(t, { maxAwaitingRel: 1 })
  const publisher = await broker.connect({ version, clientId: 'pub' })
  publish(publisher, 'a', 'x', { qos: 2, messageId: 1 })
  await publisher.expect('pubrec')
  broker.recorder.clear()
  publish(publisher, 'a', 'x', { qos: 2, messageId: 2 })
  await publisher.expectDisconnect(0x93)
  const lines = broker.recorder.lines({ client: 'pub' })
  assert.ok(lines.includes('message.dropped a receive_maximum_exceeded'))
  assert.ok(lines.includes('client.disconnected receive_maximum_exceeded'))
  assert.equal(broker.recorder.count('message.publish'), 0)
})

testVersions(currentVersions, 'QoS 0 delivery', async (t, version) => {
  const { broker, publisher, subscriber } = await pair(t, version, 0)
  publish(publisher, 'a', 'x')
  await subscriber.expect('publish')
  assert.deepEqual(broker.recorder.lines({ client: 'sub' }), [
    'delivery.completed a',
    'message.delivered a',
    '<PUBLISH',
  ])
})

testVersions(currentVersions, 'QoS 1 delivery', async (t, version) => {
  const { broker, publisher, subscriber } = await pair(t, version, 1)
  publish(publisher, 'a', 'x', { qos: 1 })
  await acknowledge(subscriber, await subscriber.expect('publish'))
  await subscriber.settle()
  assert.deepEqual(withoutPing(broker, 'sub'), [
    'message.delivered a',
    '<PUBLISH',
    '>PUBACK',
    'delivery.completed a',
    'message.acked a',
  ])
})

testVersions(currentVersions, 'QoS 2 delivery', async (t, version) => {
  const { broker, publisher, subscriber } = await pair(t, version, 2)
  publish(publisher, 'a', 'x', { qos: 2 })
  await acknowledge(subscriber, await subscriber.expect('publish'))
  await subscriber.settle()
  assert.deepEqual(withoutPing(broker, 'sub'), [
    'message.delivered a',
    '<PUBLISH',
    '>PUBREC',
    'message.acked a',
    '<PUBREL',
    '>PUBCOMP',
    'delivery.completed a',
  ])
})

test('a client that subscribes to itself: PUBACK, then the delivery', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ clientId: 'self' })
  await subscribe(client, 'a', { qos: 1 })
  broker.recorder.clear()
  publish(client, 'a', 'x', { qos: 1 })
  await client.expect('puback')
  await client.expect('publish')
  assert.deepEqual(broker.recorder.lines(), [
    ...common,
    'message.puback 0x0',
    'message.delivered a',
    '<PUBACK',
    '<PUBLISH',
  ])
})

test('message.nack when the subscriber refuses', async (t) => {
  const { broker, publisher, subscriber } = await pair(t, 5, 1)
  publish(publisher, 'a', 'x', { qos: 1 })
  const { messageId } = await subscriber.expect('publish')
  subscriber.send({ cmd: 'puback', messageId: messageId as number, reasonCode: 0x99 })
  await subscriber.settle()
  assert.equal(broker.recorder.of('message.nack')[0].args.reasonCode, 0x99)
  assert.equal(broker.recorder.count('message.acked'), 0)
  assert.equal(broker.recorder.count('delivery.completed'), 0)
})

test('delivery.dropped: no_local', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ clientId: 'self' })
  await subscribe(client, 'a', { noLocal: true })
  broker.recorder.clear()
  publish(client, 'a', 'x', { qos: 1 })
  await client.expect('puback', { reasonCode: 0 })
  assert.ok(broker.recorder.lines().includes('delivery.dropped a no_local'))
  assert.equal(broker.recorder.count('message.dropped'), 0)
  assert.equal(broker.recorder.count('message.delivered'), 0)
})

test('delivery.dropped: queue_full takes the oldest', async (t) => {
  const broker = await startBroker(t, { maxQueueLength: 2 })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const subscriber = await broker.connect(settings)
  await subscribe(subscriber, 'a', { qos: 1 })
  await subscriber.disconnect()
  const publisher = await broker.connect()
  for (const payload of ['1', '2', '3']) await publishThrough(publisher, 'a', payload, { qos: 1 })
  const dropped = broker.recorder.of('delivery.dropped')
  assert.deepEqual(
    dropped.map(({ args }) => [args.reason, String((args.message as { payload: Buffer }).payload)]),
    [['queue_full', '1']],
  )
  assert.equal(broker.recorder.count('message.dropped'), 0)
  const back = await broker.connect(settings)
  await back.expect('publish', { payload: '2' })
  await back.expect('publish', { payload: '3' })
})

test('delivery.dropped: qos0_msg when QoS 0 is not queued', async (t) => {
  const broker = await startBroker(t, { queueQos0: false })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const subscriber = await broker.connect(settings)
  await subscribe(subscriber, 'a', { qos: 1 })
  await subscriber.disconnect()
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x')
  assert.ok(broker.recorder.lines().includes('delivery.dropped a qos0_msg'))
})

test('delivery.dropped: expired, when the queue is read', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const subscriber = await broker.connect(settings)
  await subscribe(subscriber, 'a', { qos: 1 })
  await subscriber.disconnect()
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x', { qos: 1, properties: { messageExpiryInterval: 1 } })
  clock.advance(5_000)
  assert.equal(broker.recorder.count('delivery.dropped'), 0)
  const back = await broker.connect(settings)
  await back.expectNothing()
  assert.ok(broker.recorder.lines().includes('delivery.dropped a expired'))
})

test('too large for the subscriber: message.delivered runs, nothing is sent', async (t) => {
  const broker = await startBroker(t)
  const subscriber = await broker.connect({ clientId: 'sub', properties: { maximumPacketSize: 40 } })
  await subscribe(subscriber, 'a')
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x'.repeat(100))
  await subscriber.expectNothing()
  assert.equal(broker.recorder.count('message.delivered'), 1)
})

testVersions(currentVersions, 'a message that is repeated passes message.delivered again', async (t, version) => {
  const broker = await startBroker(t)
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
  const settings = { version, clientId: 's', clean: false, ...keep }
  const subscriber = await broker.connect(settings)
  await subscribe(subscriber, 'a', { qos: 1 })
  const publisher = await broker.connect({ version })
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  await subscriber.expect('publish')
  subscriber.destroy()
  const back = await broker.connect(settings)
  await back.expect('publish', { dup: true })
  assert.equal(broker.recorder.count('message.delivered'), 2)
  assert.equal(broker.recorder.count('message.publish'), 1)
})
