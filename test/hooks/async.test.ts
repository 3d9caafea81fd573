import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { turns, until } from '../support/wait.ts'

/** A hook whose answers are given by hand. */
class Gate {
  readonly waiting: { name: string; open: () => void }[] = []
  wait(name: string): Promise<void> {
    return new Promise((resolve) => this.waiting.push({ name, open: resolve }))
  }
  open(name: string): void {
    const index = this.waiting.findIndex((entry) => entry.name === name)
    assert.ok(index >= 0, `nobody waits for ${name}`)
    this.waiting.splice(index, 1)[0].open()
  }
}

testVersions(
  currentVersions,
  'packets of one client take effect in order, whatever order the answers come in',
  async (t, version) => {
    const broker = await startBroker(t)
    const gate = new Gate()
    broker.hook(
      'message.publish',
      async (_, message) => {
        await gate.wait(String(message.payload))
      },
      { timeout: 0 },
    )
    const subscriber = await broker.connect({ version })
    await subscribe(subscriber, 'a')
    const client = await broker.connect({ version })
    for (const payload of ['1', '2', '3']) publish(client, 'a', payload, { qos: 1, messageId: Number(payload) })
    await until(() => gate.waiting.length === 3, 'three calls in flight')
    gate.open('3')
    gate.open('2')
    await turns()
    assert.equal(client.pending, 0, 'nothing is answered before the first')
    gate.open('1')
    await client.expect('puback', { messageId: 1 })
    await client.expect('puback', { messageId: 2 })
    await client.expect('puback', { messageId: 3 })
    assert.deepEqual(payloads(await subscriber.settle()), ['1', '2', '3'])
  },
)

test('packets that need no hook wait for their turn too', async (t) => {
  const broker = await startBroker(t)
  const gate = new Gate()
  broker.hook(
    'message.publish',
    async (_, message) => {
      if (message.topic === 'slow') await gate.wait('slow')
    },
    { timeout: 0 },
  )
  const client = await broker.connect()
  await subscribe(client, '#')
  publish(client, 'slow', '1')
  publish(client, 'fast', '2')
  client.send({ cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['#'] })
  publish(client, 'fast', '3')
  await until(() => gate.waiting.length === 1, 'the call')
  await turns()
  assert.equal(client.pending, 0)
  gate.open('slow')
  await client.expect('publish', { payload: '1' })
  await client.expect('publish', { payload: '2' })
  await client.expect('unsuback')
  await client.expectNothing()
})

test('other clients are not held up', async (t) => {
  const broker = await startBroker(t)
  const gate = new Gate()
  broker.hook(
    'message.publish',
    async ({ client }) => {
      if (client?.clientId === 'slow') await gate.wait('slow')
    },
    { timeout: 0 },
  )
  const slow = await broker.connect({ clientId: 'slow' })
  publish(slow, 'a', 'x', { qos: 1 })
  await until(() => gate.waiting.length === 1, 'the call')
  const other = await broker.connect({ clientId: 'other' })
  await subscribe(other, 'a')
  publish(other, 'a', 'mine', { qos: 1 })
  await other.expect('puback')
  await other.expect('publish', { payload: 'mine' })
  gate.open('slow')
  await slow.expect('puback')
  await other.expect('publish', { payload: 'x' })
})

test('beyond the window the socket is not read', async (t) => {
  const broker = await startBroker(t, { hookWindow: 4 })
  const gate = new Gate()
  let calls = 0
  broker.hook(
    'message.publish',
    async () => {
      calls++
      await gate.wait('next')
    },
    { timeout: 0 },
  )
  const client = await broker.connect()
  for (let index = 0; index < 20; index++) publish(client, 'a', `${index}`, { qos: 1, messageId: index + 1 })
  await until(() => calls >= 4, 'the window to fill')
  await turns(50)
  assert.equal(calls, 4)
  for (let index = 0; index < 20; index++) {
    await until(() => gate.waiting.length > 0, 'the next call')
    assert.ok(gate.waiting.length <= 4)
    gate.open('next')
    await client.expect('puback', { messageId: index + 1 })
  }
})

test('CONNECT that waits for a hook: later packets of the client wait, too', async (t) => {
  const broker = await startBroker(t)
  const gate = new Gate()
  broker.hook(
    'client.authenticate',
    async () => {
      await gate.wait('authenticate')
    },
    { priority: 1000, timeout: 0 },
  )
  const client = await broker.open()
  client.sendConnect()
  publish(client, 'a', 'x', { qos: 1 })
  await until(() => gate.waiting.length === 1, 'the call')
  await turns()
  assert.equal(broker.recorder.count('message.publish'), 0)
  gate.open('authenticate')
  await client.expect('connack')
  await client.expect('puback')
})

