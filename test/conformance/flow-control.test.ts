import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledge, payloads, propertiesOf, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import type { Received } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

test('never more unacknowledged than the client takes; everything else goes on [MQTT-3.3.4-9] [MQTT-3.3.4-10] [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.9.0-3]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ properties: { receiveMaximum: 2 } })
  await subscribe(client, 'a', { qos: 2 })
  const publisher = await broker.connect()
  const sent = ['1', '2', '3', '4', '5']
  for (const payload of sent) await publishThrough(publisher, 'a', payload, { qos: payload === '2' ? 2 : 1 })
  const first = await client.settle()
  assert.deepEqual(payloads(first), ['1', '2'])
  // Quota is used up: SUBSCRIBE, PINGREQ and what the client publishes are served all the same.
  assert.deepEqual(await subscribe(client, 'b', { qos: 1 }), [1])
  await publishThrough(client, 'c', 'served', { qos: 2 })
  await acknowledge(client, first[0])
  const third = await client.expect('publish', { payload: '3' })
  await client.expectNothing()
  // PUBREC does not free a place, PUBCOMP does.
  client.send({ cmd: 'pubrec', messageId: first[1].messageId as number })
  await client.expect('pubrel')
  await client.expectNothing()
  client.send({ cmd: 'pubcomp', messageId: first[1].messageId as number })
  const fourth = await client.expect('publish', { payload: '4' })
  await acknowledge(client, third)
  await acknowledge(client, fourth)
  await client.expect('publish', { payload: '5' })
})

test('a refusing PUBREC frees a place', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ properties: { receiveMaximum: 1 } })
  await subscribe(client, 'a', { qos: 2 })
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', '1', { qos: 2 })
  await publishThrough(publisher, 'a', '2', { qos: 2 })
  const first = await client.expect('publish', { payload: '1' })
  await client.expectNothing()
  client.send({ cmd: 'pubrec', messageId: first.messageId as number, reasonCode: 0x80 })
  await client.expect('publish', { payload: '2' })
})

test('a new connection has a new quota, repeated deliveries count', async (t) => {
  const broker = await startBroker(t)
  const keep = { clientId: 's', clean: false }
  const first = await broker.connect({ ...keep, properties: { sessionExpiryInterval: 100, receiveMaximum: 3 } })
  await subscribe(first, 'a', { qos: 1 })
  const publisher = await broker.connect()
  for (const payload of ['1', '2', '3', '4']) await publishThrough(publisher, 'a', payload, { qos: 1 })
  assert.deepEqual(payloads(await first.settle()), ['1', '2', '3'])
  first.destroy()
  const second = await broker.connect({ ...keep, properties: { sessionExpiryInterval: 100, receiveMaximum: 1 } })
  const received: Received[] = []
  for (const payload of ['1', '2', '3', '4']) {
    const packet = await second.expect('publish', { payload })
    await second.expectNothing()
    received.push(packet)
    await acknowledge(second, packet)
  }
  assert.deepEqual(
    received.map(({ dup }) => dup),
    [true, true, true, false],
  )
})

testVersions(currentVersions, 'the inflight limit of the broker holds for every client', async (t, version) => {
  const broker = await startBroker(t, { maxInflight: 3 })
  const client = await broker.connect({ version })
  await subscribe(client, 'a', { qos: 1 })
  const publisher = await broker.connect({ version })
  for (let index = 0; index < 10; index++) await publishThrough(publisher, 'a', `${index}`, { qos: 1 })
  const first = await client.settle()
  assert.equal(first.length, 3)
  for (const packet of first) await acknowledge(client, packet)
  assert.deepEqual(payloads(await client.settle()), ['3', '4', '5'])
})

test('more than the Receive Maximum of the broker ends the connection', async (t) => {
  const broker = await startBroker(t, { receiveMaximum: 2, maxAwaitingRel: 2 })
  const client = await broker.connect()
  for (const messageId of [1, 2, 3]) publish(client, 'a', 'x', { qos: 2, messageId })
  await client.expect('pubrec', { messageId: 1 })
  await client.expect('pubrec', { messageId: 2 })
  await client.expectDisconnect(0x93)
})

