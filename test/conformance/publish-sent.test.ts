import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledge, payloads, publish, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import type { RawClient, Received, Version } from '../support/raw-client.ts'
import { allVersions, currentVersions, testVersions } from '../support/versions.ts'

function persistent(broker: TestBroker, version: Version, clientId = 'sleeper'): Promise<RawClient> {
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 1000 } } : {}
  return broker.connect({ version, clientId, clean: false, ...keep })
}

testVersions(
  allVersions,
  'delivered at the lower of published and granted QoS [MQTT-3.8.4-8] [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2] [MQTT-3.3.1-2] [MQTT-2.2.1-2] [MQTT-2.2.1-4] [MQTT-3.3.2-3] [MQTT-3.8.4-6 v3.1.1] [MQTT-4.3.1-1 v3.1.1] [MQTT-3.3.1-2 v3.1.1] [MQTT-2.3.1-4 v3.1.1] [MQTT-2.3.1-5 v3.1.1] [MQTT-3.3.2-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    for (const granted of [0, 1, 2] as const) {
      const client = await broker.connect({ version })
      assert.deepEqual(await subscribe(client, 'a/+', { qos: granted }), [granted])
      for (const published of [0, 1, 2] as const) {
        await publishThrough(publisher, 'a/b', 'x', { qos: published })
        const qos = Math.min(granted, published)
        const received = await client.expect('publish', { topic: 'a/b', payload: 'x', qos, dup: false, retain: false })
        if (qos === 0) assert.equal(received.messageId, undefined)
        else assert.ok(Number(received.messageId) > 0)
        await acknowledge(client, received)
        if (qos === 2) await client.settle()
      }
      await client.disconnect()
    }
  },
)

testVersions(
  currentVersions,
  'QoS 1 without PUBACK comes again on the next connection, same identifier, DUP 1, in order [MQTT-3.3.1-1] [MQTT-4.3.2-1] [MQTT-4.3.2-3] [MQTT-4.4.0-1] [MQTT-3.3.1-1 v3.1.1] [MQTT-4.3.2-1 v3.1.1] [MQTT-4.4.0-1 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    const first = await persistent(broker, version)
    await subscribe(first, 'a', { qos: 1 })
    for (const payload of ['1', '2', '3']) await publishThrough(publisher, 'a', payload, { qos: 1 })
    const before = await first.settle()
    assert.deepEqual(payloads(before), ['1', '2', '3'])
    const ids = before.map(({ messageId }) => messageId as number)
    assert.equal(new Set(ids).size, 3)
    first.send({ cmd: 'puback', messageId: ids[1] })
    await first.expectNothing()
    first.destroy()
    const second = await persistent(broker, version)
    await second.expect('publish', { payload: '1', messageId: ids[0], dup: true, qos: 1 })
    await second.expect('publish', { payload: '3', messageId: ids[2], dup: true, qos: 1 })
    await second.expectNothing()
    second.send({ cmd: 'puback', messageId: ids[0] }, { cmd: 'puback', messageId: ids[2] })
    await second.disconnect()
    const third = await persistent(broker, version)
    await third.expectNothing()
  },
)

testVersions(
  currentVersions,
  'QoS 2: PUBLISH again before PUBREC, PUBREL again after it [MQTT-4.3.3-1] [MQTT-4.3.3-3] [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-1] [MQTT-4.3.3-1 v3.1.1] [MQTT-4.4.0-1 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    const first = await persistent(broker, version)
    await subscribe(first, 'a', { qos: 2 })
    await publishThrough(publisher, 'a', 'x', { qos: 2 })
    const { messageId } = await first.expect('publish', { payload: 'x', qos: 2, dup: false })
    first.destroy()

    const second = await persistent(broker, version)
    await second.expect('publish', { payload: 'x', qos: 2, dup: true, messageId })
    second.send({ cmd: 'pubrec', messageId: messageId as number })
    await second.expect('pubrel', { messageId })
    second.destroy()

    const third = await persistent(broker, version)
    await third.expect('pubrel', { messageId })
    await third.expectNothing()
    third.send({ cmd: 'pubcomp', messageId: messageId as number })
    await third.disconnect()

    const fourth = await persistent(broker, version)
    await fourth.expectNothing()
  },
)

testVersions(currentVersions, 'nothing is repeated while the connection stands [MQTT-4.4.0-1]', async (t, version) => {
  const broker = await startBroker(t)
  const publisher = await broker.connect({ version })
  const client = await persistent(broker, version)
  await subscribe(client, 'a', { qos: 1 })
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  await client.expect('publish', { dup: false })
  await client.expectNothing()
  await subscribe(client, 'b', { qos: 1 })
  await client.expectNothing()
})

