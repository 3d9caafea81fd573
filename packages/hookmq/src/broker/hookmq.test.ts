import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { TestAuthority } from '@hookmq/api/testing'
import { type CreateBrokerOptions, createBroker, definePlugin, type HookmqBroker, ReasonCode } from 'hookmq'
import mqtt from 'mqtt'
import { openStream } from '../client/stream.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-embedding-'))
after(() => rmSync(folder, { recursive: true }))

async function start(scope: TestContext, options?: CreateBrokerOptions): Promise<HookmqBroker> {
  const broker = await createBroker(options)
  scope.after(() => broker.stop(500))
  await broker.start()
  return broker
}

/** Publishes with a client of somebody else's, acknowledged. */
async function publishFrom(url: string, topic: string, options: mqtt.IClientOptions = {}): Promise<void> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, ...options })
  await client.publishAsync(topic, 'm', { qos: 1 })
  await client.endAsync()
}

function url(broker: HookmqBroker, index = 0): string {
  return `mqtt://${broker.listeners[index].address}`
}

/** The topics that reach the broker. */
function recorded(broker: HookmqBroker): string[] {
  const topics: string[] = []
  broker.subscribe('#', ({ topic }) => void topics.push(topic))
  return topics
}

test('start, publish, subscribe, hook, stop', async (scope) => {
  // An address of its own: nobody else takes its port over when it is free again.
  const broker = await start(scope, { listeners: [{ type: 'tcp', host: '127.0.0.77', port: 0 }] })
  assert.equal(broker.running, true)
  assert.match(broker.listeners[0].address, /^127\.0\.0\.77:\d+$/)
  const got: string[] = []
  const end = broker.subscribe('a/#', ({ topic, payload }) => void got.push(`${topic} ${Buffer.from(payload)}`))
  const handle = broker.hook('message.publish', (_, message) => ({
    ok: { ...message, topic: `${message.topic}/seen` },
  }))
  assert.equal(await broker.publish({ topic: 'a', payload: 'one' }), 1)
  handle.remove()
  await publishFrom(url(broker), 'a/b')
  end()
  assert.equal(await broker.publish({ topic: 'a', payload: 'two' }), 0)
  assert.deepEqual(got, ['a/seen one', 'a/b m'])
  assert.equal(broker.metrics()['messages.received'], 1)
  await broker.stop()
  await broker.stop()
  assert.equal(broker.running, false)
  await assert.rejects(mqtt.connectAsync(url(broker), { reconnectPeriod: 0 }))
})

test('two brokers in one process do not know of each other', async (scope) => {
  const one = await start(scope, { listeners: [{ type: 'tcp' }] })
  const two = await start(scope, { listeners: [{ type: 'tcp' }], allowAnonymous: false })
  const [atOne, atTwo] = [recorded(one), recorded(two)]
  await publishFrom(url(one), 'a')
  await assert.rejects(publishFrom(url(two), 'a'), /Not authorized/)
  await two.publish({ topic: 'b' })
  assert.deepEqual([atOne, atTwo], [['a'], ['b']])
  await one.stop()
  await two.publish({ topic: 'c' })
  assert.deepEqual(atTwo, ['b', 'c'])
})

test('plugins: objects with settings, and files; what they register goes with them', async (scope) => {
  const path = join(folder, 'prefix.ts')
  writeFileSync(
    path,
    `import { definePlugin } from 'hookmq'
export default definePlugin({
  name: 'prefix',
  setup(ctx) {
    ctx.hook('message.publish', (_, m) => ({ ok: { ...m, topic: (ctx.config.prefix ?? 'file') + '/' + m.topic } }))
  },
})`,
  )
  let torn = false
  const counting = definePlugin({
    name: 'counting',
    setup(ctx) {
      const seen = ctx.counter('seen')
      ctx.hook('message.publish', () => seen.add(), { phase: 'sink' })
      ctx.onTeardown(() => {
        torn = true
      })
    },
  })
  const broker = await start(scope, { plugins: [{ plugin: path, config: { prefix: 'set' } }, counting] })
  assert.deepEqual(broker.plugins, ['prefix', 'counting'])
  const topics = recorded(broker)
  await broker.publish({ topic: 'a' })
  assert.equal(await broker.unloadPlugin('prefix'), true)
  assert.equal(await broker.unloadPlugin('prefix'), false)
  await broker.publish({ topic: 'a' })
  assert.equal(broker.metrics()['plugins.counting.seen'], 2)
  await broker.loadPlugin(path)
  await broker.publish({ topic: 'a' })
  assert.deepEqual(topics, ['set/a', 'a', 'file/a'])
  await broker.stop()
  assert.equal(torn, true)
})

test('what cannot be started is told, and leaves nothing behind', async (scope) => {
  await assert.rejects(createBroker({ plugins: [{ name: 'x' } as never] }), { code: 'PLUGIN_INVALID' })
  await assert.rejects(createBroker({ plugins: [join(folder, 'none.ts')] }), { code: 'PLUGIN_NOT_FOUND' })
  await assert.rejects(createBroker({ listeners: [{ type: 'pigeon' } as never] }), /no listener type 'pigeon'/)

  await assert.rejects(
    createBroker({ listeners: [{ type: 'tcp' }, { type: 'tcp' }] }),
    /already is a listener tcp:default/,
  )

  const failing = definePlugin({
    name: 'failing',
    setup() {
      throw new Error('no table')
    },
  })
  const broker = await createBroker({ listeners: [{ type: 'tcp' }], plugins: [failing] })
  await assert.rejects(broker.start(), { code: 'PLUGIN_SETUP', message: 'plugin failing: setup failed: no table' })
  await assert.rejects(broker.start(), { code: 'BROKER_STATE' })

  const first = await start(scope, { listeners: [{ type: 'tcp' }] })
  const port = Number(first.listeners[0].address.split(':')[1])
  const second = await createBroker({
    listeners: [
      { type: 'tcp', name: 'free' },
      { type: 'tcp', name: 'taken', port },
    ],
  })
  await assert.rejects(second.start(), {
    code: 'LISTENER_FAILED',
    message: new RegExp(`tcp:taken: port ${port} .*in use`),
  })
  assert.match(second.listeners[0].address, /:0$/)
  assert.throws(() => second.link(), { code: 'BROKER_STATE' })
})

