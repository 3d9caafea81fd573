import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommandResult, HttpResponse } from '@hookmq/api'
import retainer from '@hookmq/plugin-retainer'
import { MemoryStore } from '@hookmq/store-memory'
import { payloads, propertiesOf, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import type { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'
import { loadPlugin } from './load.ts'

/** As the EMQ 2.0 plugin document has it. */
const documented = `## disc: disc_copies, ram: ram_copies
module.retainer.storage_type = ram

## Max number of retained messages
module.retainer.max_message_num = 100000

## Max Payload Size of retained message
module.retainer.max_payload_size = 64KB

## Expired after seconds, never expired if 0
module.retainer.expired_after = 0
`

async function retain(client: RawClient, topic: string, payload: string | Buffer): Promise<unknown> {
  return (await publishThrough(client, topic, payload, { qos: 1, retain: true }))[0].reasonCode
}

const held = ({ broker }: TestBroker, topic: string): string | undefined => {
  const message = broker.admin.retained.get(topic)
  return message === undefined ? undefined : Buffer.from(message.payload).toString()
}

async function command({ broker }: TestBroker, ...args: string[]): Promise<CommandResult | undefined> {
  const found = broker.admin.commands().find(({ name }) => name === 'retainer')
  assert.ok(found)
  return found.run(args)
}

async function call({ broker }: TestBroker, method: string, path: string, request: object = {}): Promise<HttpResponse> {
  const route = broker.admin.routes().find((candidate) => candidate.method === method && candidate.path === path)
  assert.ok(route, `${method} ${path}`)
  return route.handle({ params: {}, query: {}, body: undefined, user: 'admin', ...request })
}

test('the file of the EMQ 2.0 document loads as written, and its limits hold', async (t) => {
  const broker = await startBroker(t)
  assert.deepEqual((await loadPlugin(broker, retainer, documented)).warnings, [])
  const client = await broker.connect()
  await retain(client, 'equal', Buffer.alloc(65_536))
  await retain(client, 'larger', 'old')
  await retain(client, 'larger', Buffer.alloc(65_537))
  assert.equal(held(broker, 'equal')?.length, 65_536)
  assert.equal(held(broker, 'larger'), 'old', 'the previous message stays')
})

test('exactly as many as may be; an update is no new one; what is refused is delivered all the same', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, retainer, 'retainer.max_retained_messages = 2\nretainer.max_payload_size = 4\n')
  const watcher = await broker.connect()
  await subscribe(watcher, '#')
  const client = await broker.connect()
  for (const topic of ['a', 'b', 'c']) assert.equal(await retain(client, topic, '1'), 0)
  await retain(client, 'a', '2')
  await retain(client, 'b', 'larger')
  assert.deepEqual([held(broker, 'a'), held(broker, 'b'), held(broker, 'c')], ['2', '1', undefined])
  assert.deepEqual(payloads(await watcher.settle()), ['1', '1', '1', '2', 'larger'])
  assert.equal(broker.broker.admin.metrics()['messages.retained.refused'], 2)
  assert.equal(broker.broker.admin.metrics()['messages.retained'], 3)
  assert.deepEqual([broker.broker.admin.stats()['retained.count'], broker.broker.admin.stats()['retained.max']], [2, 2])
})

test('without the plugin the limits of the broker hold; with it its own, also larger ones', async (t) => {
  const broker = await startBroker(t, { maxRetainedPayload: 2 })
  const client = await broker.connect()
  await retain(client, 'a', 'long')
  assert.equal(held(broker, 'a'), undefined)
  await loadPlugin(broker, retainer, 'retainer.max_payload_size = 0\n')
  await retain(client, 'a', 'long')
  assert.equal(held(broker, 'a'), 'long')
  await broker.broker.plugins.unload('retainer')
  await retain(client, 'a', 'longer')
  assert.equal(held(broker, 'a'), 'long')
})

