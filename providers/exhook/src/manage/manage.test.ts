import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { HttpResponse } from '@hookmq/api'
import { MemoryStore } from 'hookmq/testing'
import { type Managed, settled, startManaged, until } from '../testing/managed.ts'
import { answers, RecordingProvider } from '../testing/recording-provider.ts'

type Detail = Record<string, unknown> & {
  readonly name: string
  readonly node_status: readonly { readonly node: string; readonly status: string }[]
  readonly metrics: Record<string, number>
  readonly ssl: Record<string, unknown>
}

const detail = ({ status, body }: HttpResponse): Detail => {
  assert.equal(status, 200, JSON.stringify(body))
  return body as Detail
}
const names = async ({ get }: Managed) => ((await get('/exhooks')).body as Detail[]).map(({ name }) => name)
const statusOf = (one: Detail) => one.node_status.map(({ status }) => status)
const loads = async (far: RecordingProvider) =>
  (await far.trace()).filter((call) => call.startsWith('provider')).map((call) => call.slice(9))

/** Nobody listens there. */
async function deadUrl(t: TestContext): Promise<string> {
  const far = await RecordingProvider.start(t)
  await far.stop()
  return far.url
}

test('the life of a server over HTTP, as EMQX 5 answers', async (t) => {
  const far = await RecordingProvider.start(t, {
    hooks: [{ name: 'message.publish', topics: ['t/#'] }, { name: 'client.connected' }],
  })
  const managed = await startManaged(t)
  const { get, post, put, remove, broker } = managed
  assert.deepEqual((await get('/exhooks')).body, [])

  const added = detail(await post('/exhooks', { name: 'one', url: far.url }))
  const node = broker.admin.node
  assert.deepEqual(added.node_status, [{ node, status: 'connected' }])
  assert.deepEqual(added.metrics, { succeed: 0, failed: 0, rate: 0, max_rate: 0 })
  assert.deepEqual(added.node_metrics, [{ node, metrics: added.metrics }])
  assert.deepEqual(added.hooks, [
    { name: 'message.publish', params: { topics: ['t/#'] } },
    { name: 'client.connected', params: {} },
  ])
  const { enable, url, request_timeout, failed_action, auto_reconnect, pool_size } = added
  assert.deepEqual(
    { enable, url, request_timeout, failed_action, auto_reconnect, pool_size },
    { enable: true, url: far.url, request_timeout: '5s', failed_action: 'deny', auto_reconnect: '60s', pool_size: 8 },
  )
  assert.deepEqual(
    { ...added.ssl, socket_options: added.socket_options },
    {
      enable: false,
      verify: 'verify_none',
      depth: 10,
      versions: ['tlsv1.3', 'tlsv1.2'],
      ciphers: [],
      reuse_sessions: true,
      secure_renegotiate: true,
      log_level: 'notice',
      hibernate_after: '5s',
      middlebox_comp_mode: true,
      socket_options: { keepalive: true, nodelay: true },
    },
  )
  assert.deepEqual(detail(await get('/exhooks/one')), added)

  const changed = detail(
    await put('/exhooks/one', {
      name: 'one',
      url: far.url,
      request_timeout: 1500,
      auto_reconnect: false,
      pool_size: 2,
    }),
  )
  assert.deepEqual(
    [changed.request_timeout, changed.auto_reconnect, changed.pool_size, changed.failed_action],
    ['1500ms', false, 2, 'deny'],
  )
  assert.equal(
    detail(await put('/exhooks/one', { url: far.url })).request_timeout,
    '5s',
    'what is missing has its default',
  )
  const off = detail(await put('/exhooks/one', { name: 'one', url: far.url, enable: false }))
  assert.deepEqual(statusOf(off), ['disabled'])
  assert.deepEqual(off.hooks, [])
  assert.deepEqual(statusOf(detail(await put('/exhooks/one', { name: 'one', url: far.url, enable: true }))), [
    'connected',
  ])
  assert.deepEqual(await remove('/exhooks/one'), { status: 204 })
  assert.deepEqual((await get('/exhooks')).body, [])
  assert.deepEqual(await loads(far), [
    'loaded',
    'unloaded',
    'loaded',
    'unloaded',
    'loaded',
    'unloaded',
    'loaded',
    'unloaded',
  ])
})

