import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { hex } from '../support/hex.ts'
import { allVersions, currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

testVersions(
  allVersions,
  'each QoS gets its answer [MQTT-3.3.4-1] [MQTT-2.2.1-5] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT-3.3.4-1 v3.1.1] [MQTT-2.3.1-6 v3.1.1] [MQTT-4.3.2-2 v3.1.1] [MQTT-4.3.3-2 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const watcher = await broker.connect({ version })
    await subscribe(watcher, 'a')
    const client = await broker.connect({ version })
    publish(client, 'a', 'zero')
    await client.expectNothing()
    publish(client, 'a', 'one', { qos: 1, messageId: 4711 })
    await client.expect('puback', { messageId: 4711 })
    publish(client, 'a', 'two', { qos: 2, messageId: 815 })
    await client.expect('pubrec', { messageId: 815 })
    client.send({ cmd: 'pubrel', messageId: 815 })
    await client.expect('pubcomp', { messageId: 815 })
    assert.deepEqual(payloads(await watcher.settle()), ['zero', 'one', 'two'])
  },
)

test('the bytes of acknowledgements without reason and properties in MQTT 5', async (t) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const client = await broker.connect()
  await client.expectBytes(Buffer.concat(client.bytes), 'CONNACK')
  client.send(hex("32 06 0001'a' 0007 00"))
  await client.expectBytes(hex('40 02 0007'), 'PUBACK')
  client.send(hex("34 06 0001'a' 0008 00"))
  await client.expectBytes(hex('50 02 0008'), 'PUBREC')
  client.send(hex('62 02 0008'))
  await client.expectBytes(hex('70 02 0008'), 'PUBCOMP')
  client.send(hex('62 02 0009'))
  await client.expectBytes(hex('70 03 0009 92'), 'PUBCOMP without PUBLISH')
})

test('no subscriber: MQTT 5 is told so, and 3.1.1 is not [MQTT-3.4.2-1] [MQTT-3.5.2-1]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  await client.expectBytes(Buffer.concat(client.bytes), 'CONNACK')
  client.send(hex("32 06 0001'a' 0007 00"))
  await client.expectBytes(hex('40 03 0007 10'), 'PUBACK')
  client.send(hex("34 06 0001'a' 0008 00"))
  await client.expectBytes(hex('50 03 0008 10'), 'PUBREC')
  const older = await broker.connect({ version: 4 })
  await older.expectBytes(hex('20 02 00 00'))
  older.send(hex("32 05 0001'a' 0007"))
  await older.expectBytes(hex('40 02 0007'))
})

testVersions(
  currentVersions,
  'QoS 2 repeated before PUBREL is delivered once [MQTT-4.3.3-10] [MQTT-4.3.3-2 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const watcher = await broker.connect({ version })
    await subscribe(watcher, 'a')
    const client = await broker.connect({ version })
    publish(client, 'a', 'once', { qos: 2, messageId: 5 })
    await client.expect('pubrec', { messageId: 5 })
    for (let round = 0; round < 3; round++) {
      publish(client, 'a', 'once', { qos: 2, messageId: 5, dup: true })
      await client.expect('pubrec', { messageId: 5 })
    }
    client.send({ cmd: 'pubrel', messageId: 5 })
    await client.expect('pubcomp', { messageId: 5 })
    assert.deepEqual(payloads(await watcher.settle()), ['once'])
  },
)

testVersions(
  currentVersions,
  'after PUBCOMP the identifier stands for a new message [MQTT-4.3.3-12] [MQTT-4.3.3-2 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const watcher = await broker.connect({ version })
    await subscribe(watcher, 'a')
    const client = await broker.connect({ version })
    await publishThrough(client, 'a', 'first', { qos: 2, messageId: 5 })
    await publishThrough(client, 'a', 'second', { qos: 2, messageId: 5, dup: true })
    assert.deepEqual(payloads(await watcher.settle()), ['first', 'second'])
  },
)

