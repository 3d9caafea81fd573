import assert from 'node:assert/strict'
import { test } from 'node:test'
import { propertiesOf, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { hex } from '../support/hex.ts'
import { allVersions, currentVersions, testVersions } from '../support/versions.ts'
import { oneProcess } from '../support/workers.ts'

test('the bytes of an accepted CONNECT [MQTT-3.1.4-4 v3.1.1] [MQTT-3.2.0-1 v3.1.1]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.open(4)
  client.send(hex("10 10 0004'MQTT' 04 02 0000 0004'abcd'"))
  await client.expectBytes(hex('20 02 00 00'), 'CONNACK')
})

test('no properties at all: PINGRESP and PUBACK keep their short form [MQTT-3.12.4-1]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.open(5)
  client.send(hex("10 11 0004'MQTT' 05 02 0000 00 0004'abcd'"))
  await client.next('connack')
  const before = Buffer.concat(client.bytes).length
  await client.expectBytes(Buffer.concat(client.bytes).subarray(0, before))
  client.send(hex('c0 00'))
  await client.expectBytes(hex('d0 00'), 'PINGRESP')
})

testVersions(
  allVersions,
  'CONNACK says success and no session [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-1 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    assert.equal(client.connack?.sessionPresent, false)
    const first = Buffer.concat(client.bytes)
    assert.equal(first[0], 0x20)
    assert.equal(first[2], 0, 'acknowledge flags')
    // [MQTT-3.2.0-2] nothing more comes, no second CONNACK either.
    await client.expectNothing()
  },
)

testVersions(allVersions, 'PINGREQ is answered [MQTT-3.12.4-1] [MQTT-3.12.4-1 v3.1.1]', async (t, version) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version })
  client.send({ cmd: 'pingreq' }, { cmd: 'pingreq' })
  await client.expect('pingresp')
  await client.expect('pingresp')
})

testVersions(
  currentVersions,
  'identifiers of digits and letters up to 23 bytes, and longer ones [MQTT-3.1.3-5] [MQTT-3.1.3-5 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    for (const clientId of [
      'a',
      '0123456789abcdefghijklm',
      'ABCDEFGHIJKLMNOPQRSTUVW',
      'nopqrstuvwxyzXYZ',
      'x'.repeat(100),
    ]) {
      const client = await broker.connect({ version, clientId })
      await client.disconnect()
    }
  },
)

test('an empty identifier gets a unique one, returned and used [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16]', async (t) => {
  const broker = await startBroker(t)
  const first = await broker.connect({ clientId: '' })
  const second = await broker.connect({ clientId: '' })
  const ids = [first, second].map((client) => {
    return String(propertiesOf(client.connack).assignedClientIdentifier ?? '')
  })
  assert.ok(ids[0] && ids[1])
  assert.notEqual(ids[0], ids[1])
  // The assigned identifier names the session: connecting with it takes the session over.
  await broker.connect({ clientId: ids[0] })
  await first.expectDisconnect(0x8e)
  await second.expectNothing()
})

test('an empty identifier in 3.1.1 gets a unique one, which stays unseen [MQTT-3.1.3-6 v3.1.1]', async (t) => {
  const broker = await startBroker(t)
  const first = await broker.connect({ version: 4, clientId: '' })
  await broker.connect({ version: 4, clientId: '' })
  await first.expectNothing()
  const ids = broker.recorder.of('client.connected').map(({ args }) => (args.client as { clientId: string }).clientId)
  assert.equal(new Set(ids).size, 2)
  assert.ok(ids.every((id) => id !== ''))
})

test('an identifier that was sent is not assigned again', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ clientId: 'mine' })
  assert.equal((client.connack?.properties as Record<string, unknown> | undefined)?.assignedClientIdentifier, undefined)
})

