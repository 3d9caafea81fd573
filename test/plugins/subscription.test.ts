import assert from 'node:assert/strict'
import { test } from 'node:test'
import rewrite from '@hookmq/plugin-rewrite'
import subscription from '@hookmq/plugin-subscription'
import { payloads, publishThrough } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import type { ConnectSettings, RawClient } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'
import { loadPlugin } from './load.ts'

/** As the EMQ 2.0 plugin document has it. */
const documented = `## Subscribe the Topics automatically when client connected
module.subscription.1.topic = $client/%c
## Qos of the subscription: 0 | 1 | 2
module.subscription.1.qos = 1

##module.subscription.2.topic = $user/%u
##module.subscription.2.qos = 1

## Load static subscriptions from backend storage
## Values: on | off
module.subscription.backend = on
`

function filters({ broker }: TestBroker, clientId: string): string[] {
  return [...broker.admin.subscriptions()].filter((entry) => entry.clientId === clientId).map(({ filter }) => filter)
}

/** Connected, and its automatic subscriptions made. */
async function connect(broker: TestBroker, settings: ConnectSettings): Promise<RawClient> {
  const client = await broker.connect(settings)
  await until(() => filters(broker, client.clientId).length > 0, 'automatic subscriptions')
  return client
}

testVersions(
  currentVersions,
  'the file of the EMQ 2.0 document subscribes each client to its own topic',
  async (t, version) => {
    const broker = await startBroker(t)
    assert.deepEqual((await loadPlugin(broker, subscription, documented)).warnings, [])
    const client = await connect(broker, { version, clientId: 'dev' })
    await publishThrough(await broker.connect({ version }), '$client/dev', 'hello', { qos: 2 })
    await client.expect('publish', { topic: '$client/dev', qos: 1 })
    assert.deepEqual(await client.settle(), [], 'no SUBACK, nothing else')
  },
)

test('after CONNACK, then retained messages', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, subscription, 'module.subscription.1.topic = news/%c\n')
  await publishThrough(await broker.connect(), 'news/dev', 'kept', { retain: true })
  const client = await broker.open()
  client.sendConnect({ clientId: 'dev' })
  await client.expect('connack')
  await client.expect('publish', { topic: 'news/dev', retain: true })
})

test('a CONNACK that waits for a hook still comes first', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, subscription, 'module.subscription.1.topic = news/%c\n')
  await publishThrough(await broker.connect(), 'news/dev', 'kept', { retain: true })
  broker.hook('client.connack', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return undefined
  })
  const client = await broker.open()
  client.sendConnect({ clientId: 'dev' })
  await client.expect('connack')
  await client.expect('publish', { topic: 'news/dev' })
})

test('entries in the order of their index as text, gaps allowed; qos 1 and 0 0 0 when nothing is said', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(
    broker,
    subscription,
    `module.subscription.2.topic = two
module.subscription.10.topic = ten
module.subscription.x.topic = x/%u/%c
module.subscription.x.qos = 2
module.subscription.x.nl = 1
module.subscription.x.rap = 1
module.subscription.x.rh = 2
`,
  )
  await connect(broker, { clientId: 'dev', username: 'ann' })
  const plain = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }
  assert.deepEqual(
    [...broker.broker.admin.subscriptions()].map(({ filter, options }) => ({ filter, ...options })),
    [
      { filter: 'ten', ...plain },
      { filter: 'two', ...plain },
      { filter: 'x/ann/dev', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
    ],
  )
  await connect(broker, { clientId: 'old', username: 'ann', version: 4 })
  const old = [...broker.broker.admin.subscriptions()].find(({ filter }) => filter === 'x/ann/old')
  assert.equal(old?.options.noLocal, false, 'No Local is of MQTT 5')
  assert.equal(old?.options.retainAsPublished, false)
})