test('what cannot be done has the status, code and text of EMQX', async (t) => {
  const { get, post, put, remove } = await startManaged(t)
  const url = await deadUrl(t)
  const waiting = detail(await post('/exhooks', { name: 'one', url }))
  assert.deepEqual(statusOf(waiting), ['connecting'], 'added all the same')
  const unknown = (code: string) => ({ status: 404, body: { code, message: 'Server not found' } })
  const bad = (message: string) => ({ status: 400, body: { code: 'BAD_REQUEST', message } })
  assert.deepEqual(await post('/exhooks', { name: 'one', url }), bad('Already exists'))
  assert.deepEqual(await get('/exhooks/two'), unknown('BAD_REQUEST'))
  assert.deepEqual(await put('/exhooks/two', { name: 'two', url }), unknown('NOT_FOUND'))
  assert.deepEqual(await remove('/exhooks/two'), unknown('BAD_REQUEST'))
  assert.deepEqual(await get('/exhooks/two/hooks'), bad('Server not found'))
  assert.deepEqual(await post('/exhooks/two/move', { position: 'front' }), unknown('BAD_REQUEST'))
  for (const position of ['up', 'before:two', 'after:', undefined])
    assert.deepEqual(await post('/exhooks/one/move', { position }), bad('Invalid Position'))
  for (const [body, text] of [
    [{ name: 'x', url: 'http://127.0.0.1' }, /^Bad Arguments: bad_server_url/],
    [{ name: 'x', url: 'tcp://127.0.0.1:9000' }, /^Bad Arguments: bad_server_url/],
    [{ name: 'x' }, /^Bad Arguments: bad_server_url: .* it is not set/],
    [{ url }, /^Bad Arguments: name/],
    [{ name: '-x', url }, /^Bad Arguments: .*name begins with a letter or digit/],
    [{ name: 'x', url, pool_size: 0 }, /^Bad Arguments: exhook\.server\.x\.pool_size: expected an integer from 1/],
    [{ name: 'x', url, request_timeout: 'soon' }, /request_timeout: expected a duration/],
    [{ name: 'x', url, failed_action: 'close' }, /failed_action: expected deny or ignore/],
    [{ name: 'x', url, pool: 8 }, /x\.pool: there is no such key/],
    [{ name: 'x', url, hook: { 'message.publsh': { failed_action: 'deny' } } }, /message\.publsh/],
    ['nonsense', /^Bad Arguments: expected a JSON object/],
  ] as const) {
    const { status, body: error } = await post('/exhooks', body)
    assert.equal(status, 400)
    assert.equal((error as { code: string }).code, 'BAD_REQUEST')
    assert.match((error as { message: string }).message, text)
  }
  assert.match(JSON.stringify((await put('/exhooks/one', { name: 'two', url })).body), /a server keeps its name/)
  assert.match(JSON.stringify((await put('/exhooks/one', { url: 'x' })).body), /bad_server_url/)
  assert.deepEqual(detail(await get('/exhooks/one')).url, url, 'nothing was changed')
})

test('a body as GET gives it can be sent back, the written and the unwritten deny stay apart', async (t) => {
  const far = await RecordingProvider.start(t)
  const { get, put, post } = await startManaged(t)
  await post('/exhooks', {
    name: 'one',
    url: far.url,
    version: 'v3',
    notify: 'wait',
    queue: { limit: 5, drop: 'newest' },
    breaker: { failures: 3, failure_rate: '50%', open_for: '1s' },
    cache: { ttl: '1m', negative_ttl: '1s', size: 7 },
    max_in_flight: 9,
    hook: { 'message.publish': { failed_action: 'deny', request_timeout: '1s' } },
    ssl: { enable: true, password: 'secret', reuse_sessions: true, user_lookup_fun: 'x' },
  })
  const before = detail(await get('/exhooks/one'))
  assert.equal(before.ssl.password, '******')
  assert.equal(before.armed, false)
  assert.deepEqual(before.hook, { 'message.publish': { failed_action: 'deny', request_timeout: '1s' } })
  const configuration = ({ metrics: _m, node_metrics: _n, counters: _c, ...rest }: Detail) => rest
  assert.deepEqual(configuration(detail(await put('/exhooks/one', before))), configuration(before))
  assert.equal(detail(await put('/exhooks/one', { url: far.url, failed_action: 'deny' })).armed, true)
})