test('expiry: not sent and not kept; a Message Expiry Interval of its own goes first; $SYS stays', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, retainer, 'module.retainer.expired_after = 10\n')
  const client = await broker.connect()
  await retain(client, 'plain', 'x')
  await retain(client, '$SYS/x', 'x')
  await publishThrough(client, 'own', 'x', { qos: 1, retain: true, properties: { messageExpiryInterval: 20 } })
  clock.advance(9999)
  assert.equal(held(broker, 'plain'), 'x')
  clock.advance(1)
  const reader = await broker.connect()
  await subscribe(reader, ['#', '$SYS/#'])
  const received = await reader.settle()
  assert.deepEqual(received.map(({ topic }) => topic).sort(), ['$SYS/x', 'own'])
  assert.equal(propertiesOf(received.find(({ topic }) => topic === 'own')).messageExpiryInterval, 10)
  clock.advance(10_000)
  assert.equal(held(broker, 'own'), undefined)
})

test('the sweep takes away what nobody asks for', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, retainer, 'retainer.expiry_interval = 10s\nretainer.msg_clear_interval = 60s\n')
  const client = await broker.connect()
  for (let index = 0; index < 1000; index++) await publishThrough(client, `a/${index}`, 'x', { retain: true })
  clock.advance(59_000)
  assert.equal(broker.broker.admin.retained.count, 1000)
  clock.advance(1000)
  await until(() => broker.broker.admin.retained.count === 0, 'the sweep')
})

test('an empty message clears; it is delivered unless the key says no', async (t) => {
  const broker = await startBroker(t)
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  const client = await broker.connect()
  await loadPlugin(broker, retainer)
  await retain(client, 'a', 'x')
  await retain(client, 'a', '')
  assert.equal(held(broker, 'a'), undefined)
  await broker.broker.plugins.unload('retainer')
  await loadPlugin(broker, retainer, 'retainer.stop_publish_clear_msg = true\n')
  await retain(client, 'a', 'y')
  await retain(client, 'a', '')
  await publishThrough(client, 'a', '', { qos: 1 })
  assert.equal(held(broker, 'a'), undefined)
  assert.deepEqual(payloads(await watcher.settle()), ['x', '', 'y', ''], 'the last one is no clearing one')
})

test('max_publish_rate: beyond it delivered, not retained', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, retainer, 'retainer.max_publish_rate = 2/s\n')
  const client = await broker.connect()
  for (const topic of ['a', 'b', 'c']) await retain(client, topic, 'x')
  assert.equal(broker.broker.admin.retained.count, 2)
  clock.advance(1000)
  await retain(client, 'c', 'x')
  assert.equal(broker.broker.admin.retained.count, 3)
})

test('delivery_rate: beyond it retained messages wait, and all of them come', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, retainer, 'retainer.delivery_rate = 3/s\n')
  const client = await broker.connect()
  for (let index = 0; index < 7; index++) await publishThrough(client, `a/${index}`, String(index), { retain: true })
  const reader = await broker.connect()
  await subscribe(reader, 'a/#')
  assert.deepEqual(payloads(await reader.settle()), ['0', '1', '2'])
  clock.advance(1000)
  assert.deepEqual(payloads(await reader.settle()), ['3', '4', '5'])
  clock.advance(1000)
  assert.deepEqual(payloads(await reader.settle()), ['6'])
})

test('a rate that is none names the key', async (t) => {
  const broker = await startBroker(t)
  await assert.rejects(
    loadPlugin(broker, retainer, 'retainer.delivery_rate = fast\n'),
    /retainer\.delivery_rate = fast: expected a rate/,
  )
})