test('without a user name the entry is left out, with a warning; placeholders stand for whole levels only', async (t) => {
  const warnings: unknown[] = []
  const log = {
    debug() {},
    info() {},
    warn: (_text: string, about: unknown) => warnings.push(about),
    error() {},
    child: () => log,
  }
  const broker = await startBroker(t, { log })
  await loadPlugin(
    broker,
    subscription,
    'module.subscription.1.topic = $user/%u\nmodule.subscription.2.topic = a%c/%c\n',
  )
  await connect(broker, { clientId: 'dev' })
  assert.deepEqual(filters(broker, 'dev'), ['a%c/dev'])
  assert.deepEqual(warnings, [
    { key: 'module.subscription.1', clientId: 'dev', reason: 'the client has nothing for %u' },
  ])
  assert.equal(broker.broker.admin.metrics()['plugins.subscription.skipped'], 1)
})

test('a name with wildcards or a share prefix does not widen what a client gets', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, subscription, 'module.subscription.1.topic = %c/x\nmodule.subscription.2.topic = all\n')
  for (const clientId of ['#', '+', '$share']) {
    await connect(broker, { clientId })
    assert.deepEqual(filters(broker, clientId), ['all'])
  }
})

test('not subject to access control, but client.subscribe sees it and may change it', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, subscription, 'module.subscription.1.topic = x/%c\n')
  await loadPlugin(broker, rewrite, 'module.rewrite.sub.rule.1 = x/# ^x/(.+)$ z/$1\n')
  broker.hook('client.authorize', () => ({ stop: { result: 'deny', from: 'test' } }))
  await connect(broker, { clientId: 'dev' })
  assert.deepEqual(filters(broker, 'dev'), ['z/dev'])
  assert.ok(broker.recorder.lines({ client: 'dev' }).includes('session.subscribed z/dev new'))
})

test('a hook that disconnects on client.subscribe ends the client', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, subscription, 'module.subscription.1.topic = a\n')
  broker.hook('client.subscribe', () => ({ disconnect: 0x87 }))
  const client = await broker.connect({ clientId: 'dev' })
  await client.expect('disconnect', { reasonCode: 0x87 })
  assert.deepEqual(filters(broker, 'dev'), [])
})

test('repeated at each connect of a persistent session, without a second copy', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, subscription, 'module.subscription.1.topic = a/%c\n')
  const settings = { clientId: 'dev', clean: false, properties: { sessionExpiryInterval: 100 } }
  const first = await connect(broker, settings)
  first.destroy()
  await until(() => broker.broker.link.client('dev') === undefined, 'the client to be gone')
  await publishThrough(await broker.connect(), 'a/dev', 'while away', { qos: 1 })
  const again = await broker.connect(settings)
  await until(
    () => broker.recorder.lines({ client: 'dev' }).includes('session.subscribed a/dev again'),
    'the repetition',
  )
  assert.deepEqual(filters(broker, 'dev'), ['a/dev'])
  assert.deepEqual(payloads(await again.settle()), ['while away'])
})

test('as many as the broker allows', async (t) => {
  const broker = await startBroker(t, { maxSubscriptions: 1, maxQosAllowed: 1 })
  await loadPlugin(
    broker,
    subscription,
    'module.subscription.1.topic = a\nmodule.subscription.1.qos = 2\nmodule.subscription.2.topic = b\n',
  )
  await connect(broker, { clientId: 'dev' })
  assert.deepEqual(
    [...broker.broker.admin.subscriptions()].map(({ filter, options }) => [filter, options.qos]),
    [['a', 1]],
  )
})

test('a filter that is none names the key', async (t) => {
  const broker = await startBroker(t)
  await assert.rejects(
    loadPlugin(broker, subscription, 'module.subscription.7.topic = a/#/%c\n'),
    /module\.subscription\.7\.topic = a\/#\/%c: expected a topic filter/,
  )
  await assert.rejects(
    loadPlugin(broker, subscription, 'module.subscription.7.topic = $share/g/a\nmodule.subscription.7.nl = 1\n'),
    /shared subscription cannot have nl = 1/,
  )
})

test('the entries over HTTP', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, subscription, documented)
  const route = broker.broker.admin.routes().find(({ path }) => path === '/mqtt/auto_subscribe')
  assert.deepEqual(await route?.handle({ params: {}, query: {}, body: undefined, user: 'admin' }), {
    status: 200,
    body: [{ topic: '$client/%c', qos: 1, nl: 0, rap: 0, rh: 0 }],
  })
})
