import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { TestBroker } from 'hookmq/testing'
import { type Managed, settled, startManaged, until } from '../testing/managed.ts'
import { answers, RecordingProvider } from '../testing/recording-provider.ts'
import type { Script } from '../testing/script.ts'

// What becomes of clients, with real servers in other processes: sections by the behaviour of EMQX.

const hook = (...names: string[]): Pick<Script, 'hooks'> => ({ hooks: names.map((name) => ({ name })) })
const decide = 'client.authenticate'
const statuses = async ({ get }: Managed) =>
  ((await get('/exhooks')).body as { node_status: [{ status: string }] }[]).map(
    ({ node_status: [{ status }] }) => status,
  )
const unwritten = (url: string, more: Record<string, string> = {}) => keys('one', { url, ...more })

function keys(name: string, own: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(own).map(([key, value]) => [`exhook.server.${name}.${key}`, value]))
}

async function enters(broker: TestBroker, options: Parameters<TestBroker['connect']>[0] = {}): Promise<boolean> {
  try {
    const client = await broker.connect(options)
    client.destroy()
    return true
  } catch {
    return false
  }
}

/** A message of a client arrives. */
async function passes(broker: TestBroker, topic = 't'): Promise<boolean> {
  let arrived = false
  const end = broker.subscribe(topic, () => {
    arrived = true
  })
  await broker.publish({ topic, payload: 'x', from: 'somebody' })
  end()
  return arrived
}

async function two(t: TestContext, a: Script, b: Script, more: Record<string, string> = {}, allowAnonymous = true) {
  const servers = { a: await RecordingProvider.start(t, a), b: await RecordingProvider.start(t, b) }
  const conf = { ...keys('a', { url: servers.a.url, ...more }), ...keys('b', { url: servers.b.url, ...more }) }
  return { ...servers, ...(await startManaged(t, conf, {}, { allowAnonymous })) }
}

const deaf = { url: 'http://127.0.0.1:9', auto_reconnect: '10s', request_timeout: '1s' }
const strict = { 'hook.message.publish.failed_action': 'deny' }

for (const [said, own, in_, through] of [
  ['nothing', {}, true, true],
  ['failed_action = ignore', { failed_action: 'ignore' }, true, true],
  ['failed_action = deny', { failed_action: 'deny' }, false, true],
  ['deny for message.publish', strict, true, false],
  ['deny for both', { failed_action: 'deny', ...strict }, false, false],
  ['deny for both, and armed = off', { failed_action: 'deny', ...strict, armed: 'off' }, true, true],
  ['armed = on', { armed: 'on' }, false, true],
] as const)
  test(`a server that is away when the broker starts, with ${said} written`, async (t) => {
    const managed = await startManaged(t, unwritten(deaf.url, { ...deaf, ...own }))
    assert.deepEqual(await statuses(managed), ['connecting'])
    assert.equal(await enters(managed.broker), in_)
    assert.equal(await passes(managed.broker), through)
  })

test('a server that is never tried again is disconnected, one that is off disabled', async (t) => {
  const managed = await startManaged(t, {
    ...unwritten(deaf.url, { auto_reconnect: 'false', request_timeout: '1s' }),
    ...keys('two', { url: deaf.url, enable: 'off', failed_action: 'deny' }),
    ...keys('three', { url: 'nonsense' }),
  })
  assert.deepEqual(await statuses(managed), ['disconnected', 'disabled', 'disconnected'])
  assert.equal(await enters(managed.broker), true, 'a server that is off denies nobody')
})

test('a server that comes up later is loaded, and decides from then on', async (t) => {
  const first = await RecordingProvider.start(t)
  const address = `127.0.0.1:${first.port}`
  await first.stop()
  const managed = await startManaged(
    t,
    unwritten(`http://${address}`, { auto_reconnect: '20ms', failed_action: 'deny' }),
  )
  assert.equal(await enters(managed.broker), false)
  const far = await RecordingProvider.start(t, {
    address,
    ...hook(decide),
    answers: { OnClientAuthenticate: answers.stop(true) },
  })
  await until(async () => (await statuses(managed))[0] === 'connected', 'the server')
  assert.equal(await enters(managed.broker), true)
  assert.deepEqual((await far.trace()).slice(0, 2), ['provider_loaded', 'client_authenticate'])
})

test('an unknown hook name fails the load, which is tried again', async (t) => {
  const far = await RecordingProvider.start(t, hook('client.authenticate', 'client.authentikate'))
  const managed = await startManaged(t, unwritten(far.url, { auto_reconnect: '20ms' }))
  const { body } = await managed.get('/exhooks/one')
  assert.match((body as { error: string }).error, /client\.authentikate/)
  assert.deepEqual(await statuses(managed), ['connecting'])
  await until(async () => (await far.trace()).length > 2, 'more loads')
  await far.change(hook('client.authenticate'))
  await until(async () => (await statuses(managed))[0] === 'connected', 'the server')
})

