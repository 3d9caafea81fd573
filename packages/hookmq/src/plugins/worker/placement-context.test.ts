import assert from 'node:assert/strict'
import { ManualClock } from '../../testing/clock.ts'
import { inBothPlacements, startSubject, until } from './placement.testing.ts'

inBothPlacements('counters, gauges and the time', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'numbers')
  const { broker } = subject
  assert.equal(broker.link.metrics()['plugins.subject.seen'], 0)
  await broker.publish({ topic: 'a' })
  await broker.publish({ topic: 'a' })
  assert.equal(broker.link.metrics()['plugins.subject.seen'], 6)
  assert.deepEqual((await subject.command())?.lines, ['6', '6'])
  await until(() => broker.link.stats()['delayed.count'] === 42, 'the gauge')
  const [{ near }] = (await subject.reported('now')) as { near: boolean }[]
  assert.equal(near, true)
})

inBothPlacements('a clock that the test moves', async (scope, placement) => {
  const clock = new ManualClock()
  const subject = await startSubject(scope, placement, 'clock', { clock })
  const start = clock.now()
  for (let tick = 1; tick <= 3; tick++) {
    await clock.advance(1000)
    await subject.reported('tick', tick)
  }
  assert.deepEqual(subject.reports('tick'), [start + 1000, start + 2000, start + 3000])
})

inBothPlacements('settings, terms and the log', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'settings', {
    config: { limit: '12', wait: '1m', 'user.b.name': 'Bo', 'user.a.name': 'Ann' },
  })
  assert.deepEqual(await subject.reported('settings'), [
    {
      name: 'subject',
      config: { case: 'settings', limit: '12', wait: '1m', 'user.b.name': 'Bo', 'user.a.name': 'Ann' },
      limit: 12,
      wait: 60_000,
      has: [true, false],
      matching: [
        ['user.a.name', 'a'],
        ['user.b.name', 'b'],
      ],
      level: 12,
    },
  ])
  const line = (text: string) => subject.log.find(({ message }) => message === text)
  assert.deepEqual(line('a line'), {
    level: 'info',
    message: 'a line',
    fields: { plugin: 'subject', part: 'one', more: true },
  })
  for (const level of ['debug', 'warn', 'error'] as const) assert.equal(line(`${level} line`)?.level, level)
})

inBothPlacements('the broker: publish, subscribe, clients, kick, metrics', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'link', { options: { node: 'here@127.0.0.1' } })
  const { broker } = subject
  assert.deepEqual(await subject.reported('identity'), [{ node: 'here@127.0.0.1', version: broker.link.version }])
  const client = await subject.connect({ clientId: 'c' })
  assert.deepEqual(await subject.reported('clients'), [{ all: ['c'], same: true, none: true }])
  await client.subscribe('out/#', { qos: 1 })
  assert.deepEqual((await subject.command('publish', 'out/1'))?.lines, ['1'])
  assert.equal((await client.message('out/1')).payload.toString(), 'from the plugin')
  assert.match((await subject.command('bad'))?.lines[0] ?? '', /^TypeError: publish: /)

  await client.publish('in/throw')
  await client.publish('in/1', 'heard', { properties: { contentType: 'text' } })
  const [heard] = (await subject.reported('heard')) as Record<string, unknown>[]
  assert.deepEqual(
    [heard.topic, heard.payload, heard.from, heard.properties],
    ['in/1', 'heard', 'c', { contentType: 'text' }],
  )
  assert.ok(
    subject.log.some(({ level, message }) => level === 'error' && message === 'a subscription of the broker threw'),
  )
  await subject.command('end')
  await client.publish('in/2', '', { qos: 1 })
  assert.deepEqual((await subject.command('numbers'))?.lines, ['number', 'number'])
  assert.equal(subject.reports('heard').length, 1)

  assert.deepEqual((await subject.command('kick', 'c'))?.lines, ['true', 'false'])
  await client.ended
})

