import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SharedStrategy } from '@hookmq/core'
import { acknowledge, payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import type { RawClient } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

async function members(
  broker: TestBroker,
  count: number,
  filter = '$share/g/a/#',
  qos: 0 | 1 | 2 = 1,
): Promise<RawClient[]> {
  const list: RawClient[] = []
  for (let index = 0; index < count; index++) {
    const member = await broker.connect({ clientId: `member${index}` })
    await subscribe(member, filter, { qos })
    list.push(member)
  }
  return list
}

async function shares(list: readonly RawClient[]): Promise<string[][]> {
  return Promise.all(list.map(async (member) => payloads(await member.settle())))
}

testVersions(
  currentVersions,
  'each message goes to one member; groups and plain subscribers are apart [MQTT-4.8.2-1] [MQTT-4.8.2-2]',
  async (t, version) => {
    const broker = await startBroker(t)
    const list = await members(broker, 3)
    const otherGroup = await broker.connect({ version })
    await subscribe(otherGroup, '$share/h/a/#', { qos: 1 })
    const plain = await broker.connect({ version })
    await subscribe(plain, 'a/#', { qos: 1 })
    const publisher = await broker.connect({ version })
    const sent = Array.from({ length: 60 }, (_, index) => `${index}`)
    for (const payload of sent) await publishThrough(publisher, 'a/b', payload, { qos: 1 })
    const got = await shares(list)
    assert.deepEqual(got.flat().sort(), [...sent].sort())
    assert.deepEqual(payloads(await otherGroup.settle()), sent)
    assert.deepEqual(payloads(await plain.settle()), sent)
  },
)

test('$queue/ is a group without a name', async (t) => {
  const broker = await startBroker(t)
  const list = await members(broker, 2, '$queue/a/#')
  const publisher = await broker.connect()
  const sent = Array.from({ length: 20 }, (_, index) => `${index}`)
  for (const payload of sent) await publishThrough(publisher, 'a/b', payload)
  assert.deepEqual((await shares(list)).flat().sort(), [...sent].sort())
})

async function distribution(
  t: Parameters<typeof startBroker>[0],
  sharedStrategy: SharedStrategy,
  topics: readonly string[],
): Promise<string[][]> {
  const broker = await startBroker(t, { sharedStrategy })
  const list = await members(broker, 3)
  const publishers = [await broker.connect({ clientId: 'p1' }), await broker.connect({ clientId: 'p2' })]
  for (let index = 0; index < 90; index++) {
    const topic = topics[index % topics.length]
    const publisher = publishers[index % 2]
    await publishThrough(publisher, topic, `${publisher.clientId} ${topic}`)
  }
  return shares(list)
}

test('round_robin: the same number for each', async (t) => {
  const got = await distribution(t, 'round_robin', ['a/1'])
  assert.deepEqual(
    got.map(({ length }) => length),
    [30, 30, 30],
  )
})

test('random: everybody gets some', async (t) => {
  const got = await distribution(t, 'random', ['a/1'])
  assert.ok(got.every(({ length }) => length > 0))
})

test('sticky: one member gets all of a publisher', async (t) => {
  const got = await distribution(t, 'sticky', ['a/1'])
  for (const publisher of ['p1', 'p2']) {
    const holders = got.filter((list) => list.some((payload) => payload.startsWith(publisher)))
    assert.equal(holders.length, 1, publisher)
  }
})

test('hash_clientid: one member for each publisher', async (t) => {
  const got = await distribution(t, 'hash_clientid', ['a/1', 'a/2', 'a/3'])
  for (const publisher of ['p1', 'p2']) {
    assert.equal(got.filter((list) => list.some((payload) => payload.startsWith(publisher))).length, 1, publisher)
  }
})

test('hash_topic: one member for each topic', async (t) => {
  const topics = ['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'a/6', 'a/7', 'a/8', 'a/9']
  const got = await distribution(t, 'hash_topic', topics)
  for (const topic of topics) {
    assert.equal(got.filter((list) => list.some((payload) => payload.endsWith(topic))).length, 1, topic)
  }
})

test('a group may have its own strategy', async (t) => {
  const broker = await startBroker(t, { sharedStrategy: 'sticky', sharedStrategyOfGroup: { fair: 'round_robin' } })
  const list = await members(broker, 2, '$share/fair/a')
  const publisher = await broker.connect()
  for (let index = 0; index < 10; index++) await publishThrough(publisher, 'a', `${index}`)
  assert.deepEqual(
    (await shares(list)).map(({ length }) => length),
    [5, 5],
  )
})

for (const sharedStrategy of ['random', 'round_robin', 'sticky', 'hash_clientid', 'hash_topic'] as const) {
  test(`${sharedStrategy}: another member when one is gone`, async (t) => {
    const broker = await startBroker(t, { sharedStrategy })
    const list = await members(broker, 3)
    const publisher = await broker.connect()
    await publishThrough(publisher, 'a/b', 'all', { qos: 1 })
    await list[0].disconnect()
    await list[1].disconnect()
    await list[2].settle()
    for (let index = 0; index < 10; index++) await publishThrough(publisher, 'a/b', `${index}`, { qos: 1 })
    assert.equal(payloads(await list[2].settle()).length, 10)
  })
}

test('who is there is preferred to a session that waits', async (t) => {
  const broker = await startBroker(t, { sharedStrategy: 'round_robin' })
  const sleeper = await broker.connect({ clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } })
  await subscribe(sleeper, '$share/g/a', { qos: 1 })
  const awake = await broker.connect()
  await subscribe(awake, '$share/g/a', { qos: 1 })
  await sleeper.disconnect()
  const publisher = await broker.connect()
  for (let index = 0; index < 6; index++) await publishThrough(publisher, 'a', `${index}`, { qos: 1 })
  assert.equal(payloads(await awake.settle()).length, 6)
})

test('nobody there: a session that waits takes it', async (t) => {
  const broker = await startBroker(t)
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const sleeper = await broker.connect(settings)
  await subscribe(sleeper, '$share/g/a', { qos: 1 })
  await sleeper.disconnect()
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  const back = await broker.connect(settings)
  await back.expect('publish', { payload: 'x' })
})

test('the QoS is that of the chosen member [MQTT-4.8.2-3]', async (t) => {
  const broker = await startBroker(t, { sharedStrategy: 'round_robin' })
  const list: RawClient[] = []
  for (const qos of [0, 1, 2] as const) {
    const member = await broker.connect()
    await subscribe(member, '$share/g/a', { qos })
    list.push(member)
  }
  const publisher = await broker.connect()
  for (let index = 0; index < 3; index++) await publishThrough(publisher, 'a', 'x', { qos: 2 })
  const got: unknown[] = []
  for (const member of list) got.push((await member.settle()).map(({ qos }) => qos))
  assert.deepEqual(got, [[0], [1], [2]])
})

test('a QoS 2 delivery that has begun is completed with the same member [MQTT-4.8.2-4]', async (t) => {
  const broker = await startBroker(t)
  const settings = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(settings)
  await subscribe(first, '$share/g/a', { qos: 2 })
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x', { qos: 2 })
  const { messageId } = await first.expect('publish', { payload: 'x' })
  const other = await broker.connect()
  await subscribe(other, '$share/g/a', { qos: 2 })
  first.destroy()
  await other.expectNothing()
  const again = await broker.connect(settings)
  await acknowledge(again, await again.expect('publish', { payload: 'x', dup: true, messageId }))
})

test('when the session of that member ends, nobody else gets the QoS 2 message [MQTT-4.8.2-5]', async (t) => {
  const broker = await startBroker(t)
  const first = await broker.connect({ clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } })
  await subscribe(first, '$share/g/a', { qos: 2 })
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x', { qos: 2 })
  await first.expect('publish', { payload: 'x' })
  const other = await broker.connect()
  await subscribe(other, '$share/g/a', { qos: 2 })
  await first.disconnect(0, { sessionExpiryInterval: 0 })
  await other.expectNothing()
})

