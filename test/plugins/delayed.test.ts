import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpResponse } from '@hookmq/api'
import delayed from '@hookmq/plugin-delayed'
import rewrite from '@hookmq/plugin-rewrite'
import { MemorySessionStore, MemoryStore } from '@hookmq/store-memory'
import { payloads, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { turns } from '../support/wait.ts'
import { loadPlugin } from './load.ts'

const stat = ({ broker }: TestBroker, name: string): number => broker.admin.stats()[name]
const metric = ({ broker }: TestBroker, name: string): number => broker.admin.metrics()[name]

async function call({ broker }: TestBroker, method: string, path: string, request: object = {}): Promise<HttpResponse> {
  const route = broker.admin.routes().find((candidate) => candidate.method === method && candidate.path === path)
  assert.ok(route, `${method} ${path}`)
  return route.handle({ params: {}, query: {}, body: undefined, user: 'admin', ...request })
}

testVersions(
  currentVersions,
  'acknowledged at once, published when it is due, with what it had',
  async (t, version) => {
    const clock = new ManualClock()
    const broker = await startBroker(t, {}, { clock })
    await loadPlugin(broker, delayed)
    const watcher = await broker.connect({ version })
    await subscribe(watcher, '#', { qos: 2, retainAsPublished: true })
    const client = await broker.connect({ version, clientId: 'dev' })
    const properties = version === 5 ? { contentType: 'text/plain', correlationData: Buffer.from([0, 255]) } : undefined
    await publishThrough(client, '$delayed/3/a/b', 'late', { qos: 2, retain: true, properties })
    assert.deepEqual(await watcher.settle(), [])
    assert.equal(broker.broker.admin.retained.count, 0)
    assert.deepEqual([stat(broker, 'delayed.count'), metric(broker, 'messages.delayed')], [1, 1])
    clock.advance(2000)
    assert.deepEqual(await watcher.settle(), [])
    clock.advance(1000)
    const received = await watcher.expect('publish', { topic: 'a/b', payload: 'late', qos: 2 })
    if (version === 5) {
      assert.equal(received.retain, true)
      assert.deepEqual(received.properties, properties)
    }
    assert.equal(broker.broker.admin.retained.get('a/b')?.from, 'dev')
    assert.deepEqual([stat(broker, 'delayed.count'), stat(broker, 'delayed.max')], [0, 1])
  },
)

test('in the order of their times, then of their coming', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, delayed)
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const client = await broker.connect()
  for (const [seconds, text] of [
    [3, 'four'],
    [2, 'two'],
    [1, 'one'],
    [2, 'three'],
  ] as const) {
    await publishThrough(client, `$delayed/${seconds}/a`, text, { qos: 1 })
  }
  clock.advance(10_000)
  await turns()
  assert.deepEqual(payloads(await watcher.settle()), ['one', 'two', 'three', 'four'])
})

test('a time in seconds since 1970; one in the past is published within a second', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, delayed)
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const client = await broker.connect()
  await publishThrough(client, `$delayed/${clock.now() / 1000 + 30}/a`, 'future', { qos: 1 })
  await publishThrough(client, `$delayed/${clock.now() / 1000 - 30}/a`, 'past', { qos: 1 })
  clock.advance(1000)
  await watcher.expect('publish', { payload: 'past' })
  clock.advance(28_000)
  assert.deepEqual(await watcher.settle(), [])
  clock.advance(1000)
  await watcher.expect('publish', { payload: 'future' })
})

test('what cannot be read is refused and reaches nobody, not even under its literal topic', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, delayed)
  const watcher = await broker.connect()
  await subscribe(watcher, ['$delayed/#', '#'])
  const client = await broker.connect()
  for (const topic of ['$delayed/x/a', '$delayed/5', '$delayed/5/', '$delayed/99999999999/a']) {
    assert.equal((await publishThrough(client, topic, 'x', { qos: 1 }))[0].reasonCode, 0x90, topic)
  }
  const old = await broker.connect({ version: 4 })
  await publishThrough(old, '$delayed/x/a', 'x', { qos: 1 })
  assert.deepEqual(await watcher.settle(), [])
  assert.equal(metric(broker, 'plugins.delayed.refused'), 5)
})

