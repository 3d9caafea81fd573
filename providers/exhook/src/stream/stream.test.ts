import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createBroker, type HookmqBroker } from 'hookmq'
import mqtt from 'mqtt'
import exhook from '../index.ts'
import { startManaged, until } from '../testing/managed.ts'
import { FarEnd, type FarReport, type FarScript } from './far-end.testing.ts'

const publishHook = [{ name: 'message.publish' }]

async function far(t: TestContext, script: FarScript): Promise<FarEnd> {
  const end = await FarEnd.start(script)
  t.after(() => end.kill())
  return end
}

async function start(t: TestContext, url: string, config: Record<string, string> = {}): Promise<HookmqBroker> {
  const settings = { url, request_timeout: '5s', ...config }
  const broker = await createBroker({
    listeners: [{ type: 'tcp' }],
    plugins: [
      {
        plugin: exhook,
        config: Object.fromEntries(Object.entries(settings).map(([key, value]) => [`exhook.server.far.${key}`, value])),
      },
    ],
  })
  await broker.start()
  t.after(() => broker.stop(500))
  return broker
}

async function connect(t: TestContext, broker: HookmqBroker, clientId: string): Promise<mqtt.MqttClient> {
  const url = `mqtt://${broker.listeners[0].address}`
  const client = await mqtt.connectAsync(url, { clientId, protocolVersion: 5, reconnectPeriod: 0 })
  t.after(() => void client.end(true))
  return client
}

/** Waits until the provider is asked. */
async function asked(client: mqtt.MqttClient, end: FarEnd): Promise<void> {
  await end.until(({ loads }) => loads > 0)
  for (let before = -1; before !== (await count(end)); ) {
    before = await count(end)
    await client.publishAsync('probe', '', { qos: 1 })
  }
  async function count(one: FarEnd): Promise<number> {
    const { received } = await one.ask()
    return received.length > 0 ? 0 : -1
  }
}

function topics({ received }: FarReport): string[] {
  return received.flatMap(({ topic }) => (topic === undefined || topic === 'probe' ? [] : [topic]))
}

test('a provider without the stream is asked call by call; one that must have it is not used', async (t) => {
  const end = await far(t, { hooks: publishHook, answers: { 'message.publish': { do: 'drop' } }, stream: false })
  const broker = await start(t, end.url)
  const client = await connect(t, broker, 'one')
  await end.until(({ loads }) => loads === 1)
  await client.publishAsync('t', 'x', { qos: 1 })
  assert.deepEqual(topics(await end.until(({ received }) => received.length > 0)), ['t'])

  const other = await start(t, end.url, { stream: 'on', auto_reconnect: 'false' })
  const second = await connect(t, other, 'two')
  await end.until(({ loads }) => loads === 2)
  await second.publishAsync('never', 'x', { qos: 1 })
  assert.deepEqual(topics(await end.ask()), ['t'])
})

test('a provider that shuts down: what it has is answered, nothing comes twice, and it is asked again when it is back', async (t) => {
  const script = { hooks: publishHook, answers: { 'message.publish': { do: 'delay', milliseconds: 20 } } } as const
  const first = await far(t, script)
  const broker = await start(t, first.url, { failed_action: 'ignore' })
  const got: string[] = []
  broker.subscribe('#', ({ topic }) => void got.push(topic))
  const client = await connect(t, broker, 'one')
  await asked(client, first)
  const sent: Promise<unknown>[] = []
  const publish = (count: number) => {
    for (let index = 0; index < count; index++) sent.push(client.publishAsync(`m/${sent.length}`, 'x', { qos: 1 }))
  }
  publish(30)
  await first.until(({ received }) => received.length > 5)
  const before = first.ask()
  const closed = first.close()
  publish(30)
  await Promise.all(sent)
  await closed
  const seen = topics(await before)
  assert.equal(new Set(seen).size, seen.length, 'no event came twice')
  const messages = () => got.filter((topic) => topic !== 'probe')
  assert.deepEqual(
    messages(),
    Array.from({ length: 60 }, (_, index) => `m/${index}`),
    'all messages, in order',
  )
  const second = await far(t, { ...script, listen: first.port })
  for (;;) {
    await client.publishAsync('again', 'x', { qos: 1 })
    if ((await second.ask()).received.length > 0) break
  }
})

test('a provider that is killed in the middle of its batches: each event at most once, each message once and in order', async (t) => {
  const script = { hooks: publishHook, answers: { 'message.publish': { do: 'hold' } } } as const
  const first = await far(t, script)
  const broker = await start(t, first.url, { failed_action: 'ignore' })
  const got: string[] = []
  broker.subscribe('m/#', ({ topic }) => void got.push(topic))
  const clients = await Promise.all(['a', 'b', 'c'].map((name) => connect(t, broker, name)))
  await first.until(({ loads }) => loads > 0)
  const sent: Promise<unknown>[] = []
  for (let index = 0; index < 20; index++)
    for (const [number, client] of clients.entries())
      sent.push(client.publishAsync(`m/${number}/${index}`, 'x', { qos: 1 }))
  const report = await first.until(({ held }) => held === 60)
  assert.equal(got.length, 0)
  await first.kill()
  await Promise.all(sent)
  assert.equal(new Set(topics(report)).size, 60)
  assert.equal(got.length, 60, 'failed calls let messages pass')
  for (const number of clients.keys())
    assert.deepEqual(
      got.filter((topic) => topic.startsWith(`m/${number}/`)),
      Array.from({ length: 20 }, (_, index) => `m/${number}/${index}`),
    )
})