for (const storage of ['disc', 'disc_only']) {
  test(`${storage}: what is retained is there after a restart, what was cleared is not, in the order of its coming`, async (t) => {
    const store = new MemoryStore()
    const clock = new ManualClock()
    const conf = `module.retainer.storage_type = ${storage}\n`
    const first = await startBroker(t, {}, { store, clock })
    await loadPlugin(first, retainer, conf)
    const client = await first.connect({ clientId: 'dev' })
    const properties = { correlationData: Buffer.from([0, 255]), contentType: 'text/plain' }
    await publishThrough(client, 'b', 'kept', { qos: 2, retain: true, properties })
    clock.advance(10)
    for (const topic of ['a', 'gone']) await retain(client, topic, topic)
    clock.advance(100)
    await retain(client, 'gone', '')
    await first.stop()
    clock.advance(1000)
    const second = await startBroker(t, {}, { store, clock })
    await loadPlugin(second, retainer, conf)
    const reader = await second.connect()
    await subscribe(reader, '#', { qos: 2 })
    const received = await reader.settle()
    assert.deepEqual(
      received.map(({ topic, payload }) => `${topic} ${payload}`),
      ['b kept', 'a a'],
    )
    assert.deepEqual({ ...(received[0].properties as object) }, properties)
    assert.equal(received[0].qos, 2)
  })
}

test('ram: gone with the broker', async (t) => {
  const store = new MemoryStore()
  const first = await startBroker(t, {}, { store })
  await loadPlugin(first, retainer)
  await retain(await first.connect(), 'a', 'x')
  await first.stop()
  const second = await startBroker(t, {}, { store })
  await loadPlugin(second, retainer)
  assert.equal(second.broker.admin.retained.count, 0)
})

test('disc: loading it again in the same run does not bring back what was cleared meanwhile; cleaning reaches the disc', async (t) => {
  const store = new MemoryStore()
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { store, clock })
  const stored = async (): Promise<string[]> => {
    const keys = []
    for await (const [key] of store.namespace('retainer').list('message/')) keys.push(key.slice('message/'.length))
    return keys
  }
  const client = await broker.connect()
  await retain(client, 'before', 'x')
  await loadPlugin(broker, retainer, 'retainer.storage_type = disc\n')
  clock.advance(10)
  await retain(client, 'a', 'x')
  await broker.broker.plugins.unload('retainer')
  assert.deepEqual(await stored(), ['a', 'before'])
  await retain(client, 'a', '')
  await loadPlugin(broker, retainer, 'retainer.storage_type = disc\n')
  assert.equal(held(broker, 'a'), undefined)
  clock.advance(10)
  await command(broker, 'clean')
  await broker.broker.plugins.unload('retainer')
  assert.deepEqual(await stored(), [])
})

test('disc: a store that fails for a while gets everything later', async (t) => {
  const store = new MemoryStore()
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { store, clock })
  await loadPlugin(broker, retainer, 'retainer.storage_type = disc\n')
  clock.advance(1)
  const corner = store.namespace('retainer')
  const client = await broker.connect()
  const failing = t.mock.method(corner, 'put', () => Promise.reject(new Error('disk full')))
  await retain(client, 'a', 'x')
  clock.advance(100)
  await until(() => failing.mock.callCount() > 0, 'a write that fails')
  failing.mock.restore()
  await broker.broker.plugins.unload('retainer')
  assert.ok(await corner.get('message/a'))
})

test('retainer info, topics, clean', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, retainer)
  const client = await broker.connect()
  for (const topic of ['a/1', 'a/2', 'b', '$SYS/x']) await retain(client, topic, 'x')
  assert.deepEqual((await command(broker, 'info'))?.lines, ['retained/total: 4'])
  assert.deepEqual((await command(broker, 'topics'))?.lines, ['a/1', 'a/2', 'b', '$SYS/x'])
  assert.deepEqual((await command(broker, 'topics', '2', '2'))?.lines, ['a/2', 'b'])
  assert.equal((await command(broker, 'topics', '0', '2'))?.exitCode, 2)
  assert.deepEqual((await command(broker, 'clean', 'a/+'))?.lines, ['Cleaned 2 retained messages'])
  assert.equal((await command(broker, 'clean', 'a/#/b'))?.exitCode, 2)
  assert.deepEqual((await command(broker, 'clean'))?.lines, ['Cleaned 2 retained messages'])
  assert.equal(broker.broker.admin.retained.count, 0)
  assert.equal(await command(broker, 'nonsense'), undefined)
  await broker.broker.plugins.unload('retainer')
  assert.ok(broker.broker.admin.commands().every(({ name }) => name !== 'retainer'))
})

