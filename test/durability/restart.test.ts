import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  acknowledge,
  payloads,
  propertiesOf,
  publish,
  publishThrough,
  subscribe,
  unsubscribe,
} from '../support/actions.ts'
import { until } from '../support/wait.ts'
import { workerCount } from '../support/workers.ts'
import { Crashing, kept } from './crash.ts'

const skip = workerCount > 1 ? 'the crash of one process' : false

test('what was acknowledged to a publisher reaches a client that was away, in order', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const away = await crashing.broker.connect({ clientId: 'away', ...kept })
  await subscribe(away, 'a/+', { qos: 2 })
  await away.disconnect()
  const publisher = await crashing.broker.connect()
  for (let index = 0; index < 20; index++)
    await publishThrough(publisher, `a/${index % 2}`, `${index}`, { qos: index % 3 === 0 ? 2 : 1 })
  await crashing.crash()
  const back = await crashing.broker.connect({ clientId: 'away', ...kept })
  assert.equal(back.connack?.sessionPresent, true)
  const packets = await back.settle()
  assert.deepEqual(
    packets.map(({ payload, qos, dup }) => [String(payload), qos, dup]),
    Array.from({ length: 20 }, (_, index) => [`${index}`, index % 3 === 0 ? 2 : 1, false]),
  )
  for (const packet of packets) await acknowledge(back, packet)
  await back.expectNothing()
  await crashing.crash()
  const again = await crashing.broker.connect({ clientId: 'away', ...kept })
  await again.expectNothing()
})

test('what was in flight comes again under its packet identifiers, PUBREL where PUBREC had come', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t)
  const client = await crashing.broker.connect({ clientId: 'c', ...kept })
  await subscribe(client, 'a', { qos: 2 })
  const publisher = await crashing.broker.connect()
  for (const [payload, qos] of [
    ['one', 1],
    ['two', 2],
    ['three', 2],
    ['four', 1],
  ] as const)
    await publishThrough(publisher, 'a', payload, { qos })
  const [one, two, three, four] = [await client.next(), await client.next(), await client.next(), await client.next()]
  await acknowledge(client, one)
  client.send({ cmd: 'pubrec', messageId: three.messageId as number })
  await client.expect('pubrel', { messageId: three.messageId })
  await crashing.crash()
  const back = await crashing.broker.connect({ clientId: 'c', ...kept })
  await back.expect('publish', { payload: 'two', messageId: two.messageId, dup: true, qos: 2 })
  await back.expect('pubrel', { messageId: three.messageId })
  await back.expect('publish', { payload: 'four', messageId: four.messageId, dup: true, qos: 1 })
  await publishThrough(await crashing.broker.connect(), 'a', 'five', { qos: 1 })
  const five = await back.expect('publish', { payload: 'five', dup: false })
  assert.ok(![two, three, four].some(({ messageId }) => messageId === five.messageId))
})

test('a QoS 2 message that the broker has accepted is not accepted twice', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const away = await crashing.broker.connect({ clientId: 'away', ...kept })
  await subscribe(away, 'a', { qos: 2 })
  await away.disconnect()
  const publisher = await crashing.broker.connect({ clientId: 'p', ...kept })
  const messageId = publish(publisher, 'a', 'once', { qos: 2 })
  await publisher.expect('pubrec', { messageId })
  await crashing.crash()
  const again = await crashing.broker.connect({ clientId: 'p', ...kept })
  publish(again, 'a', 'once', { qos: 2, messageId, dup: true })
  await again.expect('pubrec', { messageId })
  again.send({ cmd: 'pubrel', messageId })
  await again.expect('pubcomp', { messageId, reasonCode: 0 })
  await crashing.crash()
  const third = await crashing.broker.connect({ clientId: 'p', ...kept })
  await publishThrough(third, 'a', 'another', { qos: 2, messageId })
  const back = await crashing.broker.connect({ clientId: 'away', ...kept })
  assert.deepEqual(payloads(await back.settle()), ['once', 'another'])
})

test('subscriptions come back with their options, and those that were taken away do not', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const client = await crashing.broker.connect({ clientId: 'c', ...kept })
  await subscribe(client, 'keep/+', { qos: 1, identifier: 7, retainAsPublished: true })
  await subscribe(client, ['gone', 'own'], { qos: 1, noLocal: true })
  await unsubscribe(client, 'gone')
  await crashing.crash()
  // Also for messages that come before the client does.
  const publisher = await crashing.broker.connect()
  await publishThrough(publisher, 'keep/x', 'kept', { qos: 1, retain: true })
  await publishThrough(publisher, 'gone', 'gone', { qos: 1 })
  const back = await crashing.broker.connect({ clientId: 'c', ...kept })
  const packet = await back.expect('publish', { payload: 'kept', retain: true })
  assert.deepEqual(propertiesOf(packet).subscriptionIdentifier, 7)
  await publishThrough(back, 'own', 'mine', { qos: 1 })
  await back.expectNothing()
})

