import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Message, Verdict } from '@hookmq/api'
import type { BrokerParts } from '../../broker/hookmq.ts'
import { startOperated } from '../../testing/operator.ts'
import type { RecordedEvent, RecordHeader } from './format.ts'
import type { Fetched, RecordingOptions } from './recorder.ts'

const usual: RecordingOptions = { payloads: false, passwords: false, limit: 1000, limitBytes: 1_000_000 }

/** A broker with a plugin, and the command that the tool speaks to. */
async function start(t: TestContext, setup?: BrokerParts['plugins'][number]['plugin']['setup']) {
  const plugins = setup === undefined ? [] : [{ plugin: { name: 'under-test', setup } }]
  const operated = await startOperated(t, '4.x', { plugins })
  const ask = async (...words: string[]) => {
    const { json, exitCode } = await operated.run('hook-recording', ...words)
    return { json, exitCode }
  }
  return {
    ...operated,
    ask,
    async begin(options: Partial<RecordingOptions> = {}): Promise<RecordHeader> {
      const { json, exitCode } = await ask('start', JSON.stringify({ ...usual, ...options }))
      assert.equal(exitCode, 0)
      return (json as { header: RecordHeader }).header
    },
    fetch: async () => (await ask('fetch')).json as Fetched,
    end: async () => (await ask('stop')).json as Fetched,
    hooks: () => operated.broker.admin.hooks().flatMap(({ hooks }) => hooks.filter(({ owner }) => owner === 'record')),
  }
}

function of(events: readonly RecordedEvent[], hook: string): RecordedEvent[] {
  return events.filter((event) => event.hook === hook)
}

test('what happens to a client is recorded in the form of v3, with verdicts; passwords and payloads are masked', async (t) => {
  const { begin, end, connect, broker } = await start(t, (ctx) => {
    ctx.hook('client.authenticate', ({ client }) =>
      client.username === 'eve' ? { stop: { result: 'deny', reasonCode: 0x86 } } : undefined,
    )
    ctx.hook('client.authorize', ({ topic }) =>
      topic === 'secret' ? { stop: { result: 'deny', from: 'test' } } : undefined,
    )
    ctx.hook(
      'message.publish',
      async (_: unknown, message: Message): Promise<Verdict<Message>> =>
        message.topic === 'a' ? { ok: { ...message, topic: 'b', payload: Buffer.from('changed!') } } : undefined,
      { recheck: false },
    )
    ctx.hook('message.publish', (_, { topic }) =>
      topic === 'no' ? { reject: 0x97 } : topic === 'off' ? 'stop' : undefined,
    )
  })
  const header = await begin()
  assert.deepEqual(
    [header.source, header.payloads, header.passwords, header.hooks.length],
    ['broker', 'masked', 'masked', 19],
  )
  const client = await connect('ann-1', { username: 'ann', password: 'pss-word', protocolVersion: 5 })
  await client.subscribe('b')
  await client.publish('a', 'hello', { qos: 1 })
  await client.publish('plain', 'hello', { qos: 1 })
  await assert.rejects(client.publish('no', 'hello', { qos: 1 }))
  await assert.rejects(client.publish('secret', 'hello', { qos: 1 }))
  await assert.rejects(connect('eve-1', { username: 'eve', password: 'pss-word' }))
  broker.publish({ topic: '$SYS/own', payload: 'x' })
  await client.close()
  const { events, dropped } = await end()
  assert.equal(dropped, 0)
  assert.ok(!JSON.stringify(events).includes('pss-word') && !JSON.stringify(events).includes('hello'))
  assert.ok(!JSON.stringify(events).includes(Buffer.from('hello').toString('base64')))
  const numbers = events.map(({ seq }) => seq)
  assert.deepEqual(
    numbers,
    numbers.toSorted((one, other) => one - other),
  )
  assert.ok(events.every(({ at }, index) => index === 0 || at >= events[index - 1].at))

  const [login, refused] = of(events, 'client.authenticate')
  assert.deepEqual(login.request.clientinfo, {
    ...(login.request.clientinfo as object),
    clientid: 'ann-1',
    username: 'ann',
    password: '******',
  })
  assert.deepEqual([login.masked, login.verdict, login.request.result], [{ password: true }, { result: 'allow' }, true])
  assert.deepEqual(refused.verdict, { result: 'deny', code: 0x86 })
  const publishes = of(events, 'message.publish').map(({ request, verdict, masked }) => [
    (request.message as { topic: string }).topic,
    verdict,
    masked,
  ])
  assert.deepEqual(publishes, [
    ['a', { result: 'change', topic: 'b', qos: 1, payload_bytes: 8 }, { payload: 5 }],
    ['plain', { result: 'pass' }, { payload: 5 }],
    ['no', { result: 'reject', code: 0x97 }, { payload: 5 }],
  ])
  assert.deepEqual(
    of(events, 'client.authorize').map(({ request, verdict }) => [request.topic, verdict?.result]),
    [
      ['b', 'allow'],
      ['a', 'allow'],
      ['plain', 'allow'],
      ['no', 'allow'],
      ['secret', 'deny'],
    ],
  )
  assert.deepEqual(of(events, 'message.delivered').length, 1)
  assert.deepEqual(
    of(events, 'client.disconnected').map(({ verdict }) => verdict),
    [undefined],
  )
  for (const hook of [
    'client.connect',
    'client.connack',
    'session.created',
    'client.connected',
    'client.subscribe',
    'session.subscribed',
    'message.dropped',
    'session.terminated',
  ])
    assert.ok(of(events, hook).length > 0, hook)
})