test('the ordinary way when it is due: hooks, rewriting; hooks behind 860 see it then and not before', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, delayed)
  await loadPlugin(broker, rewrite, 'module.rewrite.rule.1 = a/# ^a/(.+)$ z/$1\n')
  const seen: string[] = []
  broker.hook('message.publish', (_args, { topic }) => void seen.push(`100 ${topic}`), { priority: 100 })
  broker.hook('message.publish', (_args, { topic }) => void seen.push(`sink ${topic}`), { phase: 'sink' })
  const client = await broker.connect()
  await publishThrough(client, '$delayed/1/a/b', 'x', { qos: 1 })
  assert.deepEqual(seen, [])
  clock.advance(1000)
  await turns()
  assert.deepEqual(seen, ['100 z/b', 'sink z/b'])
})

test('access is asked for the whole topic and for the one behind the number', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { aclCache: false }, { clock })
  await loadPlugin(broker, delayed)
  const asked: string[] = []
  broker.hook('client.authorize', ({ action, topic }) => {
    asked.push(`${action} ${topic}`)
    return topic === 'secret' || topic === '$delayed/1/no' ? { stop: { result: 'deny', from: 'test' } } : undefined
  })
  const client = await broker.connect()
  assert.equal((await publishThrough(client, '$delayed/1/secret', 'x', { qos: 1 }))[0].reasonCode, 0x87)
  assert.equal((await publishThrough(client, '$delayed/1/no', 'x', { qos: 1 }))[0].reasonCode, 0x87)
  assert.equal((await publishThrough(client, '$delayed/1/ok', 'x', { qos: 1 }))[0].reasonCode, 0x10)
  assert.deepEqual(asked, [
    'publish $delayed/1/secret',
    'publish secret',
    'publish $delayed/1/no',
    'publish $delayed/1/ok',
    'publish ok',
  ])
  assert.equal(stat(broker, 'delayed.count'), 1)
})

test('kept over a restart; what came due meanwhile is published at once', async (t) => {
  const clock = new ManualClock()
  const store = new MemoryStore()
  const first = await startBroker(t, {}, { clock, store })
  await loadPlugin(first, delayed)
  const client = await first.connect()
  await publishThrough(client, '$delayed/5/a', 'soon', { qos: 1 })
  await publishThrough(client, '$delayed/500/a', 'later', { qos: 1 })
  await first.stop()
  clock.advance(60_000)
  const second = await startBroker(t, {}, { clock, store })
  await loadPlugin(second, delayed)
  assert.equal(stat(second, 'delayed.count'), 2)
  const watcher = await second.connect()
  await subscribe(watcher, 'a')
  clock.advance(1000)
  await watcher.expect('publish', { payload: 'soon' })
  clock.advance(500_000)
  await watcher.expect('publish', { payload: 'later' })
  await turns()
  const left = []
  for await (const [key] of store.namespace('delayed').list()) left.push(key)
  assert.deepEqual(left, [])
})

test('as many as may wait; the next one is refused, and there is room again afterwards', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, delayed, 'delayed.max_delayed_messages = 2\n')
  const client = await broker.connect()
  const send = async (): Promise<unknown> =>
    (await publishThrough(client, '$delayed/1/a', 'x', { qos: 1 }))[0].reasonCode
  assert.deepEqual([await send(), await send(), await send()], [0x10, 0x10, 0x97])
  clock.advance(2000)
  await turns()
  assert.equal(await send(), 0x10)
})

test('a store that fails refuses the message instead of losing it', async (t) => {
  const store = new MemoryStore()
  const broker = await startBroker(t, {}, { store })
  await loadPlugin(broker, delayed)
  t.mock.method(store.namespace('delayed'), 'put', () => Promise.reject(new Error('disk full')))
  const watcher = await broker.connect()
  await subscribe(watcher, '#')
  const client = await broker.connect()
  assert.equal((await publishThrough(client, '$delayed/1/a', 'x', { qos: 1 }))[0].reasonCode, 0x83)
  assert.deepEqual(await watcher.settle(), [])
  assert.equal(stat(broker, 'delayed.count'), 0)
})

test('a will and a message of the broker can be delayed', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, delayed)
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  await broker.broker.link.publish({ topic: '$delayed/1/a', payload: 'tool' })
  clock.advance(1000)
  await watcher.expect('publish', { payload: 'tool' })
})