test('over HTTP: settings, pages, one message, clearing', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, retainer, 'retainer.max_retained_messages = 10\n')
  const client = await broker.connect({ clientId: 'dev', username: 'ann' })
  for (const topic of ['a/1', 'a/2', 'b']) await retain(client, topic, topic)
  const messages = '/mqtt/retainer/messages'
  const list = async (query: object) =>
    (await call(broker, 'GET', messages, { query })).body as { data: { topic: string }[]; meta: object }
  const page = await list({ page: '2', limit: '2' })
  assert.deepEqual(page.meta, { page: 2, limit: 2, hasnext: false, count: 3 })
  assert.deepEqual(
    page.data.map(({ topic }) => topic),
    ['b'],
  )
  assert.deepEqual((await list({ topic: 'a/+', limit: '1' })).meta, { page: 1, limit: 1, hasnext: true })
  const one = '/mqtt/retainer/message/:topic'
  const { body } = await call(broker, 'GET', one, { params: { topic: 'a/1' } })
  const { payload, from_username: username, qos } = body as Record<string, unknown>
  assert.deepEqual([payload, username, qos], [Buffer.from('a/1').toString('base64'), 'ann', 1])
  assert.equal((await call(broker, 'DELETE', one, { params: { topic: 'a/1' } })).status, 204)
  assert.equal((await call(broker, 'DELETE', one, { params: { topic: 'a/1' } })).status, 404)
  assert.equal((await call(broker, 'GET', one, { params: { topic: 'a/1' } })).status, 404)
  assert.equal((await call(broker, 'DELETE', messages)).status, 204)
  assert.equal(broker.broker.admin.retained.count, 0)

  const settings = await call(broker, 'PUT', '/mqtt/retainer', {
    body: {
      max_payload_size: '1KB',
      msg_expiry_interval: '5m',
      delivery_rate: '10/s',
      backend: { max_retained_messages: 1 },
    },
  })
  assert.deepEqual(settings, await call(broker, 'GET', '/mqtt/retainer'))
  assert.deepEqual(settings.body, {
    enable: true,
    msg_expiry_interval: '300000ms',
    msg_clear_interval: '300000ms',
    max_payload_size: 1024,
    stop_publish_clear_msg: false,
    delivery_rate: '10/s',
    max_publish_rate: 'infinity',
    backend: { type: 'built_in_database', storage_type: 'ram', max_retained_messages: 1 },
  })
  for (const topic of ['a', 'b']) await retain(client, topic, 'x')
  assert.equal(broker.broker.admin.retained.count, 1, 'in force at once')
  const watcher = await broker.connect()
  await subscribe(watcher, '#', { retainHandling: 2 })
  for (const stop of [true, false]) {
    await call(broker, 'PUT', '/mqtt/retainer', { body: { stop_publish_clear_msg: stop } })
    await retain(client, 'a', '')
  }
  assert.equal((await watcher.settle()).length, 1)
  const wrong = await call(broker, 'PUT', '/mqtt/retainer', { body: { max_payload_size: 'big', delivery_rate: {} } })
  assert.equal(wrong.status, 400)
  assert.match(JSON.stringify(wrong.body), /max_payload_size, delivery_rate/)
})

test('settings that were changed over HTTP are kept over a restart', async (t) => {
  const store = new MemoryStore()
  const body = {
    msg_expiry_interval: '2h',
    max_payload_size: '4KB',
    stop_publish_clear_msg: true,
    delivery_rate: '7/s',
    max_publish_rate: '8/s',
    backend: { max_retained_messages: 9 },
  }
  const first = await startBroker(t, {}, { store })
  await loadPlugin(first, retainer)
  const changed = (await call(first, 'PUT', '/mqtt/retainer', { body })).body
  await first.stop()
  const second = await startBroker(t, {}, { store })
  await loadPlugin(second, retainer)
  assert.deepEqual((await call(second, 'GET', '/mqtt/retainer')).body, changed)
  assert.match(JSON.stringify(changed), /"max_payload_size":4096.*"7\/s".*"8\/s".*"max_retained_messages":9/)
})