test('open to other machines only when somebody decided so', async (scope) => {
  const open = { listeners: [{ type: 'tcp', host: '0.0.0.0' }] } as const
  await assert.rejects((await createBroker(open)).start(), { code: 'LISTENER_UNSAFE' })
  const explicit = await start(scope, { ...open, allowAnonymous: true })
  await publishFrom(url(explicit), 'a')
  const guarded = await createBroker(open)
  guarded.hook('client.authenticate', () => undefined)
  scope.after(() => guarded.stop(500))
  await guarded.start()
  await assert.rejects(publishFrom(url(guarded), 'a'), /Not authorized/)
  const local = await start(scope)
  await assert.rejects(local.addListener({ type: 'tcp', host: '0.0.0.0' }), { code: 'LISTENER_UNSAFE' })
  assert.deepEqual(local.listeners, [])
})

test('listeners are added while it runs', async (scope) => {
  const broker = await start(scope)
  const topics = recorded(broker)
  const listener = await broker.addListener({ type: 'ws', name: 'late' })
  assert.equal(listener.id, 'ws:late')
  await publishFrom(`ws://${listener.address}/mqtt`, 'late')
  await assert.rejects(broker.addListener({ type: 'ws', name: 'late' }), /already is a listener ws:late/)
  assert.deepEqual(topics, ['late'])
})

test('it takes connections from net, tls and http servers of the program', async (scope) => {
  const authority = new TestAuthority()
  scope.after(() => authority.remove())
  const { cert, key } = authority.issue('/CN=localhost')
  const broker = await start(scope)
  const topics = recorded(broker)
  const types: string[] = []
  broker.hook('client.connected', ({ connInfo }) => void types.push(`${connInfo.socketType} ${connInfo.listener}`))
  const servers = [
    createServer(),
    createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }),
    createHttpServer((_, response) => response.end('own page')),
  ] as const
  const detach = servers.map((server) => broker.attach(server))
  for (const server of servers) {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    scope.after(() => void server.close())
  }
  const [plain, secure, web] = servers.map((server) => (server.address() as AddressInfo).port)
  await publishFrom(`mqtt://127.0.0.1:${plain}`, 'net')
  await publishFrom(`mqtts://127.0.0.1:${secure}`, 'tls', { ca: readFileSync(authority.ca) })
  await publishFrom(`ws://127.0.0.1:${web}/mqtt`, 'http')
  assert.deepEqual(topics, ['net', 'tls', 'http'])
  assert.deepEqual(types, ['tcp tcp:attached', 'ssl ssl:attached', 'ws ws:attached'])
  assert.equal(await (await fetch(`http://127.0.0.1:${web}`)).text(), 'own page')
  for (const end of detach) end()
  await assert.rejects(
    openStream({ protocol: 'ws', host: '127.0.0.1', port: web, path: '/mqtt' }),
    /Unexpected server response/,
  )
})

test('settings under the names of the file; nothing is read from disk unless asked', async (scope) => {
  const before = process.cwd()
  process.chdir(folder)
  scope.after(() => process.chdir(before))
  const broker = await start(scope, { set: { 'mqtt.max_packet_size': '1KB' } })
  assert.deepEqual([broker.listeners, broker.plugins], [[], []])
  const client = broker.link()
  const { properties } = await client.connect()
  assert.equal(properties.maximumPacketSize, 1024)

  const file = join(folder, 'hookmq.conf')
  writeFileSync(file, 'listener.tcp.external = 127.0.0.1:0\nmqtt.max_packet_size = 2KB\nacl_file = acl.conf\n')
  writeFileSync(join(folder, 'acl.conf'), '{deny, all, publish, ["a"]}.\n')
  const filed = await start(scope, { configFile: file, maxPacketSize: 4096 })
  assert.deepEqual(filed.plugins, ['acl-file'])
  assert.equal(filed.listeners[0].id, 'tcp:external')
  const other = filed.link()
  assert.equal((await other.connect()).properties.maximumPacketSize, 4096)
  await assert.rejects(other.publish('a', '', { qos: 1 }), { reasonCode: ReasonCode.NotAuthorized })
  await assert.rejects(createBroker({ set: { 'no.such.key': '1' } }), /--set no\.such\.key: unknown key/)
})

test('a provider of hooks is loaded before clients are let in, and unloaded with the broker', async (scope) => {
  const broker = await createBroker({ listeners: [] })
  scope.after(() => broker.stop(0))
  const order: string[] = []
  const handle = broker.provider({
    name: 'far',
    async load() {
      await new Promise((resolve) => setTimeout(resolve, 5))
      order.push('loaded')
      return [{ name: 'message.publish' }]
    },
    async call() {
      order.push('asked')
    },
    tell() {},
    async unload() {
      order.push('unloaded')
    },
  })
  assert.equal(handle.status, 'loading')
  await broker.start()
  assert.deepEqual(order, ['loaded'])
  await broker.publish({ topic: 't', payload: Buffer.alloc(0) })
  assert.deepEqual(
    broker.admin.providers().map(({ name, status }) => [name, status]),
    [['far', 'loaded']],
  )
  await handle.detach()
  assert.deepEqual(order, ['loaded', 'asked', 'unloaded'])
})