test('calls are counted by hook; rates are of the last five seconds', async (t) => {
  const far = await RecordingProvider.start(t, { hooks: [{ name: 'message.publish' }, { name: 'client.connected' }] })
  const { broker, get, put } = await startManaged(t, { 'exhook.server.one.url': far.url })
  for (let index = 0; index < 11; index++) await broker.publish({ topic: 't', payload: 'x' })
  await far.change({ answers: { OnMessagePublish: answers.fail() } })
  await broker.publish({ topic: 't', payload: 'x' })
  await broker.advance(5000)
  const hooks = async () => (await get('/exhooks/one/hooks')).body as { metrics: object; latency: { count: number } }[]
  const [publish, connected] = await hooks()
  assert.deepEqual(publish.metrics, { succeed: 11, failed: 1, rate: 3, max_rate: 3 })
  assert.deepEqual(Object.keys(publish).sort(), ['latency', 'metrics', 'name', 'node_metrics', 'params'])
  assert.equal(publish.latency.count, 12)
  assert.deepEqual(connected.metrics, { succeed: 0, failed: 0, rate: 0, max_rate: 0 })
  assert.deepEqual(detail(await get('/exhooks/one')).metrics, { succeed: 11, failed: 1, rate: 1, max_rate: 1 })
  await broker.advance(5000)
  assert.deepEqual((await hooks())[0].metrics, { succeed: 11, failed: 1, rate: 0, max_rate: 3 })
  await put('/exhooks/one', { url: far.url, request_timeout: '2s' })
  assert.deepEqual(
    (await hooks())[0].metrics,
    { succeed: 11, failed: 1, rate: 0, max_rate: 3 },
    'an update forgets nothing',
  )
})

test('the order can be changed without a call to anybody', async (t) => {
  const conf: Record<string, string> = {}
  const servers: RecordingProvider[] = []
  for (const name of ['a', 'b', 'c']) {
    const far = await RecordingProvider.start(t, { hooks: [{ name: 'message.publish' }] })
    servers.push(far)
    conf[`exhook.server.${name}.url`] = far.url
  }
  const managed = await startManaged(t, conf)
  for (const [name, position, order] of [
    ['c', 'front', 'cab'],
    ['c', 'rear', 'abc'],
    ['c', 'before:a', 'cab'],
    ['c', 'after:a', 'acb'],
    ['b', 'before:c', 'abc'],
    ['b', 'after:c', 'acb'],
    ['a', 'front', 'acb'],
  ]) {
    assert.deepEqual(await managed.post(`/exhooks/${name}/move`, { position }), { status: 204 })
    assert.equal((await names(managed)).join(''), order)
    const chain = managed.broker.admin.hooks().find(({ point }) => point === 'message.publish')
    assert.equal(
      chain?.hooks
        .map(({ owner }) => owner)
        .filter((owner) => owner.length === 1)
        .join(''),
      order,
    )
  }
  for (const far of servers) assert.deepEqual(await loads(far), ['loaded'])
})

test('changes are kept over a restart, on top of the file, until the file says something else', async (t) => {
  const urls: string[] = []
  for (let index = 0; index < 4; index++) urls.push((await RecordingProvider.start(t)).url)
  const file = { 'exhook.server.a.url': urls[0], 'exhook.server.b.url': urls[1], 'exhook.server.c.url': urls[2] }
  const first = await startManaged(t, file)
  await first.remove('/exhooks/a')
  await first.put('/exhooks/b', { url: urls[1], request_timeout: '1s' })
  await first.post('/exhooks', { name: 'd', url: urls[3] })
  await first.post('/exhooks/d/move', { position: 'front' })
  await first.broker.stop()
  const { store, folder } = first

  const second = await startManaged(t, file, { store, folder })
  assert.deepEqual(await names(second), ['d', 'b', 'c'], 'a stays deleted')
  assert.equal(detail(await second.get('/exhooks/b')).request_timeout, '1s')
  await second.broker.stop()

  const edited = { ...file, 'exhook.server.a.pool_size': '2', 'exhook.server.b.request_timeout': '3s' }
  const third = await startManaged(t, edited, { store, folder })
  assert.deepEqual(await names(third), ['d', 'b', 'c', 'a'])
  assert.equal(detail(await third.get('/exhooks/a')).pool_size, 2)
  assert.equal(detail(await third.get('/exhooks/b')).request_timeout, '3s', 'the file counts again')
  await third.broker.stop()

  const fourth = await startManaged(t, { 'exhook.server.c.url': urls[2] }, { store, folder })
  assert.deepEqual(await names(fourth), ['c', 'd'], 'what has gone from the file is gone, what was added stays')
})

