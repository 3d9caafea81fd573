import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BrokerOptions, defaultOptions } from '@hookmq/core'
import { propertiesOf, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { turns, until } from '../support/wait.ts'

interface Bound {
  readonly options: Partial<BrokerOptions>
  /** What counts when the bound is reached; undefined: nothing is lost or refused at this bound. */
  readonly counter: string | undefined
  /** Goes up to the bound and once beyond. */
  exceed(broker: TestBroker, clock: ManualClock): Promise<void>
}

const kept = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }

/** A sleeping subscriber of `a` and a publisher that wakes nobody. */
async function sleeper(broker: TestBroker) {
  const subscriber = await broker.connect(kept)
  await subscribe(subscriber, 'a', { qos: 1 })
  await subscriber.disconnect()
  const publisher = await broker.connect()
  return (payload: string) => publishThrough(publisher, 'a', payload, { qos: 1 })
}

async function oneMoreConnection(broker: TestBroker): Promise<void> {
  await broker.connect()
  const refused = await broker.open()
  await refused.expectClose()
}

/** Fills the sockets of two clients that do not read, until messages for them are dropped. */
async function unread(broker: TestBroker): Promise<void> {
  const publisher = await broker.connect()
  for (const clientId of ['slow1', 'slow2']) {
    const slow = await broker.connect({ clientId })
    await subscribe(slow, 'a')
    slow.socket.pause()
  }
  const waiting = (): number => [...broker.broker.channels].reduce((sum, { outbox }) => sum + outbox.pending, 0)
  for (let round = 0; round < 300; round++) {
    publish(publisher, 'a', 'x'.repeat(64 * 1024))
    await publisher.settle()
    assert.ok(waiting() < 4_000_000, `${waiting()} bytes wait`)
  }
}

