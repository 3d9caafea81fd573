import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { type MessageInit, TestBroker, type TestStream } from './client.testing.ts'
import { drop, type Hooks, ok, type ServeOptions, serve, silentLogger, stop } from './index.ts'

async function start(t: TestContext, hooks: Hooks, options: ServeOptions = {}): Promise<TestBroker> {
  const server = await serve(hooks, { listen: 0, logger: silentLogger, signals: false, grace: 200, ...options })
  const broker = new TestBroker(server.address)
  t.after(async () => {
    broker.close()
    await server.close()
  })
  return broker
}

function open(broker: TestBroker): TestStream {
  const stream = broker.open()
  stream.send({ hello: { version: 1, meta: { node: 'test@127.0.0.1' }, timeout: 5000 } })
  return stream
}

const publishEvent = (message: MessageInit, lane = 1) => ({
  lane,
  request: { case: 'messagePublish' as const, value: { message } },
})
const connectedEvent = (clientid: string, lane: number) => ({
  lane,
  request: { case: 'clientConnected' as const, value: { clientinfo: { clientid } } },
})

const message: MessageInit = {
  topic: 'a/b',
  payload: Buffer.from('21'),
  qos: 1,
  from: 'c1',
  timestamp: 1_800_000_000_123n,
  headers: { username: 'ann', protocol: 'mqtt' },
}

for (const version of ['v2', 'v3'] as const)
  test(`${version}: names its hooks with their topics and answers from them`, async (t) => {
    const broker = await start(t, {
      'message.publish': {
        topics: ['a/#'],
        handle: ({ topic, payload, headers, timestamp, from, qos }, { meta }) =>
          ok({ payload: JSON.stringify([topic, Number(payload), headers.username, timestamp, from, qos, meta.node]) }),
      },
      'client.connected'() {},
    })
    const { hooks } = await broker.loaded(version)
    assert.deepEqual(
      hooks.map(({ name, topics }) => [name, topics]),
      [
        ['client.connected', []],
        ['message.publish', ['a/#']],
      ],
    )
    const { type, value } = await broker.publish(version, message)
    assert.equal(type, 0)
    assert.ok(value.case === 'message')
    assert.equal(value.value.topic, 'a/b', 'what a hook leaves out stays')
    assert.equal(value.value.qos, 1)
    assert.equal(Buffer.from(value.value.payload).toString(), '["a/b",21,"ann",1800000000123,"c1",1,"test@127.0.0.1"]')
  })

test('client.subscribe: the QoS of EMQX 5.0 to 5.3, which stands elsewhere, is read as well', async (t) => {
  const seen: unknown[] = []
  const broker = await start(t, {
    'client.subscribe': (_, { topicFilters }) =>
      void seen.push(...topicFilters.map(({ name, subopts }) => [name, subopts?.qos, subopts?.nl])),
  })
  // topic_filters: { name: 'a', qos: 2 } of 5.0, { name: 'b', subopts: { qos: 1, nl: 1 } } of 5.4, { name: 'c' } with QoS 0 of either.
  const filters = [
    [0x0a, 1, 0x61, 0x10, 2],
    [0x0a, 1, 0x62, 0x1a, 4, 0x08, 1, 0x28, 1],
    [0x0a, 1, 0x63],
  ]
  const request = Buffer.from(filters.flatMap((filter) => [0x1a, filter.length, ...filter]))
  await broker.unary('/emqx.exhook.v2.HookProvider/OnClientSubscribe', request)
  assert.deepEqual(seen, [
    ['a', 2, 0],
    ['b', 1, 1],
    ['c', undefined, undefined],
  ])
})

test('nothing is IGNORE, drop ends with allow_publish false', async (t) => {
  const broker = await start(t, { 'message.publish': ({ topic }) => (topic === 'secret' ? drop() : undefined) })
  assert.equal((await broker.publish('v3', message)).type, 1)
  const { type, value } = await broker.publish('v3', { ...message, topic: 'secret' })
  assert.equal(type, 2)
  assert.deepEqual(value.case === 'message' && value.value.headers, { allow_publish: 'false' })
})

test('an unknown hook, topics in the wrong place and a bad address are named', async () => {
  const unknown = { 'message.publsh'() {} } as Hooks
  await assert.rejects(serve(unknown, { listen: 0 }), /'message\.publsh' is no hook; did you mean 'message\.publish'\?/)
  const topics = { 'client.connected': { topics: ['a'], handle() {} } } as unknown as Hooks
  await assert.rejects(serve(topics, { listen: 0 }), /'client\.connected': only the hooks message\.\* take topics/)
  await assert.rejects(serve({}, { listen: 'nowhere' }), /listen: expected a port or 'host:port', got "nowhere"/)
})

