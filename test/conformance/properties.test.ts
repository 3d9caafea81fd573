import assert from 'node:assert/strict'
import { test } from 'node:test'
import { propertiesOf, publish, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { frame, hex, utf8 } from '../support/hex.ts'
import { assertMatches } from '../support/match.ts'
import type { Received } from '../support/raw-client.ts'

const pair = (name: string, value: string) => Buffer.concat([Buffer.from([0x26]), utf8(name), utf8(value)])

test('properties of PUBLISH pass through byte for byte, user properties in order [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]', async (t) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect()
  await subscribe(watcher, 'a', { qos: 1 })
  await watcher.settle()
  await watcher.expectBytes(Buffer.concat(watcher.bytes))
  const users = Buffer.concat([pair('b', '1'), pair('a', '2'), pair('b', '3'), pair('', ''), pair('ü', '☃')])
  const properties = Buffer.concat([hex("01 01  03 0002'ct'  08 0003'r/t'  09 0004 00ff00fe"), users])
  const publisher = await broker.connect()
  publisher.send(frame(0x32, utf8('a'), hex('0001'), Buffer.from([properties.length]), properties, hex("'payload'")))
  await publisher.expect('puback', { reasonCode: 0 })
  await watcher.expect('publish', {
    topic: 'a',
    payload: 'payload',
    properties: {
      payloadFormatIndicator: true,
      contentType: 'ct',
      responseTopic: 'r/t',
      correlationData: Buffer.from('00ff00fe', 'hex'),
    },
  })
  const sent = Buffer.concat(watcher.bytes)
  assert.ok(sent.includes(users), 'user properties in their order, repeated names and empty ones included')
})

test('properties are kept for queued, retained and repeated messages', async (t) => {
  const broker = await startBroker(t)
  const keep = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(keep)
  await subscribe(first, 'a', { qos: 1 })
  await first.disconnect()
  const publisher = await broker.connect()
  const properties = { contentType: 'text/plain', responseTopic: 'back', userProperties: { k: ['1', '2'] } }
  await publishThrough(publisher, 'a', 'x', { qos: 1, retain: true, properties })
  for (const dup of [false, true]) {
    const client = await broker.connect(keep)
    await client.expect('publish', { payload: 'x', dup, properties })
    client.destroy()
  }
  const late = await broker.connect()
  await subscribe(late, 'a')
  await late.expect('publish', { retain: true, properties })
})

test('3.1.1 gets the payload without properties, MQTT 5 the message of 3.1.1', async (t) => {
  const broker = await startBroker(t)
  const older = await broker.connect({ version: 4 })
  await subscribe(older, 'a')
  await older.expectBytes(hex('20 02 00 00  90 03 0001 00'))
  const newer = await broker.connect()
  await subscribe(newer, 'a')
  publish(newer, 'a', 'x', { properties: { contentType: 'ct' } })
  await older.expectBytes(hex("30 04 0001'a''x'"))
  await newer.expect('publish', { properties: { contentType: 'ct' } })
  publish(older, 'a', 'y')
  await newer.expect('publish', { topic: 'a', payload: 'y' })
})

test('a retained message of an application keeps no topic alias and no subscription identifier', async (t) => {
  const broker = await startBroker(t)
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x', { retain: true, properties: { topicAlias: 3 } })
  const client = await broker.connect()
  await subscribe(client, 'a')
  const { properties } = await client.expect('publish', { retain: true })
  assert.equal((properties as Record<string, unknown> | undefined)?.topicAlias, undefined)
})

test('Response Information only for who asks [MQTT-3.1.2-28]', async (t) => {
  const broker = await startBroker(t, { responseInformation: 'answers/%c' })
  const information = async (requestResponseInformation?: boolean): Promise<unknown> => {
    const settings = requestResponseInformation === undefined ? {} : { properties: { requestResponseInformation } }
    const client = await broker.connect({ clientId: 'me', ...settings })
    const properties = propertiesOf(client.connack)
    await client.disconnect()
    return properties.responseInformation
  }
  assert.equal(await information(true), 'answers/me')
  assert.equal(await information(false), undefined)
  assert.equal(await information(), undefined)
})

test('Request Problem Information 0: reasons only where they are allowed [MQTT-3.1.2-29]', async (t) => {
  const broker = await startBroker(t, { maxSubscriptions: 1 })
  broker.hook('message.publish', (_, message) => {
    return message.topic === 'no' ? { reject: 0x97, reason: 'too much' } : undefined
  })
  broker.hook('message.publish', (_, message) => {
    return message.topic === 'out' ? { disconnect: 0x98, reason: 'enough' } : undefined
  })
  for (const requestProblemInformation of [true, false]) {
    const client = await broker.connect({ properties: { requestProblemInformation } })
    const reasonString = requestProblemInformation ? 'too much' : undefined
    const reasonOf = (packet: Received) => (packet.properties as { reasonString?: string })?.reasonString
    publish(client, 'no', 'x', { qos: 1 })
    assert.equal(reasonOf(await client.expect('puback', { reasonCode: 0x97 })), reasonString)
    publish(client, 'no', 'x', { qos: 2 })
    assert.equal(reasonOf(await client.expect('pubrec', { reasonCode: 0x97 })), reasonString)
    client.send({ cmd: 'pubrel', messageId: 999 })
    const pubcomp = await client.expect('pubcomp')
    if (!requestProblemInformation) assert.equal(reasonOf(pubcomp), undefined)
    client.send({
      cmd: 'subscribe',
      messageId: 1000,
      subscriptions: [
        { topic: 'a', qos: 0 },
        { topic: 'b', qos: 0 },
      ],
    })
    const suback = await client.expect('suback')
    if (!requestProblemInformation) assert.equal(reasonOf(suback), undefined)
    const unsuback = await unsubscribe(client, 'z')
    if (!requestProblemInformation) assert.equal(reasonOf(unsuback), undefined)
    // User properties of a message are not problem information.
    publish(client, 'a', 'x', { properties: { userProperties: { k: 'v' } } })
    await client.expect('publish', { properties: { userProperties: { k: 'v' } } })
    publish(client, 'out', 'x')
    await client.expectDisconnect(0x98)
  }
})

test('a hook sees the properties of CONNECT and gives those of CONNACK', async (t) => {
  const broker = await startBroker(t)
  broker.hook('client.connack', ({ connInfo }, properties) => {
    return { ok: { ...properties, userProperties: connInfo.properties.userProperties } }
  })
  const client = await broker.connect({ properties: { userProperties: { one: '1', two: '2' } } })
  assertMatches(client.connack, { properties: { userProperties: { one: '1', two: '2' } } }, 'CONNACK')
})