test('payloads and passwords are kept when they are asked for; only the hooks that are asked for', async (t) => {
  const { begin, end, connect } = await start(t)
  const header = await begin({ payloads: true, passwords: true, hooks: ['client.authenticate', 'message.publish'] })
  assert.deepEqual(header.hooks, ['client.authenticate', 'message.publish'])
  const client = await connect('c', { username: 'ann', password: 'pss-word' })
  await client.publish('a', 'hello', { qos: 1 })
  const { events } = await end()
  assert.deepEqual(
    events.map(({ hook, masked }) => [hook, masked]),
    [
      ['client.authenticate', undefined],
      ['message.publish', undefined],
    ],
  )
  assert.equal((events[0].request.clientinfo as { password: string }).password, 'pss-word')
  assert.equal((events[1].request.message as { payload: string }).payload, Buffer.from('hello').toString('base64'))
})

test('what does not fit is dropped and counted; fetching makes room', async (t) => {
  const { begin, fetch, end, broker } = await start(t)
  await begin({ limit: 3, hooks: ['message.publish'] })
  for (let index = 0; index < 5; index++) await broker.publish({ topic: `t/${index}` })
  const first = await fetch()
  assert.deepEqual([first.events.map(({ seq }) => seq), first.dropped, first.waiting], [[1, 2, 3], 2, 0])
  await broker.publish({ topic: 't/5' })
  const last = await end()
  assert.deepEqual([last.events.map(({ seq }) => seq), last.dropped], [[6], 2])
  await begin({ limitBytes: 10, hooks: ['message.publish'] })
  for (const payload of ['12345678', '123', '12']) await broker.publish({ topic: 'a', payload })
  const bytes = await end()
  assert.deepEqual([bytes.events.map(({ seq }) => seq), bytes.dropped], [[1, 3], 1])
})

test('an event waits for its verdict, and those behind it for their turn; at the end it is written as unanswered', async (t) => {
  const held: ((verdict: undefined) => void)[] = []
  const { begin, fetch, end, broker } = await start(t, (ctx) => {
    ctx.hook('message.publish', (_, { topic }) =>
      topic === 'slow' ? new Promise<undefined>((resolve) => held.push(resolve)) : undefined,
    )
  })
  await begin({ hooks: ['message.publish'] })
  const slow = broker.publish({ topic: 'slow' })
  await broker.publish({ topic: 'quick' })
  assert.deepEqual([(await fetch()).events.length, (await fetch()).waiting], [0, 2])
  held[0](undefined)
  await slow
  assert.deepEqual(
    (await fetch()).events.map(({ verdict }) => verdict?.result),
    ['pass', 'pass'],
  )
  const other = broker.publish({ topic: 'slow' })
  assert.deepEqual(
    (await end()).events.map(({ verdict, took }) => [verdict?.result, took]),
    [['unanswered', undefined]],
  )
  held[1](undefined)
  await other
})

test('one recording at a time; hooks are there only while it lasts, and it ends when nobody fetches', async (t) => {
  const { begin, ask, end, hooks, broker, connect } = await start(t)
  assert.deepEqual(hooks(), [])
  assert.equal((await ask('fetch')).exitCode, 1)
  await begin()
  assert.equal(hooks().length, 19)
  assert.deepEqual(await ask('start', JSON.stringify(usual)), { exitCode: 1, json: { error: 'already_recording' } })
  await end()
  assert.deepEqual(hooks(), [])
  await begin({ abandonedAfter: 20 })
  assert.equal(hooks().length, 19)
  while (hooks().length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal((await ask('fetch')).exitCode, 1)
  const client = await connect('after')
  await client.publish('a', 'x', { qos: 1 })
  assert.ok(broker.running)
})

test('only hooks in front of the providers decide unseen: what they decide is not recorded', async (t) => {
  const { begin, end, connect } = await start(t, (ctx) => {
    ctx.authenticator({ name: 'all', authenticate: () => ({ result: 'allow' }) })
  })
  await begin({ hooks: ['client.authenticate', 'client.connected'] })
  await connect('c')
  assert.deepEqual(
    (await end()).events.map(({ hook }) => hook),
    ['client.connected'],
  )
})
