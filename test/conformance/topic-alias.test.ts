import assert from 'node:assert/strict'
import { test } from 'node:test'
import { propertiesOf, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import type { Received } from '../support/raw-client.ts'

function aliasOf(packet: Received): number | undefined {
  return ((packet.properties ?? {}) as { topicAlias?: number }).topicAlias
}

test('aliases of the client, up to the maximum, may be changed [MQTT-3.3.2-12]', async (t) => {
  const broker = await startBroker(t, { maxTopicAlias: 3 })
  const watcher = await broker.connect()
  await subscribe(watcher, '#')
  const client = await broker.connect()
  for (const topicAlias of [1, 2, 3]) publish(client, `t${topicAlias}`, 'set', { properties: { topicAlias } })
  for (const topicAlias of [3, 1, 2]) publish(client, '', 'used', { properties: { topicAlias } })
  publish(client, 'other', 'changed', { properties: { topicAlias: 1 } })
  publish(client, '', 'used again', { properties: { topicAlias: 1 }, qos: 1 })
  await client.settle()
  const received = await watcher.settle()
  assert.deepEqual(
    received.map(({ topic }) => topic),
    ['t1', 't2', 't3', 't3', 't1', 't2', 'other', 'other'],
  )
  assert.ok(
    received.every((packet) => aliasOf(packet) === undefined),
    'aliases are not handed on',
  )
})

test('alias 0 and aliases above the maximum [MQTT-3.3.2-8] [MQTT-3.3.2-9]', async (t) => {
  const broker = await startBroker(t, { maxTopicAlias: 3 })
  for (const topicAlias of [0, 4, 65_535]) {
    const client = await broker.connect()
    client.send(Buffer.from([0x30, 8, 0, 1, 0x61, 3, 0x23, topicAlias >> 8, topicAlias & 0xff, 0x78]))
    await client.expectDisconnect(topicAlias === 0 ? 0x82 : 0x94)
  }
})

test('no aliases at all when the maximum is 0', async (t) => {
  const broker = await startBroker(t, { maxTopicAlias: 0 })
  const client = await broker.connect()
  const properties = propertiesOf(client.connack)
  assert.equal(properties.topicAliasMaximum ?? 0, 0)
  publish(client, 'a', 'x', { properties: { topicAlias: 1 } })
  await client.expectDisconnect(0x94)
})

test('an alias that was never set', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  publish(client, '', 'x', { properties: { topicAlias: 1 } })
  await client.expectDisconnect(0x82)
})

test('aliases end with their connection, the session does not keep them [MQTT-3.3.2-7]', async (t) => {
  const broker = await startBroker(t)
  const keep = { clientId: 'p', clean: false, properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(keep)
  publish(first, 'a', 'x', { properties: { topicAlias: 1 } })
  await first.settle()
  await first.disconnect()
  const second = await broker.connect(keep)
  publish(second, '', 'x', { properties: { topicAlias: 1 } })
  await second.expectDisconnect(0x82)
})

test('no aliases for a client that did not ask for them [MQTT-3.1.2-27]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  await subscribe(client, '#')
  const publisher = await broker.connect()
  for (let round = 0; round < 3; round++) await publishThrough(publisher, 'a/long/topic/name', 'x')
  const received = await client.settle()
  assert.ok(received.every((packet) => aliasOf(packet) === undefined && packet.topic === 'a/long/topic/name'))
})

test('aliases to the client stay within its maximum and resolve to the right topics [MQTT-3.1.2-26] [MQTT-3.3.2-11]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ properties: { topicAliasMaximum: 2 } })
  await subscribe(client, '#', { qos: 1 })
  const publisher = await broker.connect()
  const sent: string[] = []
  for (const name of ['one', 'two', 'three', 'one', 'two', 'three', 'one', 'one', 'four', 'two']) {
    sent.push(`topics/${name}`)
    await publishThrough(publisher, `topics/${name}`, 'x', { qos: sent.length % 2 === 0 ? 0 : 1 })
  }
  const aliases = new Map<number, string>()
  let used = 0
  const resolved = (await client.settle()).map((packet) => {
    const alias = aliasOf(packet)
    const topic = String(packet.topic ?? '')
    if (alias === undefined) return topic
    assert.ok(alias >= 1 && alias <= 2, `alias ${alias}`)
    if (topic !== '') aliases.set(alias, topic)
    else used++
    return aliases.get(alias) ?? ''
  })
  assert.deepEqual(resolved, sent)
  assert.ok(used > 0, 'a repeated topic is shortened')
})

test('a new connection begins without aliases to the client [MQTT-3.3.2-7]', async (t) => {
  const broker = await startBroker(t)
  const keep = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100, topicAliasMaximum: 5 } }
  const publisher = await broker.connect()
  const first = await broker.connect(keep)
  await subscribe(first, 'a')
  await publishThrough(publisher, 'a', 'x')
  await first.expect('publish', { topic: 'a' })
  await first.disconnect()
  const second = await broker.connect(keep)
  await publishThrough(publisher, 'a', 'x')
  await second.expect('publish', { topic: 'a' })
})

test('a hook and the ACL see the topic, not the alias', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  publish(client, 'a/b', 'x', { properties: { topicAlias: 1 } })
  publish(client, '', 'y', { properties: { topicAlias: 1 } })
  await client.settle()
  const topics = broker.recorder
    .of('message.publish')
    .map(({ accumulator }) => (accumulator as { topic: string }).topic)
  assert.deepEqual(topics, ['a/b', 'a/b'])
})