test('a client that leaves while its hook thinks: what it sent counts, then it is gone', async (t) => {
  const broker = await startBroker(t)
  const gate = new Gate()
  broker.hook(
    'message.publish',
    async () => {
      await gate.wait('call')
    },
    { timeout: 0 },
  )
  const client = await broker.connect()
  publish(client, 'a', 'x', { qos: 1 })
  await until(() => gate.waiting.length === 1, 'the call')
  client.destroy()
  gate.open('call')
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  assert.equal(broker.recorder.count('message.dropped'), 1)
})

test('DISCONNECT behind a PUBLISH whose hook thinks: the message is routed and the will is not', async (t) => {
  const broker = await startBroker(t)
  const gate = new Gate()
  broker.hook(
    'message.publish',
    async () => {
      await gate.wait('call')
    },
    { timeout: 0, topics: ['a'] },
  )
  const subscriber = await broker.connect({ clientId: 'sub' })
  await subscribe(subscriber, '#', { qos: 0 })
  const client = await broker.connect({ will: { topic: 'will', payload: 'gone', qos: 0, retain: false } })
  publish(client, 'a', 'x')
  client.send({ cmd: 'disconnect' })
  await until(() => gate.waiting.length === 1, 'the call')
  client.destroy()
  await turns()
  gate.open('call')
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  await subscriber.expect('publish', { topic: 'a' })
  await subscriber.expectNothing()
})

testVersions(currentVersions, 'QoS 2: sent again while its hook still thinks, delivered once', async (t, version) => {
  const broker = await startBroker(t)
  const gate = new Gate()
  broker.hook(
    'message.publish',
    async () => {
      await gate.wait('call')
    },
    { timeout: 0 },
  )
  const subscriber = await broker.connect({ version })
  await subscribe(subscriber, 'a')
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
  const settings = { version, clientId: 'p', clean: false, ...keep }
  const first = await broker.connect(settings)
  publish(first, 'a', 'x', { qos: 2, messageId: 4 })
  await until(() => gate.waiting.length === 1, 'the call')
  first.destroy()
  await turns()
  const second = await broker.connect(settings)
  publish(second, 'a', 'x', { qos: 2, messageId: 4, dup: true })
  await turns()
  assert.equal(second.pending, 0, 'nothing is promised before the hook has decided')
  for (const { name } of [...gate.waiting]) gate.open(name)
  await second.expect('pubrec', { messageId: 4 })
  second.send({ cmd: 'pubrel', messageId: 4 })
  await second.expect('pubcomp', { messageId: 4 })
  await turns()
  assert.deepEqual(payloads(await subscriber.settle()), ['x'])
})

test('deliveries keep their order while message.delivered thinks', async (t) => {
  const broker = await startBroker(t)
  const gate = new Gate()
  broker.hook(
    'message.delivered',
    async (_, message) => {
      await gate.wait(String(message.payload))
    },
    { timeout: 0 },
  )
  const subscriber = await broker.connect({ clientId: 'sub' })
  await subscribe(subscriber, 'a', { qos: 1 })
  const publisher = await broker.connect()
  for (const payload of ['1', '2', '3']) publish(publisher, 'a', payload, { qos: payload === '2' ? 0 : 1 })
  await publisher.expect('puback')
  await publisher.expect('puback')
  await until(() => gate.waiting.length === 3, 'three calls')
  for (const payload of ['3', '2', '1']) gate.open(payload)
  for (const payload of ['1', '2', '3']) await subscriber.expect('publish', { payload })
})

test('asynchronous notifications of one client are handled one after the other', async (t) => {
  const broker = await startBroker(t)
  const order: string[] = []
  let running = 0
  broker.hook('session.subscribed', async ({ topic }) => {
    assert.equal(++running, 1)
    await turns(3)
    order.push(topic)
    running--
  })
  const client = await broker.connect()
  await subscribe(client, ['a', 'b', 'c', 'd'])
  await until(() => order.length === 4, 'all notifications')
  assert.deepEqual(order, ['a', 'b', 'c', 'd'])
})

test('the hook that hangs can be named', async (t) => {
  const broker = await startBroker(t)
  broker.hook('message.publish', () => new Promise<never>(() => {}), { name: 'hanging', timeout: 0 })
  const client = await broker.connect({ clientId: 'c' })
  publish(client, 'a', 'x', { qos: 1 })
  await until(() => broker.home('c').hooks.waiting().length === 1, 'a waiting call')
  const [call] = broker.home('c').hooks.waiting()
  assert.deepEqual([call.owner, call.hook, call.point, call.clientId], ['test', 'hanging', 'message.publish', 'c'])
})