test('a verdict of the wrong kind and a hook that throws fail the call, by name', async (t) => {
  const errors: string[] = []
  const logger = { ...silentLogger, error: (text: string) => void errors.push(text) }
  const hooks = {
    'message.publish': ({ topic }: { topic: string }) => {
      if (topic === 'throw') throw new Error('no database')
      return ok(topic === 'qos' ? { qos: 3 } : true)
    },
  } as unknown as Hooks
  const broker = await start(t, hooks, { logger })
  await assert.rejects(broker.publish('v3', message), /'message\.publish' answered true; expected ok\(\{ topic\?/)
  await assert.rejects(broker.publish('v3', { topic: 'qos' }), /answered qos: 3/)
  await assert.rejects(broker.publish('v3', { topic: 'throw' }), { code: 2, details: 'no database' })
  assert.equal(errors.length, 3)
  // What was half written is not left in the next answer.
  await assert.rejects(broker.publish('v3', { topic: 'throw' }), { details: 'no database' })
})

test('the stream: done as ranges, verdicts, errors, each event finished once and granted again', async (t) => {
  const broker = await start(t, {
    'message.publish': ({ topic }) => {
      if (topic === 'throw') throw new Error('no database')
      if (topic === 'late') return new Promise((resolve) => setTimeout(() => resolve(stop({ topic: 'x' })), 5))
      return topic === 'change' ? ok({ topic: 'y' }) : undefined
    },
  })
  const stream = open(broker)
  await stream.until(() => stream.frames.length > 0)
  assert.equal(stream.frames[0].hello?.version, 1)
  assert.equal(stream.frames[0].hello?.grant, 4096)
  const topics = ['late', 'a', 'b', 'change', 'c', 'throw', 'd', 'e']
  stream.send({ first: 1n, events: topics.slice(0, 5).map((topic) => publishEvent({ topic })) })
  stream.send({ first: 6n, events: topics.slice(5).map((topic) => publishEvent({ topic })) })
  await stream.until(() => stream.finished.length === topics.length)
  assert.deepEqual([...stream.finished].sort(), [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n])
  assert.equal(stream.granted, 4096 + 8)
  assert.ok(stream.frames[1].done.some(({ first, count }) => first === 2n && count === 2))
  const verdicts = new Map(stream.frames.flatMap((frame) => frame.verdicts.map((verdict) => [verdict.id, verdict])))
  const topicOf = (id: bigint) => {
    const value = verdicts.get(id)?.response?.value
    return value?.case === 'message' ? value.value.topic : undefined
  }
  assert.deepEqual([topicOf(1n), topicOf(4n)], ['x', 'y'])
  assert.equal(verdicts.get(6n)?.error?.message, 'no database')
  stream.call.end()
  await stream.until(() => stream.ended !== undefined)
  assert.equal(stream.ended?.code, 0)
})

test('the stream: notifications of a lane one after the other, other lanes and valued events go on', async (t) => {
  const began: string[] = []
  const release: (() => void)[] = []
  const broker = await start(t, {
    'client.connected': async ({ clientid }) => {
      began.push(clientid)
      await new Promise<void>((resolve) => release.push(resolve))
    },
    'message.publish': ({ topic }) => void began.push(topic),
  })
  const stream = open(broker)
  const events = [
    connectedEvent('one', 7),
    connectedEvent('two', 7),
    connectedEvent('other', 8),
    publishEvent({ topic: 't' }, 7),
  ]
  stream.send({ first: 1n, events })
  await stream.until(() => stream.finished.length === 1)
  assert.deepEqual(began, ['one', 'other', 't'])
  for (const next of release.splice(0)) next()
  await stream.until(() => stream.finished.length === 3)
  assert.deepEqual(began, ['one', 'other', 't', 'two'])
  for (const next of release.splice(0)) next()
  await stream.until(() => stream.finished.length === 4)
})

test('the stream: what is cancelled holds up nothing, and is left out if it has not begun', async (t) => {
  const began: string[] = []
  const broker = await start(t, {
    'client.connected': ({ clientid }) => {
      began.push(clientid)
      return clientid === 'hangs' ? new Promise<void>(() => {}) : undefined
    },
  })
  const stream = open(broker)
  stream.send({ first: 1n, events: ['hangs', 'left out', 'next'].map((clientid) => connectedEvent(clientid, 7)) })
  stream.send({ cancelled: [2n] })
  await stream.until(() => stream.finished.length === 1)
  assert.deepEqual(began, ['hangs'])
  stream.send({ cancelled: [1n] })
  await stream.until(() => stream.finished.length === 2)
  assert.deepEqual(began, ['hangs', 'next'])
})

test('the stream: a gap in the ids and broken bytes end it with the reason', async (t) => {
  const broker = await start(t, { 'message.publish'() {} })
  const gap = open(broker)
  gap.send({ first: 5n, events: [publishEvent({ topic: 'a' })] })
  await gap.until(() => gap.ended !== undefined)
  assert.match(gap.ended?.details ?? '', /expected the event 1 next, got 5/)
  const broken = open(broker)
  broken.call.write(Buffer.from([0x1a, 0x7f]))
  await broken.until(() => broken.ended !== undefined)
  assert.match(broken.ended?.details ?? '', /no protobuf message/)
})

test('health is served', async (t) => {
  const broker = await start(t, {})
  assert.deepEqual(await broker.unary('/grpc.health.v1.Health/Check', new Uint8Array()), Buffer.from([8, 1]))
})

test('SIGTERM: the stream is told, what runs is finished, then the process ends', async (t) => {
  const source = `
    import { ok, serve } from ${JSON.stringify(import.meta.resolve('./index.ts'))}
    const later = () => new Promise((resolve) => setTimeout(() => resolve(ok({ topic: 'z' })), 300))
    const { address } = await serve({ 'message.publish': later }, { listen: 0 })
    process.send(address)
  `
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout?.on('data', (text) => {
    output += text
  })
  const [address] = (await once(child, 'message')) as [string]
  const broker = new TestBroker(address)
  t.after(() => broker.close())
  await broker.loaded()
  const stream = open(broker)
  stream.send({ first: 1n, events: [publishEvent({ topic: 'a' })] })
  const unary = broker.publish('v3', message)
  await stream.until(() => stream.frames.length > 0)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await stream.until(() => stream.frames.some(({ closing }) => closing))
  stream.call.end()
  await stream.until(() => stream.ended !== undefined)
  assert.deepEqual(stream.finished, [1n])
  assert.equal((await unary).value.case, 'message')
  assert.deepEqual(await exited, [0, null])
  assert.match(output, /test@127\.0\.0\.1 \(Test 1\.0\) loaded this provider: message\.publish/)
})