test('certificates given as text become files that only the broker can read, and go with their server', async (t) => {
  const { post, put, get, remove, folder, broker, store } = await startManaged(t)
  const url = (await deadUrl(t)).replace('http:', 'https:')
  const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`
  const added = detail(await post('/exhooks', { name: 'one', url, ssl: { cacertfile: pem('a'), keyfile: pem('k') } }))
  const path = String(added.ssl.cacertfile)
  const own = dirname(path)
  assert.equal(readFileSync(path, 'utf8'), pem('a'))
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(own).mode & 0o777, 0o700)
  assert.equal(readdirSync(own).length, 2)
  await put('/exhooks/one', { url, ssl: { cacertfile: path, keyfile: pem('l') } })
  assert.equal(readdirSync(own).length, 2, 'the old key is gone')
  assert.equal(detail(await get('/exhooks/one')).ssl.cacertfile, path)
  await put('/exhooks/one', { url, ssl: { cacertfile: pem('b') } })
  assert.deepEqual(
    readdirSync(own).map((name) => readFileSync(join(own, name), 'utf8')),
    [pem('b')],
  )
  await broker.stop()
  const again = await startManaged(t, {}, { store, folder })
  assert.equal(readdirSync(own).length, 1, 'kept over a restart')
  await again.remove('/exhooks/one')
  assert.equal(existsSync(own), false)
  await remove('/exhooks/one').catch(() => {})
})

test('an update under traffic: each message is asked about once', async (t) => {
  const hooks = [{ name: 'message.publish' }]
  const one = await RecordingProvider.start(t, { hooks })
  const other = await RecordingProvider.start(t, { hooks })
  const { broker, put } = await startManaged(t, { 'exhook.server.a.url': one.url })
  let running = true
  let sent = 0
  const traffic = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (running) await broker.publish({ topic: `${sent++}`, payload: 'x' })
    }),
  )
  for (let round = 0; round < 6; round++) {
    const { body } = await put('/exhooks/a', { url: (round % 2 === 0 ? other : one).url })
    assert.deepEqual(statusOf(body as Detail), ['connected'])
  }
  running = false
  await traffic
  const asked = [...(await one.requests('OnMessagePublish')), ...(await other.requests('OnMessagePublish'))]
  const topics = asked.map(({ message }) => Number(message?.topic)).sort((a, b) => a - b)
  assert.deepEqual(
    topics,
    Array.from({ length: sent }, (_, index) => index),
  )
  assert.ok(sent > 50, `${sent} messages are too few to prove anything`)
  assert.deepEqual(
    await loads(other),
    ['loaded', 'unloaded', 'loaded', 'unloaded', 'loaded', 'unloaded'].slice(0, (await loads(other)).length),
  )
})

test('an update: unloaded, then loaded, as by EMQX; what comes in between waits, and nothing passes that deny stops', async (t) => {
  const hooks = [{ name: 'message.publish', topics: ['asked/#'] }]
  const slow = { OnProviderUnloaded: { delay: 200 } }
  const far = await RecordingProvider.start(t, { hooks, answers: slow })
  const { broker, ctl } = await startManaged(t, {
    'exhook.server.a.url': far.url,
    'exhook.server.a.hook.message.publish.failed_action': 'deny',
  })
  const got: string[] = []
  broker.subscribe('#', ({ topic }) => void got.push(topic))
  /** Publishes while the old one is on its way out. */
  const updateAmid = async (...topics: readonly string[]): Promise<string[]> => {
    const before = (await far.calls()).length
    const changed = ctl('server', 'update', 'a', `request_timeout=${4000 + before}ms`)
    await until(async () => (await far.calls()).length > before, 'OnProviderUnloaded')
    const published = topics.map((topic) => broker.publish({ topic, payload: 'x', from: 'c' }))
    assert.deepEqual(await changed, ['ok'])
    await Promise.all(published)
    return (await far.trace()).slice(before)
  }
  assert.deepEqual(await updateAmid('asked/1', 'other/1', 'asked/2'), [
    'provider_unloaded',
    'provider_loaded',
    'message_publish',
    'message_publish',
  ])
  assert.deepEqual(got, ['other/1', 'asked/1', 'asked/2'])
  assert.deepEqual(
    (await far.requests('OnMessagePublish')).map(({ message }) => message?.topic),
    ['asked/1', 'asked/2'],
  )
  await far.change({ answers: { ...slow, OnProviderLoaded: answers.fail() } })
  const trace = await updateAmid('asked/stopped')
  assert.deepEqual([...new Set(trace)], ['provider_unloaded', 'provider_loaded'])
  assert.deepEqual(got.slice(3), [])
})

test('the command line says what EMQX 4.4 says, and can do all that HTTP can', async (t) => {
  const far = await RecordingProvider.start(t, { hooks: [{ name: 'message.publish' }, { name: 'client.connected' }] })
  const { ctl, broker } = await startManaged(t, { 'exhook.server.one.url': far.url })
  const url = await deadUrl(t)
  assert.deepEqual(await ctl('server', 'list'), [
    'Server(name=one, hooks=[message.publish,client.connected], active=true)',
  ])
  assert.deepEqual(
    await ctl('server', 'add', 'two', url, 'request_timeout=1s', 'hook.message.publish.failed_action=deny'),
    ['ok'],
  )
  assert.deepEqual(await ctl('server', 'add', 'two', url), ['already_exists'])
  assert.match((await ctl('server', 'add', 'three', 'x'))[0], /^Error: bad_server_url/)
  assert.match((await ctl('server', 'update', 'two', 'request_timeout'))[0], /expected KEY=VALUE/)
  assert.deepEqual(await ctl('server', 'move', 'two', 'front'), ['ok'])
  assert.deepEqual(await ctl('server', 'move', 'two', 'up'), ['invalid_position'])
  assert.deepEqual(await ctl('server', 'list'), [
    'Server(name=two, hooks=[], active=false)',
    'Server(name=one, hooks=[message.publish,client.connected], active=true)',
  ])
  assert.deepEqual(await ctl('server', 'update', 'two', 'hook.message.publish.failed_action='), ['ok'])
  assert.ok(!(await ctl('server', 'show', 'two')).join('\n').includes('message.publish'))
  await broker.publish({ topic: 't', payload: 'x' })
  assert.deepEqual(await ctl('server', 'stats'), [
    'exhook.one.message.publish                    :1',
    'exhook.one.client.connected                   :0',
  ])
  const shown = (await ctl('server', 'show', 'one')).join('\n')
  assert.match(shown, /^status {12}: connected$/m)
  assert.match(shown, /^breaker {11}: closed$/m)
  assert.match(shown, /message\.publish +succeed=1, failed=0, timeouts=0, dropped=0, p50=[\d.]+ms, p99=[\d.]+ms/)
  assert.deepEqual(await ctl('server', 'enable', 'one'), ['already_started'])
  assert.deepEqual(await ctl('server', 'disable', 'one'), ['ok'])
  assert.deepEqual(await ctl('server', 'disable', 'one'), ['not_running'])
  assert.deepEqual(await loads(far), ['loaded', 'unloaded'])
  assert.deepEqual(await ctl('server', 'enable', 'one'), ['ok'])
  assert.deepEqual(await ctl('server', 'delete', 'two'), ['ok'])
  for (const verb of ['delete', 'enable', 'disable', 'show'])
    assert.deepEqual(await ctl('server', verb, 'two'), ['not_found'])
  assert.equal((await ctl('server')).length, 10, 'usage')
  assert.equal((await broker.ctl('exhook')).exitCode, 2)
})

test('remembered verdicts are shown and can be forgotten', async (t) => {
  const far = await RecordingProvider.start(t, {
    hooks: [{ name: 'client.authenticate' }],
    answers: { OnClientAuthenticate: answers.stop(true) },
  })
  const { ctl, broker, remove } = await startManaged(t, {
    'exhook.server.one.url': far.url,
    'exhook.server.one.cache.ttl': '1h',
  })
  const connect = async (clientId: string) => (await broker.connect({ clientId })).destroy()
  const asked = async () => (await far.trace()).filter((call) => call === 'client_authenticate').length
  for (const clientId of ['a', 'a', 'b', 'c']) await connect(clientId)
  assert.equal(await asked(), 3)
  assert.deepEqual(await ctl('cache', 'clean', 'a'), ['Cleaned 1 verdicts'])
  assert.deepEqual(await remove('/exhooks/one/cache?clientid=b'), { status: 200, body: { cleaned: 1 } })
  assert.deepEqual(await ctl('cache', 'clean'), ['Cleaned 1 verdicts'])
  await connect('a')
  assert.equal(await asked(), 4)
})

test('a server whose name a plugin has taken is refused, and nothing is left of it', async (t) => {
  const { post, broker, get } = await startManaged(t, {}, { store: new MemoryStore() })
  await broker.load({ name: 'taken', setup: (ctx) => void ctx.hook('message.publish', () => undefined) })
  const { status, body } = await post('/exhooks', { name: 'taken', url: await deadUrl(t) })
  assert.equal(status, 400)
  assert.match(JSON.stringify(body), /already are hooks of 'taken'/)
  assert.deepEqual((await get('/exhooks')).body, [])
  await settled(broker)
  await until(() => broker.admin.providers().length === 0)
})