const bounds: Partial<Record<keyof BrokerOptions, Bound>> = {
  maxPacketSize: {
    options: { maxPacketSize: 100 },
    counter: 'packets.malformed',
    async exceed(broker) {
      const client = await broker.connect()
      await publishThrough(client, 'a', 'x'.repeat(80))
      publish(client, 'a', 'x'.repeat(100))
      await client.expectDisconnect(0x95)
    },
  },
  maxClientIdLength: {
    options: { maxClientIdLength: 3 },
    counter: 'packets.connack.error',
    async exceed(broker) {
      await broker.connect({ clientId: 'abc' })
      const client = await broker.open()
      client.sendConnect({ clientId: 'abcd' })
      await client.expect('connack', { reasonCode: 0x85 })
    },
  },
  maxTopicLength: {
    options: { maxTopicLength: 3 },
    counter: 'packets.publish.error',
    async exceed(broker) {
      const client = await broker.connect()
      await publishThrough(client, 'abc', 'x')
      publish(client, 'abcd', 'x')
      await client.expectDisconnect(0x90)
    },
  },
  maxTopicLevels: {
    options: { maxTopicLevels: 2 },
    counter: 'packets.subscribe.error',
    async exceed(broker) {
      const client = await broker.connect()
      await subscribe(client, 'a/#')
      client.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 'a/b/#', qos: 0 }] })
      await client.expectDisconnect(0x8f)
    },
  },
  maxTopicAlias: {
    options: { maxTopicAlias: 1 },
    counter: 'packets.publish.error',
    async exceed(broker) {
      const client = await broker.connect()
      await publishThrough(client, 'a', 'x', { properties: { topicAlias: 1 } })
      publish(client, 'a', 'x', { properties: { topicAlias: 2 } })
      await client.expectDisconnect(0x94)
    },
  },
  idleTimeout: {
    options: { idleTimeout: 5_000 },
    counter: 'connections.connect_timeout',
    async exceed(broker, clock) {
      const client = await broker.open()
      await until(() => broker.broker.channels.size === 1, 'the connection')
      clock.advance(6_000)
      await client.expectClose()
    },
  },
  keepAliveBackoff: {
    options: { keepAliveBackoff: 0.5 },
    counter: 'connections.keepalive_timeout',
    async exceed(broker, clock) {
      const client = await broker.connect({ keepalive: 10 })
      clock.advance(9_000)
      await client.settle()
      clock.advance(11_000)
      await client.expectDisconnect(0x8d)
    },
  },
  maxConnections: { options: { maxConnections: 1 }, counter: 'connections.refused.limit', exceed: oneMoreConnection },
  maxConnectionsPerAddress: {
    options: { maxConnectionsPerAddress: 1 },
    counter: 'connections.refused.address_limit',
    exceed: oneMoreConnection,
  },
  messageRate: {
    options: { messageRate: 1 },
    counter: 'connections.throttled',
    async exceed(broker) {
      const client = await broker.connect()
      publish(client, 'a', '1', { qos: 1 })
      await client.expect('puback')
      publish(client, 'a', '2', { qos: 1 })
      await until(() => [...broker.broker.channels].some(({ held }) => held), 'the pause')
    },
  },
  byteRate: {
    options: { byteRate: 1_000 },
    counter: 'connections.throttled',
    async exceed(broker) {
      const client = await broker.connect()
      publish(client, 'a', 'x'.repeat(2_000))
      await until(() => [...broker.broker.channels].some(({ held }) => held), 'the pause')
    },
  },
  maxSubscriptions: {
    options: { maxSubscriptions: 1 },
    counter: 'subscriptions.refused.limit',
    async exceed(broker) {
      assert.deepEqual(await subscribe(await broker.connect(), ['a', 'b']), [0, 0x97])
    },
  },
  maxInflight: {
    options: { maxInflight: 1 },
    counter: undefined,
    async exceed(broker) {
      const client = await broker.connect()
      await subscribe(client, 'a', { qos: 1 })
      for (const payload of ['1', '2']) await publishThrough(await broker.connect(), 'a', payload, { qos: 1 })
      const { messageId } = await client.expect('publish', { payload: '1' })
      await client.expectNothing()
      client.send({ cmd: 'puback', messageId: messageId as number })
      await client.expect('publish', { payload: '2' })
    },
  },
  receiveMaximum: {
    options: { receiveMaximum: 1 },
    counter: 'messages.dropped.receive_maximum',
    exceed: oneMoreUnreleased,
  },
  maxAwaitingRel: {
    options: { maxAwaitingRel: 1 },
    counter: 'messages.dropped.receive_maximum',
    exceed: oneMoreUnreleased,
  },
  awaitRelTimeout: {
    options: { awaitRelTimeout: 1_000 },
    counter: 'messages.dropped.await_pubrel_timeout',
    async exceed(broker, clock) {
      const client = await broker.connect()
      publish(client, 'a', 'x', { qos: 2 })
      await client.expect('pubrec')
      clock.advance(2_000)
      client.send({ cmd: 'pubrel', messageId: 1 })
      await client.expect('pubcomp', { reasonCode: 0x92 })
    },
  },
  maxQueueLength: {
    options: { maxQueueLength: 1 },
    counter: 'delivery.dropped.queue_full',
    async exceed(broker) {
      const send = await sleeper(broker)
      await send('1')
      await send('2')
    },
  },
  maxQueueBytes: {
    options: { maxQueueBytes: 10 },
    counter: 'delivery.dropped.queue_full',
    async exceed(broker) {
      const send = await sleeper(broker)
      await send('123456')
      await send('123456')
    },
  },
  maxSessionExpiryInterval: {
    options: { maxSessionExpiryInterval: 50 },
    counter: 'session.terminated',
    async exceed(broker, clock) {
      await (await broker.connect(kept)).disconnect()
      clock.advance(60_000)
      assert.equal(broker.broker.sessions.size, 0)
    },
  },
  maxSessions: {
    options: { maxSessions: 1 },
    counter: 'connections.refused.session_limit',
    async exceed(broker) {
      await broker.connect()
      const client = await broker.open()
      client.sendConnect()
      await client.expect('connack', { reasonCode: 0x97 })
    },
  },
  maxPendingBytes: {
    options: { maxPendingBytes: 1_000_000, sendTimeout: 0 },
    counter: 'delivery.dropped.queue_full',
    exceed: unread,
  },
  maxPendingBytesTotal: {
    options: { maxPendingBytesTotal: 2_000_000, sendTimeout: 0 },
    counter: 'delivery.dropped.queue_full',
    exceed: unread,
  },
  sendTimeout: {
    options: { maxPendingBytes: 1_000_000, sendTimeout: 5_000 },
    counter: 'connections.slow_consumer',
    async exceed(broker, clock) {
      await unread(broker)
      clock.advance(60_000)
      await until(() => broker.broker.channels.size === 1, 'the end of both')
    },
  },
  maxRetainedMessages: {
    options: { maxRetainedMessages: 1 },
    counter: 'messages.retained.refused',
    async exceed(broker) {
      const client = await broker.connect()
      for (const topic of ['a', 'b']) await publishThrough(client, topic, 'x', { retain: true })
      assert.equal(broker.broker.retained.store.count, 1)
    },
  },
  maxRetainedPayload: {
    options: { maxRetainedPayload: 2 },
    counter: 'messages.retained.refused',
    async exceed(broker) {
      const client = await broker.connect()
      for (const payload of ['12', '123']) await publishThrough(client, payload, payload, { retain: true })
      assert.equal(broker.broker.retained.store.count, 1)
    },
  },
  hookTimeout: {
    options: { hookTimeout: 20 },
    counter: 'hooks.timeout',
    async exceed(broker) {
      broker.hook('message.publish', () => new Promise(() => {}))
      const client = await broker.connect()
      publish(client, 'a', 'x', { qos: 1 })
      await client.expect('puback')
    },
  },
  hookWindow: {
    options: { hookWindow: 1 },
    counter: 'connections.window_paused',
    async exceed(broker) {
      let calls = 0
      broker.hook('message.publish', () => new Promise(() => void calls++), { timeout: 0 })
      const client = await broker.connect()
      for (const payload of ['1', '2']) publish(client, 'a', payload)
      await until(() => calls > 0, 'the first call')
      await turns(20)
      assert.equal(calls, 1)
    },
  },
  hookQueueLimit: {
    options: { hookQueueLimit: 1 },
    counter: 'hooks.notifications.dropped',
    async exceed(broker) {
      const answers: (() => void)[] = []
      broker.hook('message.dropped', () => new Promise<void>((resolve) => answers.push(resolve)), { timeout: 0 })
      const client = await broker.connect()
      for (let index = 0; index < 5; index++) await publishThrough(client, 'a', 'x')
      for (let answered = 0; answered < 2; answered++) {
        await until(() => answers.length > answered, 'a call')
        answers[answered]?.()
      }
    },
  },
  aclCacheMaxSize: {
    options: { aclCacheMaxSize: 20 },
    counter: 'client.acl.cache_miss',
    async exceed(broker) {
      const asked = countAuthorizations(broker)
      const client = await broker.connect()
      const topics = Array.from({ length: 20 }, (_, index) => `t${index}`)
      for (const topic of [...topics, ...topics]) await publishThrough(client, topic, 'x')
      assert.equal(asked(), 20)
      await publishThrough(client, 'one more', 'x')
      await publishThrough(client, 't0', 'x')
      assert.equal(asked(), 22)
    },
  },
  aclCacheTtl: {
    options: { aclCacheTtl: 10_000 },
    counter: 'client.acl.cache_miss',
    async exceed(broker, clock) {
      const asked = countAuthorizations(broker)
      const client = await broker.connect()
      for (let round = 0; round < 3; round++) await publishThrough(client, 'a', 'x')
      assert.equal(asked(), 1)
      clock.advance(11_000)
      await publishThrough(client, 'a', 'x')
      assert.equal(asked(), 2)
    },
  },
}