test('a slow provider is sent no more than it granted; what is too much fails under the policy', async (t) => {
  const script = { hooks: publishHook, answers: { 'message.publish': { do: 'hold' } }, window: 10 } as const
  const end = await far(t, script)
  const config = { 'stream.max_waiting': '5', 'hook.message.publish.failed_action': 'deny', 'breaker.failures': '0' }
  const broker = await start(t, end.url, config)
  const client = await connect(t, broker, 'one')
  await end.until(({ loads }) => loads > 0)
  const answers = Array.from({ length: 40 }, (_, index) =>
    client.publishAsync(`m/${index}`, 'x', { qos: 1 }).then(
      () => 'published',
      () => 'refused',
    ),
  )
  assert.equal((await end.until(({ held }) => held === 10)).received.length, 10)
  // Those that found no room are refused, but their answers keep their place behind those that wait.
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal((await end.ask()).received.length, 10, 'not one more than it granted')
  await end.ask('release')
  const outcomes = await Promise.all(answers)
  assert.deepEqual(outcomes, [...Array(15).fill('published'), ...Array(25).fill('refused')])
  assert.equal((await end.ask()).received.length, 15)
})

test('notifications follow each other closely: the provider handles them in order, and nobody is held up', async (t) => {
  const hooks = [
    'client.connected',
    'session.created',
    'session.subscribed',
    'client.disconnected',
    'session.terminated',
  ]
  const answers = { 'session.created': { do: 'hold' } } as const
  const end = await far(t, { hooks: hooks.map((name) => ({ name })), answers })
  const broker = await start(t, end.url, { stream: 'on' })
  await end.until(({ loads }) => loads > 0)
  const url = `mqtt://${broker.listeners[0].address}`
  for (const clientId of ['one', 'two']) {
    const client = await mqtt.connectAsync(url, { clientId, reconnectPeriod: 0 })
    await client.subscribeAsync('a/b')
    await client.endAsync()
  }
  await end.until(({ held }) => held === 2)
  const first = (await end.ask()).received
  assert.deepEqual(
    first.map(({ point }) => point),
    ['session.created', 'session.created'],
    'what comes after waits at the provider',
  )
  await end.ask('release')
  const { received } = await end.until((report) => report.received.length === 10)
  for (const clientId of ['one', 'two'])
    assert.deepEqual(
      received.filter((event) => event.clientId === clientId).map(({ point }) => point),
      ['session.created', 'client.connected', 'session.subscribed', 'client.disconnected', 'session.terminated'],
    )
})

test('notifications that are lost with their stream, or never handled, are failures that everybody can see', async (t) => {
  const hooks = [{ name: 'client.connected' }, { name: 'session.subscribed' }]
  const answers = { 'client.connected': { do: 'hold' } } as const
  const first = await far(t, { hooks, answers })
  const { broker, ctl, get } = await startManaged(t, {
    'exhook.server.far.url': first.url,
    'exhook.server.far.request_timeout': '400ms',
    'exhook.server.far.breaker.failures': '0',
  })
  await first.until(({ loads }) => loads > 0)
  const view = (): Record<string, number> => {
    const [{ counters, numbers }] = broker.admin.providers()
    return { ...counters, ...numbers }
  }
  const shown = async () => (await ctl('server', 'show', 'far')).join('\n')
  await until(() => view().streams === 1)
  assert.match(await shown(), /^transport +: stream$/m)

  await broker.connect({ clientId: 'one' })
  assert.equal((await first.until(({ held }) => held === 1)).received.length, 1)
  assert.deepEqual([view().inFlight, view().failures], [1, 0])
  await until(() => view().failures === 1)
  assert.deepEqual([view().timeouts, view().inFlight, view().stream_lost], [1, 0, 0])

  await broker.connect({ clientId: 'two' })
  await first.until(({ held }) => held === 2)
  await first.kill()
  await until(() => view().failures === 2)
  const { streams, streams_broken, stream_lost, timeouts } = view()
  assert.deepEqual([streams, streams_broken, stream_lost, timeouts], [0, 1, 1, 1])
  assert.match(await shown(), /^transport +: unary$/m)
  assert.match(await shown(), /^stream_lost +: 1$/m)
  const { body } = await get('/exhooks/far')
  const { transport, counters } = body as { transport: string; counters: Record<string, number> }
  assert.deepEqual([transport, counters.stream_lost, counters.failures], ['unary', 1, 2])
})