test('over HTTP: settings, pages, one message, taking it back', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, delayed)
  assert.deepEqual((await call(broker, 'GET', '/mqtt/delayed')).body, { enable: true, max_delayed_messages: 100_000 })
  assert.deepEqual((await call(broker, 'PUT', '/mqtt/delayed', { body: { max_delayed_messages: 3 } })).body, {
    enable: true,
    max_delayed_messages: 3,
  })
  assert.equal((await call(broker, 'PUT', '/mqtt/delayed', { body: { max_delayed_messages: -1 } })).status, 400)
  const client = await broker.connect({ clientId: 'dev', username: 'ann' })
  for (const text of ['1', '2', '3']) await publishThrough(client, `$delayed/10/a/${text}`, text, { qos: 1 })
  clock.advance(4000)
  const page = await call(broker, 'GET', '/mqtt/delayed/messages', { query: { page: '2', limit: '2' } })
  const { data, meta } = page.body as { data: Record<string, unknown>[]; meta: unknown }
  assert.deepEqual(meta, { page: 2, limit: 2, count: 3, hasnext: false })
  const { msgid, ...row } = data[0]
  assert.deepEqual(row, {
    node: 'hookmq@127.0.0.1',
    topic: 'a/3',
    qos: 1,
    from_clientid: 'dev',
    from_username: 'ann',
    publish_at: '2026-01-01T00:00:00.000Z',
    delayed_interval: 10,
    delayed_remaining: 6,
    expected_at: '2026-01-01T00:00:10.000Z',
  })
  const params = { node: 'hookmq@127.0.0.1', msgid: String(msgid) }
  const path = '/mqtt/delayed/messages/:node/:msgid'
  const one = await call(broker, 'GET', path, { params })
  assert.equal((one.body as { payload: string }).payload, Buffer.from('3').toString('base64'))
  assert.equal((await call(broker, 'DELETE', path, { params })).status, 204)
  assert.equal((await call(broker, 'DELETE', path, { params })).status, 404)
  assert.equal((await call(broker, 'GET', path, { params })).status, 404)
  assert.equal(stat(broker, 'delayed.count'), 2)
  assert.equal((await call(broker, 'GET', '/mqtt/delayed/messages', { query: { page: '0' } })).status, 400)
})

test('off: an ordinary topic; unloaded: nothing is published, and loaded again everything', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const watcher = await broker.connect()
  await subscribe(watcher, ['a', '$delayed/#'])
  await loadPlugin(broker, delayed)
  const client = await broker.connect()
  await publishThrough(client, '$delayed/1/a', 'waits', { qos: 1 })
  await broker.broker.plugins.unload('delayed')
  clock.advance(5000)
  assert.deepEqual(await watcher.settle(), [])
  await loadPlugin(broker, delayed, 'delayed.enable = off\n')
  await publishThrough(client, '$delayed/1/a', 'literal', { qos: 1 })
  await watcher.expect('publish', { topic: '$delayed/1/a' })
  clock.advance(1000)
  await watcher.expect('publish', { topic: 'a', payload: 'waits' })
})

test('settings that were changed over HTTP are kept over a restart, and are no message', async (t) => {
  const store = new MemoryStore()
  const first = await startBroker(t, {}, { store })
  await loadPlugin(first, delayed)
  await call(first, 'PUT', '/mqtt/delayed', { body: { max_delayed_messages: 3 } })
  await first.stop()
  const second = await startBroker(t, {}, { store })
  await loadPlugin(second, delayed)
  assert.deepEqual((await call(second, 'GET', '/mqtt/delayed')).body, { enable: true, max_delayed_messages: 3 })
  assert.equal(stat(second, 'delayed.count'), 0)
})

test('while the store of sessions does not work, what is due for one of them waits', async (t) => {
  const clock = new ManualClock()
  const store = new MemorySessionStore()
  const broker = await startBroker(t, {}, { clock, sessions: () => store })
  await loadPlugin(broker, delayed)
  const durable = await broker.connect({ clientId: 'd', clean: false, properties: { sessionExpiryInterval: 1000 } })
  await subscribe(durable, 'a', { qos: 1 })
  const client = await broker.connect()
  await publishThrough(client, '$delayed/3/a', 'late', { qos: 1 })
  await publishThrough(client, '$delayed/3/nobody', 'not for the store', { qos: 1 })
  store.fail('the disk is full')
  clock.advance(4000)
  await turns()
  assert.deepEqual(await durable.settle(), [])
  assert.equal(stat(broker, 'delayed.count'), 1)
  store.fail(undefined)
  clock.advance(2000)
  await durable.expect('publish', { topic: 'a', payload: 'late', qos: 1 })
  await turns()
  assert.equal(stat(broker, 'delayed.count'), 0)
})