test('nothing is acknowledged before it is stored; what does not concern the store does not wait', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t)
  const durable = await crashing.broker.connect({ clientId: 'd', ...kept })
  await subscribe(durable, 'd', { qos: 2 })
  const plain = await crashing.broker.connect()
  await subscribe(plain, 'p', { qos: 1 })
  const publisher = await crashing.broker.connect({ clientId: 'pub', ...kept })
  const { store } = crashing
  store.pause()
  publish(publisher, 'd', 'one', { qos: 1, messageId: 1 })
  publish(publisher, 'p', 'two', { qos: 1, messageId: 2 })
  publish(publisher, 'p', 'three', { qos: 2, messageId: 3 })
  publish(publisher, 'd', 'zero')
  durable.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 'other', qos: 1 }] })
  const late = await crashing.broker.open()
  late.sendConnect({ clientId: 'late', ...kept })
  // QoS 0 and those without a durable session take no notice.
  await plain.expect('publish', { payload: 'two' })
  await plain.expect('publish', { payload: 'three' })
  await durable.expect('publish', { payload: 'zero', qos: 0 })
  const other = await crashing.broker.connect()
  await publishThrough(other, 'p', 'four', { qos: 1 })
  await publisher.expectNothing()
  await durable.expectNothing()
  assert.equal(late.pending, 0)
  store.resume()
  await publisher.expect('puback', { messageId: 1 })
  await publisher.expect('puback', { messageId: 2 })
  await publisher.expect('pubrec', { messageId: 3 })
  await late.expect('connack', { sessionPresent: false })
  const packets = [await durable.next(), await durable.next()].map(({ cmd }) => cmd).sort()
  assert.deepEqual(packets, ['publish', 'suback'])
})

test('a crash before the commit: nobody was told otherwise', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const durable = await crashing.broker.connect({ clientId: 'd', ...kept })
  await subscribe(durable, 'd', { qos: 1 })
  await durable.disconnect()
  const publisher = await crashing.broker.connect()
  await publishThrough(publisher, 'd', 'stored', { qos: 1 })
  crashing.store.pause()
  publish(publisher, 'd', 'not stored', { qos: 1 })
  await publisher.expectNothing()
  await crashing.crash()
  const back = await crashing.broker.connect({ clientId: 'd', ...kept })
  assert.deepEqual(payloads(await back.settle()), ['stored'])
})

test('a session that expires while the broker is down is gone; the time down counts', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  for (const [clientId, sessionExpiryInterval] of [
    ['short', 10],
    ['long', 1000],
  ] as const) {
    const client = await crashing.broker.connect({ clientId, clean: false, properties: { sessionExpiryInterval } })
    await subscribe(client, 'a', { qos: 1 })
    await client.disconnect()
  }
  await crashing.broker.connect({ clientId: 'connected', clean: false, properties: { sessionExpiryInterval: 60 } })
  await crashing.pass(1000)
  await crashing.crash(30_000)
  const connect = (clientId: string) => crashing.broker.connect({ clientId, ...kept })
  assert.equal((await connect('short')).connack?.sessionPresent, false)
  assert.equal((await connect('long')).connack?.sessionPresent, true)
  // Its time began when the broker was there again.
  await crashing.pass(59_000)
  assert.equal((await connect('connected')).connack?.sessionPresent, true)
  const { sessions } = crashing.broker.broker
  assert.equal(sessions.size, 3)
})

test('sessions that nobody comes back to end by themselves after a restart', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  for (let index = 0; index < 5; index++) {
    const client = await crashing.broker.connect({
      clientId: `c${index}`,
      clean: false,
      properties: { sessionExpiryInterval: 10 },
    })
    await subscribe(client, 'a', { qos: 1 })
    if (index > 1) await client.disconnect()
  }
  await crashing.pass(1000)
  await crashing.crash()
  assert.equal(crashing.broker.broker.sessions.size, 5)
  for (let second = 0; second < 12; second++) await crashing.pass(1000)
  assert.equal(crashing.broker.broker.sessions.size, 0)
  assert.equal(crashing.broker.broker.router.subscriptionCount, 0)
  await crashing.crash()
  assert.equal(crashing.broker.broker.sessions.size, 0)
})

test('a message that expires while the broker is down is not delivered; one that lives carries what is left', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t)
  const away = await crashing.broker.connect({ clientId: 'away', ...kept })
  await subscribe(away, 'a', { qos: 1 })
  await away.disconnect()
  const publisher = await crashing.broker.connect()
  const userProperties = { name: 'value' }
  await publishThrough(publisher, 'a', 'short', { qos: 1, properties: { messageExpiryInterval: 10 } })
  await publishThrough(publisher, 'a', 'long', {
    qos: 1,
    properties: {
      messageExpiryInterval: 100,
      contentType: 'text',
      correlationData: Buffer.from([0, 255]),
      userProperties,
    },
  })
  await crashing.crash(30_000)
  const back = await crashing.broker.connect({ clientId: 'away', ...kept })
  const packet = await back.expect('publish', { payload: 'long' })
  const properties = propertiesOf(packet)
  assert.equal(properties.messageExpiryInterval, 70)
  assert.equal(properties.contentType, 'text')
  assert.deepEqual(properties.correlationData, Buffer.from([0, 255]))
  assert.deepEqual({ ...(properties.userProperties as object) }, userProperties)
  await back.expectNothing()
})

