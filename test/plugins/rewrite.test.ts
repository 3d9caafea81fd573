import assert from 'node:assert/strict'
import { test } from 'node:test'
import rewrite from '@hookmq/plugin-rewrite'
import { MemoryStore } from '@hookmq/store-memory'
import { payloads, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { loadPlugin, readText } from './load.ts'

/** As the EMQ 2.0 plugin document has it. */
const documented = `[
  {emq_mod_rewrite, [
    {rules, [
      %% {rewrite, Topic, Re, Dest}

      %% Example: x/y/ -> z/y/
      %% {rewrite, "x/#", "^x/y/(.+)$", "z/y/$1"},

      %% {rewrite, "y/+/z/#", "^y/(.+)/z/(.+)$", "y/z/$2"}
    ]}
  ]}
].
`

testVersions(currentVersions, 'PUBLISH, SUBSCRIBE and UNSUBSCRIBE speak of the new topic', async (t, version) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, rewrite, 'module.rewrite.rule.1 = x/# ^x/y/(.+)$ z/y/$1\n')
  const client = await broker.connect({ version, clientId: 'c' })
  assert.deepEqual(await subscribe(client, ['x/y/1', 'z/y/2'], { qos: 1 }), [1, 1])
  assert.deepEqual([...broker.broker.admin.subscriptions()].map(({ filter }) => filter).sort(), ['z/y/1', 'z/y/2'])
  const publisher = await broker.connect({ version })
  await publishThrough(publisher, 'x/y/1', 'one', { qos: 1 })
  await publishThrough(publisher, 'x/y/2', 'two', { qos: 2, retain: true })
  await publishThrough(publisher, 'x/other', 'no')
  const received = await client.settle()
  assert.deepEqual(
    received.map(({ topic, payload }) => `${topic} ${payload}`),
    ['z/y/1 one', 'z/y/2 two'],
  )
  assert.equal(broker.broker.admin.retained.get('z/y/2')?.topic, 'z/y/2', 'retained under the new name')
  await unsubscribe(client, 'x/y/1')
  assert.deepEqual(
    [...broker.broker.admin.subscriptions()].map(({ filter }) => filter),
    ['z/y/2'],
  )
})

