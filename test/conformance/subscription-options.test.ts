import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import type { Received } from '../support/raw-client.ts'

function identifiers(packet: Received): number[] {
  const properties = (packet.properties ?? {}) as { subscriptionIdentifier?: number | number[] }
  return [properties.subscriptionIdentifier ?? []].flat().sort((a, b) => a - b)
}

test('no local: own messages do not come back, those of others do [MQTT-3.8.3-3]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  await subscribe(client, 'a', { noLocal: true })
  await subscribe(client, 'b')
  publish(client, 'a', 'own')
  publish(client, 'b', 'own, allowed')
  assert.deepEqual(payloads(await client.settle()), ['own, allowed'])
  const other = await broker.connect()
  await publishThrough(other, 'a', "another's")
  assert.deepEqual(payloads(await client.settle()), ["another's"])
})

test('3.1.1 gets its own messages', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version: 4 })
  await subscribe(client, 'a')
  publish(client, 'a', 'own')
  assert.deepEqual(payloads(await client.settle()), ['own'])
})

test('retain as published [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT-3.3.1-9 v3.1.1]', async (t) => {
  const broker = await startBroker(t)
  const plain = await broker.connect()
  const faithful = await broker.connect()
  const older = await broker.connect({ version: 4 })
  await subscribe(plain, 'a')
  await subscribe(faithful, 'a', { retainAsPublished: true })
  await subscribe(older, 'a')
  const publisher = await broker.connect()
  for (const retain of [true, false]) {
    await publishThrough(publisher, 'a', 'x', { retain })
    await plain.expect('publish', { retain: false })
    await faithful.expect('publish', { retain })
    await older.expect('publish', { retain: false })
  }
})

test('retain handling 0, 1, 2 [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]', async (t) => {
  const broker = await startBroker(t)
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a/1', 'one', { retain: true })
  await publishThrough(publisher, 'a/2', 'two', { retain: true })
  const expected: Record<0 | 1 | 2, [first: number, again: number]> = { 0: [2, 2], 1: [2, 0], 2: [0, 0] }
  for (const retainHandling of [0, 1, 2] as const) {
    const client = await broker.connect()
    await subscribe(client, 'a/+', { retainHandling })
    const first = (await client.settle()).length
    await subscribe(client, 'a/+', { retainHandling })
    const again = (await client.settle()).length
    assert.deepEqual([first, again], expected[retainHandling], `retain handling ${retainHandling}`)
  }
})

test('nothing is lost while a subscription is replaced [MQTT-3.8.4-4]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  await subscribe(client, 'a', { qos: 1 })
  const sent: string[] = []
  for (let index = 0; index < 100; index++) {
    if (index % 10 === 0) {
      client.send({ cmd: 'subscribe', messageId: 1000 + index, subscriptions: [{ topic: 'a', qos: 1, rh: 0 }] })
    }
    sent.push(`${index}`)
    publish(client, 'a', `${index}`)
  }
  assert.deepEqual(payloads(await client.settle()), sent)
})

test('a subscription identifier comes with each message of its subscription, and goes with a replaced one', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  await subscribe(client, 'a', { identifier: 268_435_455 })
  publish(client, 'a', 'x')
  assert.deepEqual(identifiers(await client.expect('publish')), [268_435_455])
  await subscribe(client, 'a', { identifier: 7 })
  publish(client, 'a', 'x')
  assert.deepEqual(identifiers(await client.expect('publish')), [7])
  await subscribe(client, 'a')
  publish(client, 'a', 'x')
  assert.deepEqual(identifiers(await client.expect('publish')), [])
})

test('overlapping subscriptions: all identifiers in one copy [MQTT-3.3.4-3] [MQTT-3.3.4-4]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  await subscribe(client, 'a/b', { identifier: 1 })
  await subscribe(client, 'a/+', { identifier: 2 })
  await subscribe(client, '#')
  await subscribe(client, 'c/#', { identifier: 3 })
  publish(client, 'a/b', 'x')
  const received = await client.settle()
  assert.equal(received.length, 1)
  assert.deepEqual(identifiers(received[0]), [1, 2])
})

test('retained messages carry the identifier of the subscription that asked', async (t) => {
  const broker = await startBroker(t)
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'kept', { retain: true })
  const client = await broker.connect()
  await subscribe(client, 'a', { identifier: 5 })
  const received = await client.expect('publish', { payload: 'kept', retain: true })
  assert.deepEqual(identifiers(received), [5])
})

test('identifiers survive with the session', async (t) => {
  const broker = await startBroker(t)
  const keep = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(keep)
  await subscribe(first, 'a', { qos: 1, identifier: 9 })
  await first.disconnect()
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  const second = await broker.connect(keep)
  assert.deepEqual(identifiers(await second.expect('publish', { payload: 'x' })), [9])
})
