import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, propertiesOf, publish, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { hex } from '../support/hex.ts'
import { turns, until } from '../support/wait.ts'

test('maxConnections: one too many is closed at once, and a place that is free is used', async (t) => {
  const broker = await startBroker(t, { maxConnections: 2 })
  const first = await broker.connect()
  await broker.connect()
  const third = await broker.open()
  await third.expectClose()
  assert.ok(broker.broker.link.metrics()['connections.refused'] >= 1)
  await first.disconnect()
  await until(() => broker.broker.channels.size === 1, 'a free place')
  await broker.connect()
})

test('maxConnectionsPerAddress', async (t) => {
  const broker = await startBroker(t, { maxConnectionsPerAddress: 1 })
  await broker.connect()
  const second = await broker.open()
  await second.expectClose()
})

test('maxClientIdLength, in bytes', async (t) => {
  const broker = await startBroker(t, { maxClientIdLength: 4 })
  await broker.connect({ clientId: 'éé' })
  const client = await broker.open()
  client.sendConnect({ clientId: 'ééé' })
  await client.expect('connack', { reasonCode: 0x85 })
  await client.expectClose()
})

test('messageRate: a client that is too fast is slowed, nothing is lost', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { messageRate: 10, messageBurst: 10 }, { clock })
  const client = await broker.connect()
  await subscribe(client, 'a')
  for (let index = 0; index < 40; index++) publish(client, 'a', `${index}`)
  await turns(50)
  const early = client.pending
  assert.ok(early < 40, `${early} at once`)
  while (client.pending < 40) {
    clock.advance(1_000)
    await turns()
  }
  assert.deepEqual(
    payloads(await client.settle()),
    Array.from({ length: 40 }, (_, index) => `${index}`),
  )
})

test('byteRate: the socket is not read for a while, nothing is lost', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { byteRate: 10_000, byteBurst: 10_000 }, { clock })
  const client = await broker.connect()
  await subscribe(client, 'a')
  for (let index = 0; index < 50; index++) publish(client, 'a', 'x'.repeat(5_000))
  await turns(50)
  while (client.pending < 50) {
    clock.advance(1_000)
    await turns()
  }
  await client.settle()
})

test('other clients are not slowed by the limit of one', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { messageRate: 5, messageBurst: 5 }, { clock })
  const fast = await broker.connect()
  for (let index = 0; index < 100; index++) publish(fast, 'a', 'x')
  const other = await broker.connect()
  publish(other, 'b', 'x', { qos: 1 })
  await other.expect('puback')
})

test('a client that asks and does not read the answers is not read any more', async (t) => {
  const broker = await startBroker(t, { maxPendingBytes: 100_000, sendTimeout: 0 }, { record: false })
  const client = await broker.connect({ clientId: 'greedy' })
  // Millions of answers: nobody needs them parsed.
  client.socket.removeAllListeners('data')
  client.socket.pause()
  const [channel] = broker.broker.channels
  assert.ok(channel)
  const pings = Buffer.alloc(64 * 1024, hex('c0 00'))
  let most = 0
  // As much as the broker and both kernels take: then the socket does not accept more.
  for (let round = 0; round < 1000 && client.socket.writableLength < 4 * pings.length; round++) {
    client.send(pings)
    await turns(2)
    most = Math.max(most, channel.outbox.pending)
  }
  assert.ok(client.socket.writableLength > 0, 'the broker stops reading')
  assert.ok(most < 1_000_000, `${most} bytes wait`)
  client.socket.resume()
  await until(() => client.socket.writableLength === 0, 'the rest to be read')
  await until(() => !channel.held, 'the broker to read again')
})

test('what CONNACK promises is what is granted: the smaller of the two bounds', async (t) => {
  const broker = await startBroker(t, { receiveMaximum: 100, maxAwaitingRel: 3 })
  const client = await broker.connect()
  assert.equal(propertiesOf(client.connack).receiveMaximum, 3)
  for (let index = 0; index < 3; index++) {
    publish(client, 'a', 'x', { qos: 2 })
    await client.expect('pubrec')
  }
  publish(client, 'a', 'x', { qos: 2 })
  await client.expectDisconnect(0x93)
  assert.equal(broker.broker.link.metrics()['messages.dropped.receive_maximum'], 1)
})

test('a clock that is set back does not stop a limited client', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { messageRate: 10, messageBurst: 10 }, { clock })
  const client = await broker.connect()
  clock.advance(-3_600_000)
  publish(client, 'a', 'x', { qos: 1 })
  publish(client, 'a', 'x', { qos: 1 })
  await client.expect('puback')
  await client.expect('puback')
})