testVersions(
  currentVersions,
  'DUP of the publisher is not handed on [MQTT-3.3.1-3] [MQTT-3.3.1-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    await subscribe(client, 'a', { qos: 2 })
    const publisher = await broker.connect({ version })
    publish(publisher, 'a', 'x', { qos: 1, dup: true })
    const one = await client.expect('publish', { dup: false, qos: 1 })
    await acknowledge(client, one)
    publish(publisher, 'a', 'x', { qos: 2, dup: true })
    await client.expect('publish', { dup: false, qos: 2 })
  },
)

testVersions(
  currentVersions,
  'QoS 1 and 2 for an absent client wait for it in order [MQTT-4.5.0-1] [MQTT-3.1.2-23] [MQTT-3.1.2-5 v3.1.1] [MQTT-4.5.0-1 v3.1.1] [MQTT-4.1.0-1 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const first = await persistent(broker, version)
    await subscribe(first, 'a/#', { qos: 2 })
    await first.disconnect()
    const publisher = await broker.connect({ version })
    for (let index = 0; index < 20; index++) {
      await publishThrough(publisher, `a/${index}`, `${index}`, { qos: index % 2 === 0 ? 1 : 2 })
    }
    const second = await persistent(broker, version)
    const received: Received[] = await second.settle()
    assert.deepEqual(
      payloads(received),
      Array.from({ length: 20 }, (_, index) => `${index}`),
    )
    assert.ok(received.every(({ dup }) => dup === false))
  },
)

testVersions(
  currentVersions,
  'no DISCONNECT and no acknowledgement loses a message of a session that stands [MQTT-4.1.0-1] [MQTT-4.1.0-2 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    await subscribe(client, 'a', { qos: 1 })
    const publisher = await broker.connect({ version })
    for (let index = 0; index < 50; index++) await publishThrough(publisher, 'a', `${index}`, { qos: 1 })
    const received = await client.settle()
    assert.equal(received.length, 50)
    for (const packet of received) await acknowledge(client, packet)
    await client.expectNothing()
  },
)

test('PUBACK or PUBREC of 0x80 and above ends the delivery [MQTT-4.4.0-2]', async (t) => {
  const broker = await startBroker(t)
  const publisher = await broker.connect()
  const first = await persistent(broker, 5)
  await subscribe(first, 'a', { qos: 2 })
  await publishThrough(publisher, 'a', 'one', { qos: 1 })
  await publishThrough(publisher, 'a', 'two', { qos: 2 })
  const [one, two] = await first.settle()
  first.send({ cmd: 'puback', messageId: one.messageId as number, reasonCode: 0x83 })
  first.send({ cmd: 'pubrec', messageId: two.messageId as number, reasonCode: 0x83 })
  await first.expectNothing()
  await first.disconnect()
  const second = await persistent(broker, 5)
  await second.expectNothing()
})

testVersions(
  currentVersions,
  'acknowledgements of unknown identifiers do no harm [MQTT-3.6.2-1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    client.send({ cmd: 'puback', messageId: 99 }, { cmd: 'pubcomp', messageId: 99 })
    await client.expectNothing()
    client.send({ cmd: 'pubrec', messageId: 99 })
    await client.expect('pubrel', version === 5 ? { messageId: 99, reasonCode: 0x92 } : { messageId: 99 })
  },
)

testVersions(
  currentVersions,
  'after UNSUBSCRIBE nothing new comes, what has begun is completed [MQTT-3.10.4-2] [MQTT-3.10.4-3] [MQTT-3.10.4-2 v3.1.1] [MQTT-3.10.4-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    const first = await persistent(broker, version)
    await subscribe(first, 'a', { qos: 2 })
    await publishThrough(publisher, 'a', 'begun', { qos: 2 })
    const { messageId } = await first.expect('publish', { payload: 'begun' })
    await unsubscribe(first, 'a')
    await publishThrough(publisher, 'a', 'too late', { qos: 2 })
    await first.expectNothing()
    first.destroy()
    const second = await persistent(broker, version)
    const again = await second.expect('publish', { payload: 'begun', messageId, dup: true })
    await acknowledge(second, again)
    await second.expectNothing()
  },
)

testVersions([5], 'packet identifiers in flight are all different [MQTT-2.2.1-4] [MQTT-4.3.2-1]', async (t) => {
  const broker = await startBroker(t, { maxInflight: 1000, maxQueueLength: 100_000 })
  const client = await broker.connect()
  await subscribe(client, 'a', { qos: 1 })
  const publisher = await broker.connect()
  for (let index = 0; index < 400; index++) publish(publisher, 'a', `${index}`, { qos: 1 })
  await publisher.settle()
  const ids = (await client.settle()).map(({ messageId }) => messageId as number)
  assert.equal(ids.length, 400)
  assert.equal(new Set(ids).size, 400)
  assert.ok(ids.every((id) => id > 0 && id <= 0xffff))
})
