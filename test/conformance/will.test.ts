import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledge, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { hex } from '../support/hex.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

const topic = 'wills/x'
const payload = Buffer.from('gone')

testVersions(
  currentVersions,
  'a lost connection publishes the will at its QoS, not retained [MQTT-3.1.2-7] [MQTT-3.1.2-8] [MQTT-3.1.2-14] [MQTT-3.1.2-8 v3.1.1] [MQTT-3.1.2-16 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    for (const qos of [0, 1, 2] as const) {
      const watcher = await broker.connect({ version })
      await subscribe(watcher, topic, { qos: 2 })
      const client = await broker.connect({ version, will: { topic, payload, qos, retain: false } })
      client.destroy()
      const received = await watcher.expect('publish', { topic, payload: 'gone', qos, retain: false })
      await acknowledge(watcher, received)
      await watcher.disconnect()
    }
    const late = await broker.connect({ version })
    await subscribe(late, topic)
    await late.expectNothing()
  },
)

testVersions(
  currentVersions,
  'a will with retain is published retained [MQTT-3.1.2-15] [MQTT-3.1.2-17 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version, will: { topic, payload, qos: 1, retain: true } })
    client.destroy()
    await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
    const late = await broker.connect({ version })
    await subscribe(late, topic, { qos: 1 })
    await late.expect('publish', { topic, payload: 'gone', retain: true })
  },
)

testVersions(
  currentVersions,
  'DISCONNECT discards the will [MQTT-3.1.2-10] [MQTT-3.14.4-3] [MQTT-3.1.2-10 v3.1.1] [MQTT-3.14.4-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const watcher = await broker.connect({ version })
    await subscribe(watcher, topic)
    const client = await broker.connect({ version, will: { topic, payload, qos: 0, retain: false } })
    await client.disconnect()
    await watcher.expectNothing()
  },
)

testVersions(currentVersions, 'no will flag, no will [MQTT-3.1.2-12 v3.1.1]', async (t, version) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version })
  client.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  assert.equal(broker.recorder.count('message.publish'), 0)
})

testVersions(currentVersions, 'a will is published once [MQTT-3.1.2-10] [MQTT-3.1.2-10 v3.1.1]', async (t, version) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect({ version })
  await subscribe(watcher, topic)
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
  const will = { topic, payload, qos: 0 as const, retain: false }
  const client = await broker.connect({ version, clientId: 'w', clean: false, will, ...keep })
  client.destroy()
  await watcher.expect('publish', { payload: 'gone' })
  const again = await broker.connect({ version, clientId: 'w', clean: false, ...keep })
  again.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 2, 'client.disconnected')
  await watcher.expectNothing()
})

testVersions(currentVersions, 'a protocol error publishes the will', async (t, version) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect({ version })
  await subscribe(watcher, topic)
  const client = await broker.connect({ version, will: { topic, payload, qos: 0, retain: false } })
  client.send(hex('00 00'))
  await watcher.expect('publish', { payload: 'gone' })
})

test('DISCONNECT 0x04 asks for the will', async (t) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect()
  await subscribe(watcher, topic)
  const client = await broker.connect({ will: { topic, payload, qos: 0, retain: false } })
  await client.disconnect(0x04)
  await watcher.expect('publish', { payload: 'gone' })
})

test('any DISCONNECT but 0x00 publishes the will', async (t) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect()
  await subscribe(watcher, topic)
  const client = await broker.connect({ will: { topic, payload, qos: 0, retain: false } })
  await client.disconnect(0x80)
  await watcher.expect('publish', { payload: 'gone' })
})