inBothPlacements('the admin interface', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'admin')
  const { broker } = subject
  const ask = async (member: string): Promise<unknown> => (await subject.command(member, 'c'))?.json
  assert.deepEqual(await ask('identity'), [broker.admin.node, broker.admin.version, 'number'])
  await subject.connect({ clientId: 'c' })
  assert.deepEqual(await ask('clients'), [['c', true]])
  assert.deepEqual(await ask('subscribe'), ['ok', 'no_session', [['c', 'by/admin', 1]], ['by/admin']])
  const [connected, subscriptions, listener] = (await ask('client')) as [boolean, [string, object][], string]
  assert.deepEqual([connected, subscriptions.map(([filter]) => filter), listener], [true, ['by/admin'], 'link:testing'])
  assert.deepEqual(await ask('onBehalf'), [['on/behalf'], undefined])
  assert.deepEqual(await ask('unsubscribe'), ['ok', 'no_subscription', 'no_session'])
  assert.deepEqual(await ask('publish'), [32, 0, undefined, 'TypeError'])

  await broker.publish({ topic: 'kept/1', payload: 'kept', retain: true })
  assert.deepEqual(await ask('retained'), [
    1,
    'kept',
    true,
    ['kept/1', 'kept/2'],
    [true, false],
    ['kept/1'],
    0,
    undefined,
  ])
  for (let index = 0; index < 700; index++) await broker.publish({ topic: `many/${index}`, payload: 'x', retain: true })
  assert.equal(await ask('many'), 700)

  assert.deepEqual(await ask('listeners'), [[], false, false])
  const absent = { ok: false, error: 'this broker was assembled without plugins by name' }
  assert.deepEqual(await ask('plugins'), [[['subject', true]], absent, absent, absent, []])
  assert.deepEqual(await ask('hooks'), ['core', []])
  assert.deepEqual(await ask('alarms'), [[], []])
  assert.equal(await ask('explain'), 'allow')
  assert.deepEqual(await ask('rules'), [true, true, false, []])
  assert.deepEqual(await ask('numbers'), ['number', 'number'])
  assert.deepEqual(await ask('log'), [broker.admin.logLevel, [], false])
  const [usage, identity] = (await ask('commands')) as [unknown, { json: unknown }]
  assert.deepEqual(usage, [['subject <Member>', 'Use the admin interface']])
  assert.deepEqual(identity.json, [broker.admin.node, broker.admin.version, 'number'])
  assert.deepEqual(await ask('routes'), [1, 'made', { status: 200, body: { user: 'me' } }])
  assert.deepEqual(await ask('kick'), [true, false])
})

inBothPlacements('the store', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'store')
  const list = [['a/1', 'first'], ['a/2', 2], 'a/1']
  assert.deepEqual((await subject.command())?.json, [{ list: [1, 'two', null] }, undefined, list, true, false])
})

inBothPlacements('commands and routes', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'offers')
  const { admin } = subject.broker
  assert.deepEqual(admin.commands()[0].usage, [['subject say <Words>', 'Say them']])
  assert.deepEqual(await subject.command('say', 'a', 'b'), {
    lines: ['a', 'b'],
    json: { words: ['a', 'b'] },
    exitCode: 3,
  })
  assert.equal(await subject.command('what'), undefined)
  await assert.rejects(async () => subject.command('throw'), { message: 'on purpose' })
  const [route] = admin.routes()
  assert.deepEqual(
    [route.method, route.path, route.summary, route.tag, route.bodySchema],
    ['POST', '/subject/:id', 'A route', 'Tests', { type: 'object' }],
  )
  const request = { params: { id: '1' }, query: { a: ['x', 'y'] }, body: { deep: [1, null] }, user: 'me' }
  assert.deepEqual(await route.handle(request), { status: 201, body: request, contentType: 'application/json' })
  await subject.broker.plugins.unload('subject')
  assert.deepEqual([admin.commands(), admin.routes()], [[], []])
})

inBothPlacements('timers tick, and what they throw is logged', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'timers')
  assert.deepEqual(await subject.reported('tick', 3), [1, 2, 3])
  await subject.reported('after')
  const errors = (): string[] =>
    subject.log
      .filter(({ message }) => message === 'a timer threw')
      .map(({ fields }) => String(fields.error).split('\n')[0])
  await until(() => errors().length === 2, 'both errors')
  assert.deepEqual(errors().sort(), ['Error: a tick on purpose', 'Error: later on purpose'])
})

inBothPlacements('a policy for retained messages', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'retained')
  const { broker } = subject
  const keep = (topic: string, payload: string) => broker.publish({ topic, payload, retain: true })
  await keep('short', '1234')
  await keep('long', '12345')
  assert.deepEqual(await subject.reported('changed'), ['short'])
  assert.equal(broker.admin.retained.count, 1)
  broker.admin.retained.clear()
  assert.deepEqual(await subject.reported('changed', 2), ['short', 'all'])
  await subject.command()
  await keep('long', '12345')
  assert.equal(broker.admin.retained.count, 1)
})

inBothPlacements(
  'unload: calls end, the signal aborts, steps run in reverse, nothing is left',
  async (scope, placement) => {
    const subject = await startSubject(scope, placement, 'teardown')
    const { broker } = subject
    const slow = broker.publish({ topic: 'slow' })
    let words = ''
    broker.link.subscribe('torn/down', ({ payload }) => {
      words = payload.toString()
    })
    await broker.plugins.unload('subject')
    await slow
    assert.deepEqual(subject.reports('step'), ['call in flight', 'abort', 'last', 'first, aborted true'])
    assert.equal(words, 'last words')
    assert.ok(subject.log.some(({ message }) => message === 'plugin failed while being unloaded'))
    const left = broker.admin.hooks().flatMap(({ hooks }) => hooks.filter(({ owner }) => owner === 'subject'))
    assert.deepEqual([left, broker.plugins.list()], [[], []])
    assert.equal(await broker.publish({ topic: 'afterwards' }), 0)
  },
)
