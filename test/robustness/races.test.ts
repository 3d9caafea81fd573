import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { turns, until } from '../support/wait.ts'

const kept = { clean: false, properties: { sessionExpiryInterval: 10 } }

/** A promise that the test fulfils. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

test('a client that is back while a hook still thinks about its will keeps its session', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { hookTimeout: 0 }, { clock })
  const { opened, open } = gate()
  broker.hook('message.publish', async (_, message) => {
    if (message.topic === 'gone') await opened
  })
  const will = { topic: 'gone', payload: Buffer.from('x'), qos: 0, retain: false } as const
  const first = await broker.connect({ clientId: 'c', will, ...kept })
  await subscribe(first, 'a')
  first.destroy()
  await until(() => broker.recorder.count('session.disconnected') === 1, 'the end of the first connection')
  const second = await broker.connect({ clientId: 'c', ...kept })
  open()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'the end of the first connection, told')
  clock.advance(60_000)
  assert.equal(broker.recorder.count('session.terminated'), 0)
  const publisher = await broker.connect()
  publish(publisher, 'a', 'still here')
  await second.expect('publish', { payload: 'still here' })
})

test('two ends of connections in flight leave no second expiry behind', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { hookTimeout: 0 }, { clock })
  const { opened, open } = gate()
  broker.hook('message.publish', async (_, message) => {
    if (message.topic === 'gone') await opened
  })
  const will = { topic: 'gone', payload: Buffer.from('x'), qos: 0, retain: false } as const
  const first = await broker.connect({ clientId: 'c', will, ...kept })
  await subscribe(first, 'a')
  first.destroy()
  await until(() => broker.recorder.count('session.disconnected') === 1, 'the end of the first connection')
  const second = await broker.connect({ clientId: 'c', ...kept })
  second.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'the end of the second connection')
  open()
  await until(() => broker.recorder.count('client.disconnected') === 2, 'the end of the first connection, told')
  const third = await broker.connect({ clientId: 'c', ...kept })
  clock.advance(60_000)
  assert.equal(broker.recorder.count('session.terminated'), 0)
  const publisher = await broker.connect()
  publish(publisher, 'a', 'still here')
  await third.expect('publish', { payload: 'still here' })
})

test('session.takenover runs also when the old connection goes by itself at that moment', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { hookTimeout: 0 }, { clock })
  const removeExpiry = broker.hook('client.post_authn', (_, client) => ({
    ok: { ...client, expiresAt: clock.now() + 5000 },
  }))
  await broker.connect({ clientId: 'c', ...kept })
  removeExpiry.remove()
  const { opened, open } = gate()
  broker.hook('client.connack', () => opened)
  const second = await broker.open()
  second.sendConnect({ clientId: 'c', ...kept })
  await until(() => broker.recorder.count('session.resumed') === 1, 'the takeover')
  clock.advance(6000)
  await until(() => broker.recorder.count('client.disconnected') === 1, 'the end of the first connection')
  open()
  await second.expect('connack')
  await turns()
  assert.equal(broker.recorder.count('session.takenover'), 1)
})

test('a message that a hook refuses when it is sent again does not keep its place in the window', async (t) => {
  const broker = await startBroker(t, { maxInflight: 1 })
  const first = await broker.connect({ clientId: 'c', ...kept })
  await subscribe(first, 'a', { qos: 1 })
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'one', { qos: 1 })
  await first.expect('publish', { payload: 'one' })
  await publishThrough(publisher, 'a', 'two', { qos: 1 })
  first.destroy()
  await until(() => broker.recorder.count('session.disconnected') === 1, 'the end of the first connection')
  broker.hook('message.delivered', (_, message) =>
    Buffer.from(message.payload).toString() === 'one' ? { drop: true } : undefined,
  )
  const second = await broker.connect({ clientId: 'c', ...kept })
  await second.expect('publish', { payload: 'two' })
})

test('deliveries that wait for a hook are bounded, also at QoS 0', async (t) => {
  const broker = await startBroker(t, { hookWindow: 10, maxQueueLength: 20, hookTimeout: 0 }, { record: false })
  const { opened, open } = gate()
  let asked = 0
  broker.hook('message.delivered', async () => {
    asked++
    await opened
  })
  const client = await broker.connect()
  await subscribe(client, 'a')
  const publisher = await broker.connect()
  for (let index = 0; index < 100; index++) publish(publisher, 'a', `${index}`)
  await publisher.settle()
  assert.equal(asked, 10)
  assert.equal(broker.broker.link.metrics()['delivery.dropped.queue_full'], 70)
  open()
  await until(() => client.pending === 30, 'what was kept')
  assert.deepEqual(payloads(await client.settle()), [
    ...Array.from({ length: 10 }, (_, index) => `${index}`),
    ...Array.from({ length: 20 }, (_, index) => `${80 + index}`),
  ])
})

test('a connection that a limit holds leaves no timer behind when it goes', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { byteRate: 10, byteBurst: 1000 }, { clock, record: false })
  let timers = 0
  const { after } = clock
  clock.after = (delay, run) => {
    timers++
    const cancel = after(delay, () => {
      timers--
      run()
    })
    return () => {
      timers--
      cancel()
    }
  }
  const client = await broker.connect()
  publish(client, 'a', 'x'.repeat(2000))
  await until(() => timers === 1, 'the limit')
  await broker.broker.link.kick(client.clientId)
  await client.expectDisconnect(0x98)
  assert.equal(timers, 0)
})

test('who was kicked finds no session, also when back before a hook let the kick come to its end', async (t) => {
  const broker = await startBroker(t, { hookTimeout: 0 })
  const { opened, open } = gate()
  broker.hook('message.publish', async (_, message) => {
    if (message.topic === 'gone') await opened
  })
  const will = { topic: 'gone', payload: Buffer.from('x'), qos: 0, retain: false } as const
  const first = await broker.connect({ clientId: 'c', will, ...kept })
  await subscribe(first, 'a')
  assert.equal(await broker.broker.link.kick('c'), true)
  const second = await broker.connect({ clientId: 'c', ...kept })
  assert.equal(second.connack?.sessionPresent, false)
  open()
  await first.expectDisconnect(0x98)
  await subscribe(second, 'b')
  publish(second, 'b', 'x')
  await second.expect('publish', { topic: 'b' })
})
