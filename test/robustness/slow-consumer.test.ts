import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

const megabyte = 1024 * 1024

testVersions(
  currentVersions,
  'a subscriber that does not read: bounded, counted, others get everything',
  async (t, version) => {
    const broker = await startBroker(
      t,
      { maxPendingBytes: megabyte, maxQueueLength: 100, sendTimeout: 0 },
      { record: false },
    )
    let dropped = 0
    broker.hook('delivery.dropped', ({ reason }) => {
      assert.equal(reason, 'queue_full')
      dropped++
    })
    const slow = await broker.connect({ version, clientId: 'slow' })
    await subscribe(slow, 'a')
    const reader = await broker.connect({ version, clientId: 'reader' })
    await subscribe(reader, 'a')
    slow.socket.pause()
    const publisher = await broker.connect({ version })
    const payload = 'x'.repeat(64 * 1024)
    const rounds = 400
    for (let round = 0; round < rounds; round++) {
      publish(publisher, 'a', payload)
      await publisher.settle()
      await reader.expect('publish')
      const [channel] = [...broker.broker.channels].filter(({ clientId }) => clientId === 'slow')
      assert.ok(channel.outbox.pending <= 2 * megabyte, `${channel.outbox.pending} bytes wait`)
    }
    assert.ok(dropped > 0, 'the drop hook ran')
    assert.equal(broker.broker.link.metrics()['delivery.dropped'], dropped)
    assert.equal(broker.broker.link.metrics()['delivery.dropped.queue_full'], dropped)
    slow.socket.resume()
    const received = await slow.settle()
    assert.equal(received.length + dropped, rounds, 'each message was delivered or dropped')
  },
)

test('QoS 1 for a subscriber that does not read waits in its queue', async (t) => {
  const broker = await startBroker(t, { maxPendingBytes: megabyte, sendTimeout: 0 }, { record: false })
  const slow = await broker.connect({ clientId: 'slow' })
  await subscribe(slow, 'a', { qos: 1 })
  slow.socket.pause()
  const publisher = await broker.connect()
  const payload = 'x'.repeat(64 * 1024)
  for (let round = 0; round < 100; round++) {
    publish(publisher, 'a', `${round} ${payload}`, { qos: 1 })
    await publisher.expect('puback')
  }
  slow.socket.resume()
  for (let round = 0; round < 100; round++) {
    const packet = await slow.expect('publish')
    assert.ok(String(packet.payload).startsWith(`${round} `))
    slow.send({ cmd: 'puback', messageId: packet.messageId as number })
  }
})

test('a client that takes nothing for the send timeout is disconnected', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { sendTimeout: 10_000 }, { clock })
  const slow = await broker.connect({ clientId: 'slow' })
  await subscribe(slow, 'a')
  slow.socket.pause()
  const publisher = await broker.connect()
  for (let round = 0; round < 200; round++) {
    publish(publisher, 'a', 'x'.repeat(64 * 1024))
    await publisher.settle()
  }
  clock.advance(1_000)
  clock.advance(60_000)
  await until(
    () => broker.recorder.of('client.disconnected').some(({ args }) => args.reason === 'send_timeout'),
    'the end',
  )
})

test('a queue is bounded in bytes, too', async (t) => {
  const broker = await startBroker(t, { maxQueueBytes: 10_000, maxQueueLength: 0 })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const sleeper = await broker.connect(settings)
  await subscribe(sleeper, 'a', { qos: 1 })
  await sleeper.disconnect()
  const publisher = await broker.connect()
  for (let round = 0; round < 20; round++) {
    publish(publisher, 'a', `${round} ${'x'.repeat(1000)}`, { qos: 1 })
    await publisher.expect('puback')
  }
  assert.ok(broker.recorder.count('delivery.dropped') >= 10)
  const back = await broker.connect(settings)
  const received = payloads(await back.settle())
  assert.ok(received.length > 0 && received.length < 11)
  assert.ok(received.at(-1)?.startsWith('19 '), 'the oldest went')
})

test('queueDrop newest keeps the oldest', async (t) => {
  const broker = await startBroker(t, { maxQueueLength: 2, queueDrop: 'newest' })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const sleeper = await broker.connect(settings)
  await subscribe(sleeper, 'a', { qos: 1 })
  await sleeper.disconnect()
  const publisher = await broker.connect()
  for (const payload of ['1', '2', '3']) {
    publish(publisher, 'a', payload, { qos: 1 })
    await publisher.expect('puback')
  }
  const back = await broker.connect(settings)
  assert.deepEqual(payloads(await back.settle()), ['1', '2'])
})

test('a message that waits keeps no more memory than its own', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const sleeper = await broker.connect(settings)
  await subscribe(sleeper, 'a', { qos: 1 })
  await sleeper.disconnect()
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'small', { qos: 1 })
  const kept: number[] = []
  broker.hook('message.delivered', (_, { payload }) => void kept.push(payload.buffer.byteLength))
  const back = await broker.connect(settings)
  await back.expect('publish', { payload: 'small' })
  assert.deepEqual(kept, ['small'.length])
})