testVersions(
  currentVersions,
  'after PUBACK the identifier stands for a new message, DUP or not [MQTT-4.3.2-5] [MQTT-4.3.2-2 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const watcher = await broker.connect({ version })
    await subscribe(watcher, 'a')
    const client = await broker.connect({ version })
    await publishThrough(client, 'a', 'first', { qos: 1, messageId: 5 })
    await publishThrough(client, 'a', 'second', { qos: 1, messageId: 5, dup: true })
    assert.deepEqual(payloads(await watcher.settle()), ['first', 'second'])
  },
)

testVersions(
  currentVersions,
  'QoS 2 begun on one connection ends on the next, delivered once [MQTT-4.3.3-10] [MQTT-3.1.2-23] [MQTT-4.1.0-1 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const watcher = await broker.connect({ version })
    await subscribe(watcher, 'a')
    const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
    const first = await broker.connect({ version, clientId: 'p', clean: false, ...keep })
    publish(first, 'a', 'once', { qos: 2, messageId: 9 })
    await first.expect('pubrec', { messageId: 9 })
    first.destroy()
    await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
    const second = await broker.connect({ version, clientId: 'p', clean: false, ...keep })
    publish(second, 'a', 'once', { qos: 2, messageId: 9, dup: true })
    await second.expect('pubrec', { messageId: 9 })
    second.send({ cmd: 'pubrel', messageId: 9 })
    await second.expect('pubcomp', { messageId: 9 })
    assert.deepEqual(payloads(await watcher.settle()), ['once'])
  },
)

test('a client that repeats after a new connection without DUP is answered all the same [MQTT-4.3.3-10]', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const settings = { clientId: 'p', clean: false, properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(settings)
  publish(first, 'a', 'once', { qos: 2, messageId: 9 })
  await first.expect('pubrec', { messageId: 9 })
  first.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  clock.advance(1)
  const second = await broker.connect(settings)
  publish(second, 'a', 'once', { qos: 2, messageId: 9 })
  await second.expect('pubrec', { messageId: 9, reasonCode: 0 })
  assert.deepEqual(payloads(await watcher.settle()), ['once'])
})

test('a client that repeats after a new connection is answered when hooks have decided, and as they have', async (t) => {
  const broker = await startBroker(t)
  const answers: ((payload: string) => void)[] = []
  broker.hook('message.publish', async () => {
    const answer = await new Promise<string>((resolve) => answers.push(resolve))
    return answer === 'refused' ? { reject: 0x87 } : undefined
  })
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const settings = { clientId: 'p', clean: false, properties: { sessionExpiryInterval: 100 } }
  const payload = ['accepted', 'refused']
  const first = await broker.connect(settings)
  for (const [index, text] of payload.entries()) publish(first, 'a', text, { qos: 2, messageId: 5 + index })
  await until(() => answers.length === 2, 'the hook')
  const second = await broker.connect(settings)
  await first.expectDisconnect(0x8e)
  for (const [index, text] of payload.entries()) publish(second, 'a', text, { qos: 2, messageId: 5 + index, dup: true })
  await second.expectNothing()
  // The order is that of the messages, not of the answers.
  answers[1]('refused')
  await second.expectNothing()
  answers[0]('accepted')
  await second.expect('pubrec', { messageId: 5, reasonCode: 0 })
  await second.expect('pubrec', { messageId: 6, reasonCode: 0x87 })
  second.send({ cmd: 'pubrel', messageId: 5 })
  await second.expect('pubcomp', { messageId: 5, reasonCode: 0 })
  assert.deepEqual(payloads(await watcher.settle()), ['accepted'])
})

