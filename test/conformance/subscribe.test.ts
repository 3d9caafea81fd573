import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { hex } from '../support/hex.ts'
import { allVersions, currentVersions, testVersions } from '../support/versions.ts'

testVersions(
  allVersions,
  'one SUBACK with a code for each filter, in order [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-2.2.1-6] [MQTT-3.8.4-1 v3.1.1] [MQTT-3.8.4-2 v3.1.1] [MQTT-3.8.4-4 v3.1.1] [MQTT-3.8.4-5 v3.1.1] [MQTT-3.9.3-1 v3.1.1] [MQTT-2.3.1-7 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    client.send({
      cmd: 'subscribe',
      messageId: 513,
      subscriptions: [
        { topic: 'a', qos: 2 },
        { topic: 'b', qos: 0 },
        { topic: 'c/#', qos: 1 },
      ],
    })
    await client.expect('suback', { messageId: 513, granted: [2, 0, 1] })
    for (const topic of ['a', 'b', 'c/d']) publish(client, topic, topic)
    assert.deepEqual(payloads(await client.settle()), ['a', 'b', 'c/d'])
  },
)

test('the bytes of SUBACK and UNSUBACK', async (t) => {
  const broker = await startBroker(t)
  const older = await broker.connect({ version: 4 })
  await older.expectBytes(hex('20 02 00 00'))
  older.send(hex("82 0a 0007 0001'a' 01 0001'b' 02"))
  await older.expectBytes(hex('90 04 0007 01 02'))
  older.send(hex("a2 08 0008 0001'a' 0001'z'"))
  await older.expectBytes(hex('b0 02 0008'), 'no codes in 3.1.1')
  const client = await broker.connect()
  await client.expectBytes(Buffer.concat(client.bytes))
  client.send(hex("82 0b 0007 00 0001'a' 01 0001'b' 02"))
  await client.expectBytes(hex('90 05 0007 00 01 02'), 'property length 0 is written [MQTT-2.2.2-1]')
  client.send(hex("a2 09 0008 00 0001'a' 0001'z'"))
  await client.expectBytes(hex('b0 05 0008 00 00 11'))
})

testVersions(
  currentVersions,
  'UNSUBSCRIBE is answered, also for what was not there [MQTT-3.10.4-1] [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT-2.2.1-6] [MQTT-3.10.4-1 v3.1.1] [MQTT-3.10.4-4 v3.1.1] [MQTT-3.10.4-5 v3.1.1] [MQTT-3.10.4-6 v3.1.1] [MQTT-2.3.1-7 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    await subscribe(client, ['a/+', 'b', 'B'])
    const unsuback = await unsubscribe(client, 'nothing', 'b', 'a/b')
    if (version === 5) assert.deepEqual(unsuback.granted, [0x11, 0x00, 0x11])
    for (const topic of ['a/b', 'b', 'B']) publish(client, topic, topic)
    assert.deepEqual(payloads(await client.settle()), ['a/b', 'B'])
  },
)

testVersions(
  currentVersions,
  'the same filter again replaces the subscription and sends retained messages again [MQTT-3.8.4-3] [MQTT-3.8.4-4] [MQTT-3.8.4-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    await publishThrough(publisher, 'a', 'kept', { qos: 1, retain: true })
    const client = await broker.connect({ version })
    assert.deepEqual(await subscribe(client, 'a', { qos: 0 }), [0])
    await client.expect('publish', { payload: 'kept', qos: 0, retain: true })
    assert.deepEqual(await subscribe(client, 'a', { qos: 1 }), [1])
    await client.expect('publish', { payload: 'kept', qos: 1, retain: true })
    await publishThrough(publisher, 'a', 'live', { qos: 1 })
    const received = await client.settle()
    assert.deepEqual(payloads(received), ['live'], 'one subscription, one copy')
    assert.equal(received[0].qos, 1)
  },
)

testVersions(
  currentVersions,
  'overlapping subscriptions: one copy at the highest QoS [MQTT-3.3.4-2] [MQTT-3.3.5-1 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    await subscribe(client, 'a/b', { qos: 0 })
    await subscribe(client, 'a/+', { qos: 2 })
    await subscribe(client, '#', { qos: 1 })
    const publisher = await broker.connect({ version })
    await publishThrough(publisher, 'a/b', 'x', { qos: 2 })
    const received = await client.settle()
    assert.equal(received.length, 1)
    assert.equal(received[0].qos, 2)
  },
)

testVersions(
  currentVersions,
  'refused filters leave the others alone [MQTT-3.9.3-2] [MQTT-3.9.3-2 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    broker.hook('client.authorize', ({ topic }) => ({
      stop: { result: topic.startsWith('secret') ? ('deny' as const) : ('allow' as const), from: 'test' },
    }))
    const client = await broker.connect({ version })
    assert.deepEqual(await subscribe(client, ['a', 'secret/#', 'b'], { qos: 1 }), [1, version === 5 ? 0x87 : 0x80, 1])
    const publisher = await broker.connect({ version })
    broker.hook('client.authorize', () => ({ stop: { result: 'allow' as const, from: 'test' } }), { priority: 10 })
    for (const topic of ['a', 'secret/x', 'b']) await publishThrough(publisher, topic, topic)
    assert.deepEqual(payloads(await client.settle()), ['a', 'b'])
  },
)

testVersions(currentVersions, 'wildcards that are switched off [MQTT-3.8.3-2 v3.1.1]', async (t, version) => {
  const broker = await startBroker(t, { wildcardSubscription: false })
  const client = await broker.connect({ version })
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/+', qos: 0 }] })
  const answer = await client.next()
  if (answer.cmd === 'suback') assert.deepEqual(answer.granted, [version === 5 ? 0xa2 : 0x80])
  else assert.equal(answer.reasonCode, 0xa2)
})

test('shared subscriptions that are switched off', async (t) => {
  const broker = await startBroker(t, { sharedSubscription: false })
  const client = await broker.connect()
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$share/g/a', qos: 0 }] })
  const answer = await client.next()
  if (answer.cmd === 'suback') assert.deepEqual(answer.granted, [0x9e])
  else assert.equal(answer.reasonCode, 0x9e)
})

testVersions(currentVersions, 'as many subscriptions as the client may have', async (t, version) => {
  const broker = await startBroker(t, { maxSubscriptions: 2 })
  const client = await broker.connect({ version })
  assert.deepEqual(await subscribe(client, ['a', 'b', 'c']), [0, 0, version === 5 ? 0x97 : 0x80])
  assert.deepEqual(await subscribe(client, 'a', { qos: 1 }), [1], 'an existing one may change')
  await unsubscribe(client, 'a')
  assert.deepEqual(await subscribe(client, 'c'), [0])
})