for (const [how, action, in_, may, through] of [
  ['dies', 'deny', false, false, true],
  ['dies', 'ignore', true, true, true],
  ['fails', 'deny', false, false, true],
  ['fails', 'ignore', true, true, true],
  ['hangs', 'deny', false, false, true],
  ['hangs', 'ignore', true, true, true],
] as const)
  test(`a server that ${how} once it was loaded, failed_action = ${action}`, async (t) => {
    const far = await RecordingProvider.start(t, hook(decide, 'client.authorize', 'message.publish'), {
      alone: how === 'dies',
    })
    const settings = { failed_action: action, request_timeout: '150ms' }
    const { broker } = await startManaged(t, unwritten(far.url, settings))
    const before = await broker.connect({ clientId: 'before' })
    if (how === 'dies') await far.kill()
    else {
      const answer = how === 'fails' ? answers.fail() : { hold: true }
      await far.change({
        answers: { OnClientAuthenticate: answer, OnClientAuthorize: answer, OnMessagePublish: answer },
      })
    }
    assert.equal(await enters(broker), in_)
    const subscribed = before.subscribe('a').then(
      () => true,
      () => false,
    )
    assert.equal(await subscribed, may)
    assert.equal(await passes(broker), through)
  })

test('deny for message.publish stops it with a reason code; 3.1.1 is acknowledged', async (t) => {
  const far = await RecordingProvider.start(t, {
    ...hook('message.publish'),
    answers: { OnMessagePublish: answers.fail() },
  })
  const { broker } = await startManaged(t, unwritten(far.url, strict))
  assert.equal(await passes(broker), false)
  const modern = await broker.connect({ protocolVersion: 5 })
  await assert.rejects(modern.publish('t', 'x', { qos: 1 }), { reasonCode: 0x83 })
  const old = await broker.connect({ protocolVersion: 4 })
  await old.publish('t', 'x', { qos: 1 })
})

test('A says CONTINUE false, B nothing: refused, and B was told so', async (t) => {
  const script = (answer: ReturnType<typeof answers.go>): Script => ({
    ...hook(decide),
    answers: { OnClientAuthenticate: answer },
  })
  const { b, broker } = await two(t, script(answers.go(false)), script(answers.ignore()))
  assert.equal(await enters(broker), false)
  assert.deepEqual(
    (await b.requests('OnClientAuthenticate')).map(({ result }) => result),
    [false],
  )
  await b.change({ answers: { OnClientAuthenticate: answers.stop(true) } })
  assert.equal(await enters(broker), true, 'and with STOP true of B: let in')
})

test('A and B say nothing: what was decided before them stays', async (t) => {
  const script = { ...hook(decide, 'client.authorize') }
  const { broker, b } = await two(t, script, script, {}, false)
  assert.equal(await enters(broker), false)
  broker.hook('client.authenticate', () => ({ ok: { result: 'allow', superuser: true } }), { priority: 500 })
  const client = await broker.connect({ clientId: 'c' })
  assert.equal(broker.admin.client('c')?.client.superuser, true)
  assert.equal((await b.requests('OnClientAuthenticate')).at(-1)?.result, true)
  client.destroy()
})

test('A does not have the hook, or not the topic: B is asked, with deny for both', async (t) => {
  const { a, b, broker } = await two(
    t,
    { hooks: [{ name: 'message.publish', topics: ['t/#'] }] },
    { ...hook(decide, 'message.publish'), answers: { OnClientAuthenticate: answers.stop(true) } },
    { failed_action: 'deny', ...strict },
  )
  assert.equal(await enters(broker), true)
  assert.equal(await passes(broker, 'x'), true)
  assert.equal(await passes(broker, 't/1'), true)
  assert.deepEqual(
    (await a.requests('OnMessagePublish')).map(({ message }) => message?.topic),
    ['t/1'],
  )
  assert.deepEqual(
    (await b.requests('OnMessagePublish')).map(({ message }) => message?.topic),
    ['x', 't/1'],
  )
})

test('message.dropped is filtered by topic too, and later servers see the message as earlier ones made it', async (t) => {
  const { b, broker } = await two(
    t,
    {
      ...hook('message.publish'),
      answers: { OnMessagePublish: answers.message('go', { topic: 'made/by/a', payload: Buffer.from('a') }) },
    },
    {
      hooks: [
        { name: 'message.publish', topics: ['made/#'] },
        { name: 'message.dropped', topics: ['made/#'] },
      ],
    },
  )
  await broker.publish({ topic: 'x', payload: 'x', from: 'c' })
  await until(async () => (await b.trace()).length === 3, 'message_dropped')
  assert.deepEqual(await b.trace(), ['provider_loaded', 'message_publish', 'message_dropped'])
})