test('the rules of the EMQ 2.0 document load as written, and with the comments taken away', async (t) => {
  const broker = await startBroker(t)
  const { terms, warnings } = readText(rewrite, documented, 'conf')
  assert.deepEqual([Object.keys(terms), warnings], [['rules'], []], 'the document calls the file emq_mod_rewrite.conf')
  assert.deepEqual((await loadPlugin(broker, rewrite, documented, 'config')).warnings, [])
  const client = await broker.connect()
  await publishThrough(client, 'x/y/1', 'x', { retain: true })
  assert.ok(broker.broker.admin.retained.get('x/y/1'))
  await broker.broker.plugins.unload('rewrite')
  await loadPlugin(broker, rewrite, documented.replaceAll(/%% (?={rewrite, ")/g, ''), 'config')
  await publishThrough(client, 'x/y/2', 'x', { retain: true })
  await publishThrough(client, 'y/a/z/b', 'x', { retain: true })
  assert.ok(broker.broker.admin.retained.get('z/y/2'))
  assert.ok(broker.broker.admin.retained.get('y/z/b'))
})

test('a .config file is read in the order of 2.x, unless the key says otherwise', async (t) => {
  const broker = await startBroker(t)
  const rules = '{rules, [{rewrite, "a/#", "^a/(.+)$", "first/$1"}, {rewrite, "a/#", "^a/(.+)$", "last/$1"}]}'
  await loadPlugin(broker, rewrite, `[{emq_mod_rewrite, [${rules}]}].`, 'config')
  const client = await broker.connect()
  await publishThrough(client, 'a/1', 'x', { retain: true })
  assert.ok(broker.broker.admin.retained.get('first/1'))
  await broker.broker.plugins.unload('rewrite')
  const { config, terms } = readText(rewrite, `[{emq_mod_rewrite, [${rules}]}].`, 'config')
  await broker.broker.plugins.load(rewrite, { config: { ...config, 'module.rewrite.order': '4.x' }, terms })
  await publishThrough(client, 'a/2', 'x', { retain: true })
  assert.ok(broker.broker.admin.retained.get('last/2'))
})

test('rules of keys: the highest number first, and those of one direction before those of both', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(
    broker,
    rewrite,
    `module.rewrite.rule.2 = a/# ^a/(.+)$ two/$1
module.rewrite.rule.10 = a/# ^a/(.+)$ ten/$1
module.rewrite.rule.11 = b ^b$ both
module.rewrite.pub.rule.11 = b ^b$ pub
module.rewrite.sub.rule.11 = b ^b$ sub
`,
  )
  const client = await broker.connect()
  await publishThrough(client, 'a/1', 'x', { retain: true })
  await publishThrough(client, 'b', 'x', { retain: true })
  await subscribe(client, 'b')
  assert.ok(broker.broker.admin.retained.get('ten/1'))
  assert.ok(broker.broker.admin.retained.get('pub'))
  assert.deepEqual(
    [...broker.broker.admin.subscriptions()].map(({ filter }) => filter),
    ['sub'],
  )
})

test('access is asked for the topic that the client sent; with recheck for the new one too', async (t) => {
  const broker = await startBroker(t)
  const asked: string[] = []
  broker.hook('client.authorize', ({ action, topic }) => {
    asked.push(`${action} ${topic}`)
    return topic.startsWith('z/') ? { stop: { result: 'deny', from: 'test' } } : undefined
  })
  const rule = 'module.rewrite.rule.1 = x/# ^x/y/(.+)$ z/y/$1\n'
  await loadPlugin(broker, rewrite, rule)
  const client = await broker.connect()
  assert.deepEqual(await subscribe(client, 'x/y/1'), [0])
  assert.equal((await publishThrough(client, 'x/y/9', 'x', { qos: 1 }))[0].reasonCode, 0x10)
  assert.deepEqual(asked, ['subscribe x/y/1', 'publish x/y/9'])
  await broker.broker.plugins.unload('rewrite')
  await loadPlugin(broker, rewrite, `${rule}module.rewrite.recheck = on\n`)
  assert.equal((await publishThrough(client, 'x/y/9', 'x', { qos: 1 }))[0].reasonCode, 0x87)
})

test('later hooks and sinks see the new topic', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, rewrite, 'module.rewrite.rule.1 = x/# ^x/(.+)$ z/$1\n')
  const seen: string[] = []
  broker.hook('message.publish', (_args, { topic }) => void seen.push(`970 ${topic}`), { priority: 970 })
  broker.hook('message.publish', (_args, { topic }) => void seen.push(`sink ${topic}`), { phase: 'sink' })
  await publishThrough(await broker.connect(), 'x/1', 'x')
  assert.deepEqual(seen, ['970 z/1', 'sink z/1'])
})

test('a will and a message of the broker are rewritten too, %c being their sender', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, rewrite, 'module.rewrite.rule.1 = w/# ^w/(.+)$ from/%c/$1\n')
  const watcher = await broker.connect()
  await subscribe(watcher, 'from/#')
  const dying = await broker.connect({
    clientId: 'dying',
    will: { topic: 'w/1', payload: Buffer.from('will'), qos: 0, retain: false },
  })
  dying.destroy()
  assert.equal((await watcher.expect('publish')).topic, 'from/dying/1')
  await broker.broker.link.publish({ topic: 'w/2', payload: 'x', from: 'tool' })
  assert.equal((await watcher.expect('publish')).topic, 'from/tool/2')
})