test('a message that a member refuses goes to nobody else [MQTT-4.8.2-6]', async (t) => {
  const broker = await startBroker(t, { sharedStrategy: 'round_robin' })
  const list = await members(broker, 2, '$share/g/a', 2)
  const publisher = await broker.connect()
  for (const [qos, cmd] of [
    [1, 'puback'],
    [2, 'pubrec'],
  ] as const) {
    await publishThrough(publisher, 'a', `refused ${qos}`, { qos })
    const got = await Promise.all(list.map((member) => member.settle()))
    const holder = got.findIndex(({ length }) => length === 1)
    list[holder].send({ cmd, messageId: got[holder][0].messageId as number, reasonCode: 0x83 })
    for (const member of list) await member.expectNothing()
  }
})

test('bad share names and no local on a share [MQTT-3.8.3-4] [MQTT-4.8.2-1] [MQTT-4.8.2-2]', async (t) => {
  const broker = await startBroker(t)
  for (const topic of ['$share/g', '$share//a', '$share/g/', '$share/+/a', '$share/g#/a']) {
    const client = await broker.connect()
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] })
    await client.expectDisconnect(0x8f)
  }
  const client = await broker.connect()
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$share/g/a', qos: 0, nl: true }] })
  await client.expectDisconnect(0x82)
  assert.equal(broker.recorder.count('client.subscribe'), 0)
})

test('one client in a group and on its own', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  await subscribe(client, '$share/g/a', { qos: 1 })
  await subscribe(client, 'a', { qos: 1 })
  publish(client, 'a', 'x')
  assert.deepEqual(payloads(await client.settle()), ['x', 'x'])
})