test('nothing larger than the Maximum Packet Size of the client; what is too large counts as sent [MQTT-3.1.2-24] [MQTT-3.1.2-25]', async (t) => {
  const broker = await startBroker(t)
  const keep = {
    clientId: 's',
    clean: false,
    properties: { sessionExpiryInterval: 100, maximumPacketSize: 60, receiveMaximum: 1 },
  }
  const client = await broker.connect(keep)
  await subscribe(client, 'a', { qos: 1 })
  const publisher = await broker.connect()
  // PUBLISH at QoS 1 to topic 'a': 2 + 3 + 2 + 1 bytes before the payload.
  await publishThrough(publisher, 'a', 'x'.repeat(53), { qos: 1 })
  await publishThrough(publisher, 'a', 'y'.repeat(52), { qos: 1 })
  await publishThrough(publisher, 'a', 'z'.repeat(60), { qos: 0 })
  const received = await client.expect('publish', { payload: 'y'.repeat(52), qos: 1 })
  await client.expectNothing()
  await acknowledge(client, received)
  await client.disconnect()
  const again = await broker.connect(keep)
  await again.expectNothing()
})

test('reason strings and user properties are left out where they would not fit', async (t) => {
  const broker = await startBroker(t)
  const long = 'because '.repeat(50)
  broker.hook('message.publish', () => ({ reject: 0x97, reason: long }))
  const small = await broker.connect({ properties: { maximumPacketSize: 100 } })
  publish(small, 'a', 'x', { qos: 1, messageId: 1 })
  // [MQTT-3.4.2-2]
  assert.equal((await small.expect('puback', { messageId: 1, reasonCode: 0x97 })).properties, undefined)
  publish(small, 'a', 'x', { qos: 2, messageId: 2 })
  // [MQTT-3.5.2-2]
  assert.equal((await small.expect('pubrec', { messageId: 2, reasonCode: 0x97 })).properties, undefined)
  const large = await broker.connect()
  publish(large, 'a', 'x', { qos: 1, messageId: 1 })
  await large.expect('puback', { reasonCode: 0x97, properties: { reasonString: long } })
})

test('CONNACK keeps within the Maximum Packet Size [MQTT-3.2.2-19] [MQTT-3.2.2-20]', async (t) => {
  const broker = await startBroker(t)
  broker.hook('client.connack', (_, properties) => ({
    ok: { ...properties, reasonString: 'r'.repeat(200), userProperties: [['name', 'v'.repeat(200)]] },
  }))
  const client = await broker.connect({ properties: { maximumPacketSize: 100 } })
  assert.ok(Buffer.concat(client.bytes).length <= 100)
  const properties = propertiesOf(client.connack)
  assert.equal(properties.reasonString, undefined)
  assert.equal(properties.userProperties, undefined)
  const large = await broker.connect()
  assert.equal(propertiesOf(large.connack).reasonString, 'r'.repeat(200))
})

test('DISCONNECT keeps within the Maximum Packet Size [MQTT-3.14.2-3]', async (t) => {
  const broker = await startBroker(t)
  broker.hook('message.publish', () => ({ disconnect: 0x97, reason: 'r'.repeat(200) }))
  const client = await broker.connect({ properties: { maximumPacketSize: 100 } })
  publish(client, 'a', 'x')
  const packet = await client.expectDisconnect(0x97)
  assert.equal((packet?.properties as Record<string, unknown> | undefined)?.reasonString, undefined)
})

test('SUBACK keeps within the Maximum Packet Size [MQTT-3.9.2-1]', async (t) => {
  const broker = await startBroker(t, { maxSubscriptions: 1 })
  const client = await broker.connect({ properties: { maximumPacketSize: 20 } })
  const granted = await subscribe(client, ['a', 'b', 'c'])
  assert.deepEqual(granted, [0, 0x97, 0x97])
  assert.ok(client.bytes.every((chunk) => chunk.length <= 20 || chunk[0] === 0x20))
})

testVersions(currentVersions, 'a packet above the maximum of the broker ends the connection', async (t, version) => {
  const broker = await startBroker(t, { maxPacketSize: 200 })
  const fits = await broker.connect({ version })
  // Remaining length 197 or 198: together with its header exactly 200 bytes.
  publish(fits, 'a', 'x'.repeat(200 - 3 - 3 - (version === 5 ? 1 : 0)))
  await fits.expectNothing()
  publish(fits, 'a', 'x'.repeat(201 - 3 - 3 - (version === 5 ? 1 : 0)))
  await fits.expectDisconnect(0x95)
})