async function oneMoreUnreleased(broker: TestBroker): Promise<void> {
  const client = await broker.connect()
  publish(client, 'a', 'x', { qos: 2 })
  await client.expect('pubrec')
  publish(client, 'a', 'x', { qos: 2 })
  await client.expectDisconnect(0x93)
}

function countAuthorizations(broker: TestBroker): () => number {
  let count = 0
  broker.hook('client.authorize', () => void count++)
  return () => count
}

for (const [name, bound] of Object.entries(bounds)) {
  test(`${name} holds${bound.counter === undefined ? '' : ` and counts as ${bound.counter}`}`, async (t) => {
    const clock = new ManualClock()
    const broker = await startBroker(t, bound.options, { record: false, clock })
    const metrics: () => Readonly<Record<string, number>> = broker.broker.link.metrics
    const counted = (): number => metrics()[bound.counter ?? ''] ?? -1
    const before = bound.counter === undefined ? 0 : counted()
    assert.notEqual(before, -1, 'there is such a counter')
    await bound.exceed(broker, clock)
    if (bound.counter !== undefined) assert.ok(counted() > before, `${bound.counter} counts`)
  })
}

/** Bounds in name only: what they bound is shown elsewhere, or they shape another bound of this list. */
const elsewhere: readonly string[] = [
  // A capability, in test/conformance.
  'maxQosAllowed',
  // How much may come at once of what messageRate and byteRate let through.
  'messageBurst',
  'byteBurst',
  // Of test/durability: who publishes faster than the disk writes.
  'maxStoreWaiting',
  // Of test/durability as well: what waits for all sessions together.
  'maxStoreQueued',
  'maxStoreQueuedBytes',
  // Of packages/core/src/routing: what is not remembered is looked up again.
  'routeCacheSize',
]

test('no bound is missing here', () => {
  const named = Object.keys(defaultOptions).filter((name) =>
    /^max|Rate$|Burst$|Limit$|Timeout$|Window$|Size$/.test(name),
  )
  assert.deepEqual(
    named.filter((name) => !(name in bounds) && !elsewhere.includes(name)),
    [],
  )
})

test('useUsernameAsClientId', async (t) => {
  const broker = await startBroker(t, { useUsernameAsClientId: true })
  const client = await broker.connect({ clientId: 'other', username: 'ann' })
  assert.equal(broker.broker.link.client('ann')?.username, 'ann')
  assert.equal(propertiesOf(client.connack).assignedClientIdentifier, 'ann')
})

test('a client id that a user name stands for is held to maxClientIdLength, too; one that is assigned is not', async (t) => {
  const broker = await startBroker(t, { useUsernameAsClientId: true, maxClientIdLength: 3 })
  await broker.connect({ clientId: '' })
  const client = await broker.open()
  client.sendConnect({ clientId: 'c', username: 'abcd' })
  await client.expect('connack', { reasonCode: 0x85 })
})

test('without the ACL cache every message is authorized', async (t) => {
  const broker = await startBroker(t, { aclCache: false }, { record: false })
  const asked = countAuthorizations(broker)
  const client = await broker.connect()
  for (let round = 0; round < 3; round++) await publishThrough(client, 'a', 'x')
  assert.equal(asked(), 3)
})