testVersions(
  currentVersions,
  'a session is resumed, thrown away by clean start, or new [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.3-2] [MQTT-3.1.4-4] [MQTT-3.2.2-3] [MQTT-3.1.2-4 v3.1.1] [MQTT-3.1.2-6 v3.1.1] [MQTT-3.1.3-2 v3.1.1] [MQTT-3.1.4-3 v3.1.1] [MQTT-3.2.2-2 v3.1.1] [MQTT-3.2.2-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const clientId = 'sleeper'
    const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
    const publisher = await broker.connect({ version })

    const first = await broker.connect({ version, clientId, clean: false, ...keep })
    assert.equal(first.connack?.sessionPresent, false, 'nothing stored yet')
    await subscribe(first, 'a/b', { qos: 1 })
    await first.disconnect()
    await publishThrough(publisher, 'a/b', 'while away', { qos: 1 })

    const second = await broker.connect({ version, clientId, clean: false, ...keep })
    assert.equal(second.connack?.sessionPresent, true, 'stored')
    const received = await second.expect('publish', { topic: 'a/b', payload: 'while away', qos: 1 })
    second.send({ cmd: 'puback', messageId: received.messageId as number })
    await second.disconnect()

    const third = await broker.connect({ version, clientId, clean: true, ...keep })
    assert.equal(third.connack?.sessionPresent, false, 'clean start')
    await publishThrough(publisher, 'a/b', 'not subscribed any more', { qos: 1 })
    await third.expectNothing()
  },
)

testVersions(
  [4],
  'a clean session ends with its connection [MQTT-3.1.2-6 v3.1.1] [MQTT-3.2.2-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const first = await broker.connect({ version, clientId: 'x', clean: true })
    await subscribe(first, 'a', { qos: 1 })
    await first.disconnect()
    const second = await broker.connect({ version, clientId: 'x', clean: false })
    assert.equal(second.connack?.sessionPresent, false)
  },
)

test('a session without expiry interval ends with its connection [MQTT-4.1.0-2]', async (t) => {
  const broker = await startBroker(t)
  const first = await broker.connect({ clientId: 'x', clean: false })
  await first.disconnect()
  const second = await broker.connect({ clientId: 'x', clean: false })
  assert.equal(second.connack?.sessionPresent, false)
})

test('a second CONNECT ends the connection [MQTT-3.1.0-2]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  client.sendConnect({ clientId: 'again' })
  await client.expectDisconnect(0x82)
})

test('a second CONNECT ends the connection in 3.1.1 too [MQTT-3.1.0-2 v3.1.1]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version: 4 })
  client.sendConnect({ clientId: 'again' })
  await client.expectClose()
})

const pinged = oneProcess('SUBACK waits for the other workers, and PINGRESP, which waits for nobody, comes before it')
test('packets sent at once behind CONNECT are taken in order [MQTT-4.2-1] [MQTT-4.2.0-1 v3.1.1]', {
  skip: pinged,
}, async (t) => {
  const broker = await startBroker(t)
  const client = await broker.open(4)
  client.send(hex("10 10 0004'MQTT' 04 02 0000 0004'fast'  82 06 0001 0001'a' 00  30 04 0001'a''x'  c0 00"))
  await client.expectBytes(hex("20 02 00 00  90 03 0001 00  30 04 0001'a''x'  d0 00"))
})

test('a CONNECT that comes byte by byte is understood', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.open(5)
  for (const byte of hex("10 11 0004'MQTT' 05 02 0000 00 0004'slow'")) {
    client.send(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await client.expect('connack', { reasonCode: 0 })
})

test('what the broker cannot do is announced, what it can is not [MQTT-3.2.2-9]', async (t) => {
  const limited = await startBroker(t, {
    maxQosAllowed: 1,
    retainAvailable: false,
    wildcardSubscription: false,
    sharedSubscription: false,
    maxTopicAlias: 5,
    receiveMaximum: 7,
    maxPacketSize: 5000,
  })
  const client = await limited.connect()
  const properties = propertiesOf(client.connack)
  assert.equal(Number(properties.maximumQoS), 1)
  assert.equal(Number(properties.retainAvailable), 0)
  assert.equal(Number(properties.wildcardSubscriptionAvailable), 0)
  assert.equal(Number(properties.sharedSubscriptionAvailable), 0)
  assert.equal(properties.topicAliasMaximum, 5)
  assert.equal(properties.receiveMaximum, 7)
  assert.equal(properties.maximumPacketSize, 5000)
  const open = await startBroker(t)
  const other = (await open.connect()).connack?.properties as Record<string, unknown> | undefined
  assert.equal(other?.maximumQoS, undefined)
})