test('after a move the next event goes to the other first', async (t) => {
  const script = (payload: string): Script => ({
    ...hook('message.publish'),
    answers: { OnMessagePublish: answers.message('stop', { topic: 't', payload: Buffer.from(payload) }) },
  })
  const { broker, post } = await two(t, script('a'), script('b'))
  const seen: string[] = []
  broker.subscribe('t', ({ payload }) => seen.push(Buffer.from(payload).toString()))
  await broker.publish({ topic: 't', payload: 'x' })
  await post('/exhooks/b/move', { position: 'front' })
  await broker.publish({ topic: 't', payload: 'x' })
  assert.deepEqual(seen, ['a', 'b'])
})

test('DELETE: OnProviderUnloaded, and no call after it', async (t) => {
  const far = await RecordingProvider.start(t, hook('message.publish'))
  const { broker, remove } = await startManaged(t, unwritten(far.url))
  await broker.publish({ topic: 't', payload: 'x' })
  assert.equal((await remove('/exhooks/one')).status, 204)
  await broker.publish({ topic: 't', payload: 'x' })
  assert.deepEqual(await far.trace(), ['provider_loaded', 'message_publish', 'provider_unloaded'])
})

for (const notify of ['wait', 'background'] as const)
  test(`a slow client.connect ${notify === 'wait' ? 'delays CONNACK by request_timeout' : 'delays nothing'} with notify = ${notify}`, async (t) => {
    const far = await RecordingProvider.start(t, {
      ...hook('client.connect'),
      answers: { OnClientConnect: { hold: true } },
    })
    const settings = { notify, request_timeout: notify === 'wait' ? '200ms' : '1h' }
    const { broker, get } = await startManaged(t, unwritten(far.url, settings))
    const before = performance.now()
    await broker.connect({ clientId: 'c' })
    const took = performance.now() - before
    await until(async () => (await far.trace()).includes('client_connect'), 'the call')
    if (notify === 'wait') {
      assert.ok(took >= 190, `${took} ms`)
      const [{ metrics }] = (await get('/exhooks/one/hooks')).body as [{ metrics: object }]
      assert.deepEqual(metrics, { succeed: 0, failed: 1, rate: 0, max_rate: 0 })
    }
    await far.release()
  })

test('with notify = wait all of one client comes in the order of EMQX, one after the other', async (t) => {
  const slow = { delay: 3 }
  const far = await RecordingProvider.start(t, {
    answers: {
      OnClientConnect: slow,
      OnSessionCreated: slow,
      OnClientConnected: slow,
      OnSessionSubscribed: slow,
      OnMessageDelivered: slow,
    },
  })
  const { broker } = await startManaged(t, unwritten(far.url, { notify: 'wait' }))
  const client = await broker.connect({ clientId: 'c' })
  assert.deepEqual(await far.trace(), [
    'provider_loaded',
    'client_connect',
    'client_authenticate',
    'session_created',
    'client_connected',
    'client_connack',
  ])
  await client.subscribe('t')
  await client.publish('t', 'x', { qos: 1 })
  await until(async () => (await far.trace()).length >= 12, 'all calls')
  const [authorize, subscribe, subscribed, ...rest] = (await far.trace()).slice(6)
  assert.deepEqual([authorize, subscribe, subscribed], ['client_authorize', 'client_subscribe', 'session_subscribed'])
  assert.deepEqual(rest.slice(0, 3), ['client_authorize', 'message_publish', 'message_delivered'])
})

test('the breaker of a server is seen over HTTP and opens after so many failures', async (t) => {
  const far = await RecordingProvider.start(t, {
    ...hook('message.publish'),
    answers: { OnMessagePublish: answers.fail() },
  })
  const { broker, get } = await startManaged(
    t,
    unwritten(far.url, { 'breaker.failures': '3', 'breaker.open_for': '1h' }),
  )
  const state = async () =>
    (await get('/exhooks/one')).body as { breaker_state: string; counters: Record<string, number> }
  assert.equal((await state()).breaker_state, 'closed')
  for (let index = 0; index < 5; index++) await broker.publish({ topic: 't', payload: 'x' })
  const { breaker_state, counters } = await state()
  assert.deepEqual([breaker_state, counters.opened, counters.turnedAway], ['open', 1, 2])
  assert.equal((await far.requests('OnMessagePublish')).length, 3)
  await settled(broker)
})

test('the calls of a client that has gone are cancelled at the server', async (t) => {
  const far = await RecordingProvider.start(t, {
    ...hook('client.authorize'),
    answers: { OnClientAuthorize: { hold: true } },
  })
  const { broker, get } = await startManaged(t, unwritten(far.url, { request_timeout: '1h' }))
  const client = await broker.connect({ clientId: 'c' })
  client.subscribe('t').catch(() => {})
  await until(async () => (await far.trace()).includes('client_authorize'), 'the call')
  client.destroy()
  await until(async () => (await far.cancelled()) === 1, 'the cancellation')
  const [{ metrics }] = (await get('/exhooks/one/hooks')).body as [{ metrics: object }]
  assert.deepEqual(metrics, { succeed: 0, failed: 0, rate: 0, max_rate: 0 }, 'that is nobody’s failure')
})