test('a client that repeats after a new connection before it is known whether it may publish hears of the one message', async (t) => {
  const broker = await startBroker(t)
  const answers: (() => void)[] = []
  broker.hook('client.authorize', async ({ action }) => {
    if (action !== 'publish') return undefined
    await new Promise<void>((resolve) => answers.push(resolve))
    return { stop: { result: 'allow', from: 'test' } }
  })
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const settings = { clientId: 'p', clean: false, properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(settings)
  publish(first, 'a', 'once', { qos: 2, messageId: 5 })
  await until(() => answers.length === 1, 'the hook')
  const second = await broker.connect(settings)
  publish(second, 'a', 'once', { qos: 2, messageId: 5, dup: true })
  await second.expectNothing()
  for (const answer of answers) answer()
  await second.expect('pubrec', { messageId: 5, reasonCode: 0 })
  second.send({ cmd: 'pubrel', messageId: 5 })
  await second.expect('pubcomp', { messageId: 5, reasonCode: 0 })
  assert.deepEqual(payloads(await watcher.settle()), ['once'])
})

test('PUBREL of an unknown identifier is answered with 0x92 [MQTT-3.7.2-1]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  client.send({ cmd: 'pubrel', messageId: 77 })
  await client.expect('pubcomp', { messageId: 77, reasonCode: 0x92 })
})

test('PUBREL again after a reconnect, because PUBCOMP was lost: the message is complete', async (t) => {
  const broker = await startBroker(t)
  const settings = { clientId: 'c', clean: false, properties: { sessionExpiryInterval: 300 } }
  const first = await broker.connect(settings)
  publish(first, 'a', 'once', { qos: 2, messageId: 9 })
  await first.expect('pubrec', { messageId: 9 })
  first.send({ cmd: 'pubrel', messageId: 9 })
  await first.expect('pubcomp', { messageId: 9, reasonCode: 0 })
  first.destroy()
  const second = await broker.connect(settings)
  assert.equal(second.connack?.sessionPresent, true)
  second.send({ cmd: 'pubrel', messageId: 9 })
  await second.expect('pubcomp', { messageId: 9, reasonCode: 0 })
})

test('after a refusing PUBREC the identifier is free [MQTT-4.3.3-9]', async (t) => {
  const broker = await startBroker(t)
  let refuse = true
  broker.hook('message.publish', () => (refuse ? { reject: 0x97 } : undefined))
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const client = await broker.connect()
  publish(client, 'a', 'refused', { qos: 2, messageId: 3 })
  await client.expect('pubrec', { messageId: 3, reasonCode: 0x97 })
  refuse = false
  await publishThrough(client, 'a', 'taken', { qos: 2, messageId: 3 })
  assert.deepEqual(payloads(await watcher.settle()), ['taken'])
})

test('an expired message does not break the QoS 2 handshake [MQTT-4.3.3-13]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  publish(client, 'a', 'x', { qos: 2, messageId: 3, properties: { messageExpiryInterval: 0 } })
  await client.expect('pubrec', { messageId: 3 })
  client.send({ cmd: 'pubrel', messageId: 3 })
  await client.expect('pubcomp', { messageId: 3, reasonCode: 0 })
})

testVersions(
  currentVersions,
  'messages of one client keep their order [MQTT-4.6.0-5] [MQTT-4.6.0-6] [MQTT-4.6.0-5 v3.1.1] [MQTT-4.6.0-6 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const watcher = await broker.connect({ version })
    await subscribe(watcher, 'a/#', { qos: 0 })
    const client = await broker.connect({ version })
    const sent: string[] = []
    for (let index = 0; index < 500; index++) {
      sent.push(`${index}`)
      publish(client, `a/${index % 3}`, `${index}`)
    }
    await client.settle()
    assert.deepEqual(payloads(await watcher.settle()), sent)
  },
)

test('retain and QoS that are switched off end the connection', async (t) => {
  const broker = await startBroker(t, { maxQosAllowed: 1, retainAvailable: false })
  const first = await broker.connect()
  publish(first, 'a', 'x', { qos: 2 })
  await first.expectDisconnect(0x9b)
  const second = await broker.connect()
  publish(second, 'a', 'x', { retain: true })
  await second.expectDisconnect(0x9a)
  const third = await broker.connect()
  assert.deepEqual(await subscribe(third, 'a', { qos: 2 }), [1], 'SUBSCRIBE is still accepted [MQTT-3.2.2-10]')
})