test('a bad rule is left out and named; the others hold', async (t) => {
  const warnings: string[] = []
  const log = { debug() {}, info() {}, warn: (text: string) => warnings.push(text), error() {}, child: () => log }
  const broker = await startBroker(t, { log })
  await loadPlugin(
    broker,
    rewrite,
    'module.rewrite.rule.1 = a ^(a b\nmodule.rewrite.pub.rule.2 = a ^a$ a/#\nmodule.rewrite.rule.3 = c ^c$ d\n',
  )
  assert.equal(warnings.length, 2)
  assert.match(warnings[0], /module\.rewrite\.rule\.1: regular expression \^\(a: column 2: '\(' is never closed/)
  assert.match(warnings[1], /module\.rewrite\.pub\.rule\.2: the destination a\/# is no topic name/)
  await publishThrough(await broker.connect(), 'c', 'x', { retain: true })
  assert.ok(broker.broker.admin.retained.get('d'))
})

test('a rule that is not three words is an error that names the key', async (t) => {
  const broker = await startBroker(t)
  await assert.rejects(
    loadPlugin(broker, rewrite, 'module.rewrite.rule.1 = a b\n'),
    /module\.rewrite\.rule\.1 = a b: expected three words/,
  )
  await assert.rejects(
    loadPlugin(broker, rewrite, '[{emq_mod_rewrite, [{rules, [{rewrite, "a", "b"}]}]}].', 'config'),
    /expected \{rewrite, "filter", "regular expression", "destination"\}/,
  )
})

test('module.rewrite = off, and unloading, leave topics alone', async (t) => {
  const broker = await startBroker(t)
  const rule = 'module.rewrite.rule.1 = a ^a$ b\n'
  await loadPlugin(broker, rewrite, `module.rewrite = off\n${rule}`)
  const client = await broker.connect()
  const watcher = await broker.connect()
  await subscribe(watcher, 'a')
  await publishThrough(client, 'a', 'one', { qos: 1 })
  await broker.broker.plugins.unload('rewrite')
  await loadPlugin(broker, rewrite, rule)
  await publishThrough(client, 'a', 'rewritten', { qos: 1 })
  await broker.broker.plugins.unload('rewrite')
  await publishThrough(client, 'a', 'two', { qos: 1 })
  assert.deepEqual(payloads(await watcher.settle()), ['one', 'two'])
})

test('the rules over HTTP: shown, replaced, refused', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, rewrite, 'module.rewrite.pub.rule.1 = a ^a$ b\n')
  const call = (method: string, body?: unknown) =>
    broker.broker.admin
      .routes()
      .find((route) => route.path === '/mqtt/topic_rewrite' && route.method === method)
      ?.handle({ params: {}, query: {}, body, user: 'admin' })
  const shown = { action: 'publish', source_topic: 'a', dest_topic: 'b', re: '^a$' }
  assert.deepEqual(await call('GET'), { status: 200, body: [shown] })
  const next = { action: 'all', source_topic: 'a', dest_topic: 'c', re: '^a$' }
  assert.deepEqual(await call('PUT', [next]), { status: 200, body: [next] })
  await publishThrough(await broker.connect(), 'a', 'x', { retain: true })
  assert.ok(broker.broker.admin.retained.get('c'))
  for (const wrong of [{}, [1], [{ ...next, action: 'x' }], [{ ...next, re: '(' }], new Array(31).fill(next)]) {
    const answer = await call('PUT', wrong)
    assert.equal(answer?.status, 400)
    assert.match(JSON.stringify(answer?.body), /BAD_REQUEST/)
  }
  assert.deepEqual(await call('GET'), { status: 200, body: [next] })
})

test('rules given over HTTP are kept over a restart, until the file says something else', async (t) => {
  const store = new MemoryStore()
  const rules = { action: 'all', source_topic: 'a', dest_topic: 'c', re: '^a$' }
  const start = async (text: string) => {
    const broker = await startBroker(t, {}, { store })
    await loadPlugin(broker, rewrite, text)
    const call = (method: string, body?: unknown) =>
      broker.broker.admin
        .routes()
        .find((route) => route.path === '/mqtt/topic_rewrite' && route.method === method)
        ?.handle({ params: {}, query: {}, body, user: 'admin' })
    return { call, end: () => broker.stop() }
  }
  const first = await start('module.rewrite.rule.1 = a ^a$ b\n')
  assert.equal((await first.call('PUT', [rules]))?.status, 200)
  await first.end()
  const second = await start('module.rewrite.rule.1 = a ^a$ b\n')
  assert.deepEqual((await second.call('GET'))?.body, [rules])
  await second.end()
  const third = await start('module.rewrite.rule.1 = a ^a$ d\n')
  assert.deepEqual((await third.call('GET'))?.body, [{ ...rules, dest_topic: 'd' }])
  await third.end()
  // Forgotten for good: the old file does not bring them back.
  const fourth = await start('module.rewrite.rule.1 = a ^a$ b\n')
  assert.deepEqual((await fourth.call('GET'))?.body, [{ ...rules, dest_topic: 'b' }])
})