test('properties of the will reach the subscriber, user properties in order [MQTT-3.1.3-10]', async (t) => {
  const broker = await startBroker(t)
  const watcher = await broker.open()
  watcher.sendConnect()
  await watcher.next()
  await subscribe(watcher, 'w')
  const client = await broker.open()
  // b=1, a=2, b=3; payload format 1; content type; expiry 60 s; response topic; correlation data
  const properties = hex(`
    26 0001'b' 0001'1'  26 0001'a' 0001'2'  26 0001'b' 0001'3'
    01 01  03 0002'ct'  02 0000003c  08 0002'rt'  09 0002'cd'`)
  const body = Buffer.concat([
    hex("0004'MQTT' 05 06 0000 00 0001'c'"),
    Buffer.from([properties.length]),
    properties,
    hex("0001'w' 0001'p'"),
  ])
  client.send(Buffer.concat([Buffer.from([0x10, body.length]), body]))
  await client.expect('connack', { reasonCode: 0 })
  client.destroy()
  const received = await watcher.expect('publish', {
    topic: 'w',
    payload: 'p',
    properties: {
      payloadFormatIndicator: true,
      contentType: 'ct',
      responseTopic: 'rt',
      correlationData: Buffer.from('cd'),
    },
  })
  const interval = (received.properties as { messageExpiryInterval: number }).messageExpiryInterval
  assert.ok(interval > 50 && interval <= 60, `expiry ${interval}`)
  const bytes = Buffer.concat(watcher.bytes).toString('latin1')
  const order = ['\x26\0\x01b\0\x011', '\x26\0\x01a\0\x012', '\x26\0\x01b\0\x013'].map((pair) => bytes.indexOf(pair))
  assert.ok(order[0] > 0 && order[0] < order[1] && order[1] < order[2], `order of user properties: ${order}`)
})

const delayed = (delay: number, expiry: number) => ({
  will: { topic, payload, qos: 0 as const, retain: false, properties: { willDelayInterval: delay } },
  properties: { sessionExpiryInterval: expiry },
})

test('the will waits for its delay [MQTT-3.1.2-8]', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const watcher = await broker.connect()
  await subscribe(watcher, topic)
  const client = await broker.connect({ clean: false, ...delayed(10, 100) })
  client.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  clock.advance(9_000)
  await watcher.expectNothing()
  clock.advance(2_000)
  await watcher.expect('publish', { topic, payload: 'gone' })
})

test('the session ends before the delay: the will goes out then [MQTT-3.1.2-8]', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const watcher = await broker.connect()
  await subscribe(watcher, topic)
  const client = await broker.connect({ clean: false, ...delayed(100, 10) })
  client.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  clock.advance(12_000)
  await watcher.expect('publish', { topic, payload: 'gone' })
})

test('no session expiry: the delay does not hold the will back', async (t) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect()
  await subscribe(watcher, topic)
  const client = await broker.connect(delayed(100, 0))
  client.destroy()
  await watcher.expect('publish', { topic, payload: 'gone' })
})

test('back within the delay: no will [MQTT-3.1.3-9]', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const watcher = await broker.connect()
  await subscribe(watcher, topic)
  const client = await broker.connect({ clientId: 'w', clean: false, ...delayed(10, 100) })
  client.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  clock.advance(5_000)
  await broker.connect({ clientId: 'w', clean: false, properties: { sessionExpiryInterval: 100 } })
  clock.advance(60_000)
  await watcher.expectNothing()
})

test('clean start ends the old session and sends its waiting will', async (t) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect()
  await subscribe(watcher, topic)
  const client = await broker.connect({ clientId: 'w', clean: false, ...delayed(10, 100) })
  client.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  await broker.connect({ clientId: 'w', clean: true })
  await watcher.expect('publish', { topic, payload: 'gone' })
})

test('a will that may not be published is not [MQTT-3.1.2-8]', async (t) => {
  const broker = await startBroker(t)
  broker.hook('client.authorize', ({ topic: asked }) => ({
    stop: { result: asked === topic ? ('deny' as const) : ('allow' as const), from: 'test' },
  }))
  const watcher = await broker.connect()
  await subscribe(watcher, 'wills/#')
  const client = await broker.connect({ will: { topic, payload, qos: 0, retain: false } })
  client.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  await publishThrough(watcher, 'wills/other', 'still here')
  assert.equal(broker.recorder.of('message.publish').length, 1, 'only the message of the watcher')
})
