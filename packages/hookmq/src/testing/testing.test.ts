import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin } from '@hookmq/api'
import { ManualClock, MemoryStore, ReasonCode, startTestBroker } from 'hookmq/testing'

const ticking = definePlugin({
  name: 'ticking',
  config: {
    'ticking.interval': { type: 'duration', unit: 's', default: '10s', description: 'Between two ticks.' },
    'ticking.file': { type: 'path', description: 'A path.' },
  },
  setup(ctx) {
    let ticks = 0
    ctx.every(ctx.settings.duration('ticking.interval'), () =>
      ctx.broker.publish({ topic: 'tick', payload: `${++ticks}` }),
    )
    ctx.after(1000, () => {
      ctx.after(1000, () => ctx.log.info('two seconds', { now: ctx.now() }))
    })
    ctx.command({
      name: 'ticks',
      usage: [['ticks count', 'How many']],
      run: (args) => (args[0] === 'count' ? { lines: [String(ticks)] } : undefined),
    })
    ctx.route({
      method: 'GET',
      path: '/ticks/:name',
      summary: 'Ticks',
      handle: ({ params, query, user }) => ({ status: 200, body: { ...params, ...query, user, ticks } }),
    })
  },
})

test('a client gets what is published, acknowledged, without a socket', async (t) => {
  const broker = await startTestBroker(t)
  const [ann, bob] = [await broker.connect({ clientId: 'ann' }), await broker.connect({ protocolVersion: 4 })]
  await ann.subscribe('a/#', { qos: 1 })
  await bob.publish('a/1', 'one', { qos: 2 })
  await bob.publish('a/2', 'two', { qos: 1 })
  assert.equal(String((await ann.message('a/2')).payload), 'two')
  assert.equal(String((await ann.message()).payload), 'one')
  assert.deepEqual(await ann.untaken(), [])
  assert.equal(await broker.publish({ topic: 'a/3', payload: 'three' }), 1)
  assert.deepEqual(
    (await ann.untaken()).map(({ topic }) => topic),
    ['a/3'],
  )
  assert.equal(ann.messages.length, 3)
  assert.deepEqual(
    bob.packets.map(({ type }) => type),
    ['connack', 'pubrec', 'pubcomp', 'puback'],
  )
  await ann.close()
  assert.equal((await broker.event('client.disconnected')).args.reason, 'normal')
})

test('waiting for what cannot come says so', async (t) => {
  const broker = await startTestBroker(t)
  const client = await broker.connect({ clientId: 'gone' })
  const waiting = assert.rejects(client.message('a'), /a message on 'a' for gone will not come: the connection ended/)
  client.destroy()
  await waiting
  assert.equal((await broker.event('client.disconnected')).args.reason, 'tcp_closed')
})

test('time stands still until it is moved: timers of plugins, chained timers, keep alive', async (t) => {
  const broker = await startTestBroker(t, { plugins: [ticking], clock: new ManualClock(5000) })
  const client = await broker.connect()
  await client.subscribe('tick')
  await broker.settle()
  assert.deepEqual(await client.untaken(), [])
  await broker.advance(35_000)
  const ticks = (await client.untaken()).map(({ payload }) => String(payload))
  assert.deepEqual(ticks, ['1', '2', '3'])
  const line = broker.log.find(({ message }) => message === 'two seconds')
  assert.deepEqual(line, { level: 'info', message: 'two seconds', fields: { plugin: 'ticking', now: 7000 } })

  const silent = await broker.connect({ clientId: 'silent', keepAlive: 60 })
  await broker.advance(80_000)
  assert.equal(broker.link.client('silent')?.clientId, 'silent')
  await broker.advance(20_000)
  assert.equal((await silent.ended).reasonCode, ReasonCode.KeepAliveTimeout)
})

test('settings are read as a file is: lines or keys, defaults, errors with their place', async (t) => {
  const broker = await startTestBroker(t, { plugins: [{ plugin: ticking, conf: '# fast\nticking.interval = 1\n' }] })
  await broker.advance(3000)
  assert.deepEqual((await broker.ctl('ticks count')).lines, ['3'])
  await broker.reload(ticking, { 'ticking.interval': '500ms' })
  await broker.advance(3000)
  assert.deepEqual((await broker.ctl('ticks count')).lines, ['6'])
  await assert.rejects(broker.reload(ticking, '\nticking.interval = soon'), /ticking\.conf:2.*expected a duration/)
  await broker.reload(ticking, 'ticking.intervall = 3')
  assert.match(broker.log.filter(({ level }) => level === 'warn')[0].message, /did you mean ticking\.interval\?/)
})

test('commands and endpoints come and go with their plugin', async (t) => {
  const broker = await startTestBroker(t, { plugins: [ticking] })
  assert.deepEqual(await broker.ctl('ticks'), { lines: ['ticks count'], exitCode: 2 })
  const { status, body } = await broker.request('GET', '/ticks/a%20b?x=1', { user: 'ann' })
  assert.deepEqual([status, body], [200, { name: 'a b', x: '1', user: 'ann', ticks: 0 }])
  assert.equal(await broker.unload('ticking'), true)
  assert.equal(await broker.unload('ticking'), false)
  await assert.rejects(broker.ctl('ticks count'), /there is no command 'ticks'/)
  await assert.rejects(broker.request('GET', '/ticks/a'), /there is no endpoint GET \/ticks\/a/)
})

test('a refused client has the reason code; hooks of the test and events are seen', async (t) => {
  const broker = await startTestBroker(t, { allowAnonymous: false })
  await assert.rejects(broker.connect(), { code: 'CONNECT_REFUSED', reasonCode: ReasonCode.NotAuthorized })
  broker.hook('client.authenticate', () => ({ stop: { result: 'allow' } }))
  const client = await broker.connect({ username: 'ann' })
  const connected = await broker.event('client.connected', ({ args }) => args.client.username === 'ann')
  assert.equal(connected.args.client.clientId, client.clientId)
  await client.publish('nobody/listens', 'x', { qos: 1 })
  const dropped = await broker.event('message.dropped')
  assert.equal(dropped.args.reason, 'no_subscribers')
  const points = broker.events.map(({ point }) => point)
  assert.ok(points.indexOf('client.connect') < points.indexOf('client.connected'))
  assert.equal((await broker.event('message.publish')).accumulator.topic, 'nobody/listens')
})

test('a store that outlives its broker is a restart', async (t) => {
  const keeping = definePlugin({
    name: 'keeping',
    async setup(ctx) {
      const starts = Number((await ctx.store.get('starts')) ?? 0) + 1
      await ctx.store.put('starts', starts)
      ctx.log.info(`start ${starts}`)
    },
  })
  const store = new MemoryStore()
  await (await startTestBroker({ store, plugins: [keeping] })).stop()
  const second = await startTestBroker(t, { store, plugins: [keeping] })
  assert.ok(second.log.some(({ message }) => message === 'start 2'))
})

test('a plugin that fails to start leaves no broker behind; `await using` ends one', async () => {
  const failing = definePlugin({
    name: 'failing',
    setup() {
      throw new Error('no table')
    },
  })
  await assert.rejects(startTestBroker({ plugins: [failing] }), /no table/)
  let ended = false
  {
    await using broker = await startTestBroker()
    await broker.load(
      definePlugin({
        name: 'ending',
        setup: (ctx) =>
          ctx.onTeardown(() => {
            ended = true
          }),
      }),
    )
  }
  assert.equal(ended, true)
})
