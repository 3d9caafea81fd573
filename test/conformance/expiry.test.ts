import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledge, payloads, propertiesOf, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

const keep = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 1000 } }
const expiring = (messageExpiryInterval: number) => ({ qos: 1 as const, properties: { messageExpiryInterval } })

test('a message that waited has the rest of its life, an expired one is gone [MQTT-3.3.2-5] [MQTT-3.3.2-6]', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const first = await broker.connect(keep)
  await subscribe(first, 'a', { qos: 1 })
  await first.disconnect()
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'short', expiring(10))
  await publishThrough(publisher, 'a', 'long', expiring(100))
  await publishThrough(publisher, 'a', 'for ever', { qos: 1 })
  clock.advance(30_000)
  const second = await broker.connect(keep)
  const received = await second.settle()
  assert.deepEqual(payloads(received), ['long', 'for ever'])
  assert.equal((received[0].properties as Record<string, unknown>).messageExpiryInterval, 70)
  assert.equal((received[1].properties as Record<string, unknown> | undefined)?.messageExpiryInterval, undefined)
  assert.deepEqual(
    broker.recorder.of('delivery.dropped').map(({ args }) => args.reason),
    ['expired'],
  )
})

test('delivered at once, the interval is the one that came', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const client = await broker.connect()
  await subscribe(client, 'a', { qos: 1 })
  await publishThrough(await broker.connect(), 'a', 'x', expiring(60))
  await client.expect('publish', { properties: { messageExpiryInterval: 60 } })
})

test('messages behind a full window expire in the queue', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const client = await broker.connect({ properties: { receiveMaximum: 1 } })
  await subscribe(client, 'a', { qos: 1 })
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'in flight', { qos: 1 })
  await publishThrough(publisher, 'a', 'expires', expiring(5))
  await publishThrough(publisher, 'a', 'stays', expiring(500))
  const first = await client.expect('publish', { payload: 'in flight' })
  clock.advance(6_000)
  await acknowledge(client, first)
  await client.expect('publish', { payload: 'stays', properties: { messageExpiryInterval: 494 } })
})

test('once PUBLISH was sent at QoS 2 nothing expires [MQTT-4.3.3-7]', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const first = await broker.connect(keep)
  await subscribe(first, 'a', { qos: 2 })
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x', { qos: 2, properties: { messageExpiryInterval: 10 } })
  const { messageId } = await first.expect('publish', { payload: 'x' })
  first.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  clock.advance(60_000)
  const second = await broker.connect(keep)
  const again = await second.expect('publish', { payload: 'x', dup: true, messageId })
  await acknowledge(second, again)
})

test('the session ends when its expiry has passed, not before [MQTT-4.1.0-2] [MQTT-3.1.2-23]', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 10 } }
  const first = await broker.connect(settings)
  clock.advance(60_000)
  await first.settle()
  await first.disconnect()
  clock.advance(8_000)
  const second = await broker.connect(settings)
  assert.equal(second.connack?.sessionPresent, true)
  await second.disconnect()
  clock.advance(12_000)
  await until(() => broker.recorder.count('session.terminated') === 1, 'session.terminated')
  const third = await broker.connect(settings)
  assert.equal(third.connack?.sessionPresent, false)
})

test('DISCONNECT changes the expiry of the session', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 10 } }
  const first = await broker.connect(settings)
  await first.disconnect(0, { sessionExpiryInterval: 100 })
  clock.advance(60_000)
  const second = await broker.connect(settings)
  assert.equal(second.connack?.sessionPresent, true)
  await second.disconnect(0, { sessionExpiryInterval: 0 })
  const third = await broker.connect(settings)
  assert.equal(third.connack?.sessionPresent, false)
})

test('expiry 0 in CONNECT cannot be raised by DISCONNECT', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ clientId: 's' })
  client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 100 } })
  await client.expectDisconnect(0x82)
  const again = await broker.connect({ clientId: 's', clean: false })
  assert.equal(again.connack?.sessionPresent, false)
})

test('0xFFFFFFFF never expires', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 0xffffffff } }
  const first = await broker.connect(settings)
  await first.disconnect()
  for (let year = 0; year < 200; year++) clock.advance(365 * 86_400_000)
  const second = await broker.connect(settings)
  assert.equal(second.connack?.sessionPresent, true)
})

test('the broker lowers an expiry that is too long and says so', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { maxSessionExpiryInterval: 50 }, { clock })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 1000 } }
  const first = await broker.connect(settings)
  assert.equal(propertiesOf(first.connack).sessionExpiryInterval, 50)
  await first.disconnect()
  clock.advance(60_000)
  const second = await broker.connect(settings)
  assert.equal(second.connack?.sessionPresent, false)
})

testVersions(
  currentVersions,
  'QoS 2 messages that are never released are given up after their time',
  async (t, version) => {
    const clock = new ManualClock()
    const broker = await startBroker(t, { maxAwaitingRel: 1, awaitRelTimeout: 10_000 }, { clock })
    const client = await broker.connect({ version })
    publish(client, 'a', 'x', { qos: 2, messageId: 1 })
    await client.expect('pubrec', { messageId: 1 })
    clock.advance(30_000)
    publish(client, 'a', 'x', { qos: 2, messageId: 2 })
    await client.expect('pubrec', { messageId: 2 })
  },
)

test('clean session 0 in 3.1.1 lives for the configured time [MQTT-3.1.2-4 v3.1.1]', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { sessionExpiryInterval: 100 }, { clock })
  const settings = { version: 4 as const, clientId: 's', clean: false }
  const first = await broker.connect(settings)
  await first.disconnect()
  clock.advance(90_000)
  const second = await broker.connect(settings)
  assert.equal(second.connack?.sessionPresent, true)
  await second.disconnect()
  clock.advance(120_000)
  const third = await broker.connect(settings)
  assert.equal(third.connack?.sessionPresent, false)
})