test('wills: one whose time comes while the broker is down, one that waits on, and that of a client whose broker died', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t)
  const watcher = await crashing.broker.connect({ clientId: 'w', ...kept })
  await subscribe(watcher, 'will/+', { qos: 1 })
  const connect = (clientId: string, willDelayInterval: number) =>
    crashing.broker.connect({
      clientId,
      ...kept,
      will: {
        topic: `will/${clientId}`,
        payload: Buffer.from('gone'),
        qos: 1,
        retain: false,
        properties: { willDelayInterval },
      },
    })
  for (const [clientId, delay] of [
    ['soon', 5],
    ['later', 60],
  ] as const)
    (await connect(clientId, delay)).socket.destroy()
  await connect('connected', 0)
  await crashing.pass(1000)
  await crashing.crash(10_000)
  await crashing.pass(1000)
  await crashing.pass(1000)
  const back = await crashing.broker.connect({ clientId: 'w', ...kept })
  const first = [await back.next(), await back.next()]
  assert.deepEqual(first.map(({ topic }) => topic).sort(), ['will/connected', 'will/soon'])
  for (const packet of first) await acknowledge(back, packet)
  await back.expectNothing()
  await crashing.pass(60_000)
  await crashing.pass(1000)
  await back.expect('publish', { topic: 'will/later' })
  await back.expectNothing()
})

test('clean start throws away what is stored, for good', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const first = await crashing.broker.connect({ clientId: 'c', ...kept })
  await subscribe(first, 'a', { qos: 1 })
  await first.disconnect()
  await publishThrough(await crashing.broker.connect(), 'a', 'old', { qos: 1 })
  await crashing.crash()
  const clean = await crashing.broker.connect({ clientId: 'c', clean: true })
  assert.equal(clean.connack?.sessionPresent, false)
  await crashing.crash()
  const back = await crashing.broker.connect({ clientId: 'c', ...kept })
  assert.equal(back.connack?.sessionPresent, false)
  await publishThrough(await crashing.broker.connect(), 'a', 'new', { qos: 1 })
  await back.expectNothing()
})

test('retained messages come back, deleted ones do not, and PUBACK waits for them', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const publisher = await crashing.broker.connect()
  for (const topic of ['r/1', 'r/2', 'r/3'])
    await publishThrough(publisher, topic, `at ${topic}`, { qos: 1, retain: true })
  await publishThrough(publisher, 'r/2', '', { qos: 1, retain: true })
  crashing.store.pause()
  publish(publisher, 'r/4', 'not stored', { qos: 1, retain: true })
  await publisher.expectNothing()
  await crashing.crash()
  const subscriber = await crashing.broker.connect()
  await subscribe(subscriber, 'r/+')
  assert.deepEqual(payloads(await subscriber.settle()), ['at r/1', 'at r/3'])
})

test('what a member of a shared group did not finish goes to another when its session ends', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const member = await crashing.broker.connect({
    clientId: 'm',
    clean: false,
    properties: { sessionExpiryInterval: 10 },
  })
  await subscribe(member, '$share/g/jobs', { qos: 1 })
  await member.disconnect()
  await publishThrough(await crashing.broker.connect(), 'jobs', 'job', { qos: 1 })
  await crashing.crash()
  const other = await crashing.broker.connect({ clientId: 'o', ...kept })
  await subscribe(other, '$share/g/jobs', { qos: 1 })
  for (let second = 0; second < 12; second++) await crashing.pass(1000)
  await other.expect('publish', { payload: 'job' })
  assert.equal(crashing.broker.broker.sessions.has('m'), false)
})

test('a message that had its packet identifier and never went out is no repetition when it goes', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t)
  const { broker, store } = crashing
  const first = await broker.connect({ clientId: 'd', ...kept })
  await subscribe(first, 'd', { qos: 2 })
  const publisher = await broker.connect()
  publish(publisher, 'd', 'sent', { qos: 1, messageId: 1 })
  await first.expect('publish', { payload: 'sent' })
  store.pause()
  publish(publisher, 'd', 'one', { qos: 1, messageId: 2 })
  publish(publisher, 'd', 'two', { qos: 2, messageId: 3 })
  await until(() => broker.broker.sessions.get('d')?.inflightCount === 3, 'its packet identifiers')
  first.destroy()
  await until(() => broker.broker.sessions.get('d')?.channel === undefined, 'its end')
  store.resume()
  const back = await broker.connect({ clientId: 'd', ...kept })
  await back.expect('publish', { payload: 'sent', dup: true })
  await back.expect('publish', { payload: 'one', dup: false, qos: 1 })
  await back.expect('publish', { payload: 'two', dup: false, qos: 2 })
})
