import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestBroker } from 'hookmq/testing'
import exhook from './plugin.ts'
import { until } from './testing/managed.ts'
import { answers, RecordingProvider } from './testing/recording-provider.ts'
import { startTraced } from './testing/traced.ts'

// What users of EMQX have run into, and what a reply means for the packets of a client.

test('a reply of nothing at all leaves the message as it is', async (t) => {
  const { far, connect } = await startTraced(t, { answers: { OnMessagePublish: answers.empty() } })
  const client = await connect()
  const got: string[] = []
  client.on('message', (topic, payload) => void got.push(`${topic}=${payload}`))
  await client.subscribeAsync('#', { qos: 1 })
  await client.publishAsync('t', 'x', { qos: 1 })
  await until(() => got.length > 0)
  assert.deepEqual(got, ['t=x'])
  assert.equal((await far.requests('OnMessagePublish')).length, 1)
})

test('a message that comes back without QoS is published with QoS 0, and its publisher has its PUBACK all the same', async (t) => {
  const message = answers.message('stop', { topic: 't2', payload: Buffer.from('p') })
  const { connect } = await startTraced(t, { answers: { OnMessagePublish: message } })
  const client = await connect()
  const got: string[] = []
  client.on('message', (topic, payload, { qos }) => void got.push(`${topic}=${payload} at ${qos}`))
  await client.subscribeAsync('t2', { qos: 2 })
  await client.publishAsync('t', 'x', { qos: 1 })
  await until(() => got.length > 0)
  assert.deepEqual(got, ['t2=p at 0'])
})

test('allow_publish = false: routed to nobody, not retained, no message.dropped; the publisher has 0x10', async (t) => {
  const stopped = answers.message('go', { topic: 't', headers: { allow_publish: 'false' } })
  const { far, broker, connect } = await startTraced(t, { answers: { OnMessagePublish: stopped } })
  const client = await connect()
  const got: string[] = []
  client.on('message', (topic) => void got.push(topic))
  await client.subscribeAsync('t')
  const codes: unknown[] = []
  client.on('packetreceive', (packet) => void (packet.cmd === 'puback' && codes.push(packet.reasonCode)))
  const retained = broker.stats()['retained.count']
  await client.publishAsync('t', 'x', { qos: 1, retain: true })
  assert.deepEqual(codes, [0x10])
  assert.equal(broker.stats()['retained.count'], retained)
  assert.deepEqual(got, [])
  assert.deepEqual(await far.requests('OnMessageDropped'), [])
})

test('an error of OnClientConnect or any other notification refuses nobody', async (t) => {
  const fail = answers.fail()
  const failing = {
    OnClientConnect: fail,
    OnClientConnack: fail,
    OnSessionCreated: fail,
    OnClientSubscribe: fail,
    OnMessageDelivered: fail,
  }
  for (const notify of ['wait', 'background']) {
    const { connect } = await startTraced(t, { answers: failing }, { notify, failed_action: 'deny' })
    const client = await connect()
    const got: string[] = []
    client.on('message', (topic) => void got.push(topic))
    await client.subscribeAsync('t')
    await client.publishAsync('t', 'x', { qos: 1 })
    await until(() => got.length > 0)
    assert.deepEqual(got, ['t'])
  }
})

test('a topic that is none in an answer: the message passes as it was, or is stopped where that is asked for', async (t) => {
  const wrong = answers.message('stop', { topic: 'a/#', payload: Buffer.from('changed') })
  for (const [action, received] of [
    ['ignore', ['t=x']],
    ['deny', []],
  ] as const) {
    const { connect } = await startTraced(
      t,
      { answers: { OnMessagePublish: wrong } },
      { 'hook.message.publish.failed_action': action },
    )
    const client = await connect()
    const got: string[] = []
    client.on('message', (topic, payload) => void got.push(`${topic}=${payload}`))
    await client.subscribeAsync('#')
    await client.publishAsync('t', 'x', { qos: 1 }).catch(() => {})
    await client.publishAsync('$SYS/marker', 'x', { qos: 1 }).catch(() => {})
    assert.deepEqual(got, received)
  }
})

test('who has decided about a login is not asked again: definite answers end the chain before ExHook', async (t) => {
  const far = await RecordingProvider.start(t, { answers: { OnClientAuthenticate: answers.stop(true) } })
  const broker = await startTestBroker(t, { allowAnonymous: true })
  await broker.load({
    name: 'own-users',
    setup(ctx) {
      ctx.authenticator({
        name: 'own',
        authenticate: ({ username }) => {
          if (username === undefined) return { result: 'ignore' }
          return username === 'known' ? { result: 'allow', superuser: true } : { result: 'deny' }
        },
      })
    },
  })
  await broker.load(exhook, { 'exhook.server.far.url': far.url })
  await until(() => broker.admin.providers().every(({ status }) => status === 'loaded'))
  const known = await broker.connect({ username: 'known' })
  await assert.rejects(broker.connect({ username: 'unknown' }), { reasonCode: 0x87 })
  assert.deepEqual(await far.requests('OnClientAuthenticate'), [])
  await known.publish('any', 'x', { qos: 1 })
  assert.deepEqual(await far.requests('OnClientAuthorize'), [], 'nor about what a superuser does')
  await broker.connect({ clientId: 'undecided' })
  assert.equal((await far.requests('OnClientAuthenticate')).length, 1)
})

test('a permission is remembered with the client, as any other', async (t) => {
  const { far, connect } = await startTraced(t, { hooks: [{ name: 'client.authorize' }] })
  const client = await connect()
  for (const payload of ['1', '2', '3']) await client.publishAsync('t', payload, { qos: 1 })
  assert.equal((await far.requests('OnClientAuthorize')).length, 1)
})

test('after it was loaded again each event comes once', async (t) => {
  const { far, broker, connect, trace } = await startTraced(
    t,
    {},
    { auto_reconnect: '50ms', health_check_interval: '20ms' },
  )
  await far.stop()
  await until(() => broker.admin.providers()[0].status === 'failed')
  const again = await RecordingProvider.start(t, { address: `127.0.0.1:${far.port}` })
  await until(async () => (await again.requests('OnProviderLoaded')).length > 0)
  await until(() => broker.admin.providers()[0].status === 'loaded')
  await connect({ clientId: 'c1' })
  await until(async () => (await again.requests('OnClientConnack')).length > 0)
  assert.equal((await again.requests('OnClientConnect')).length, 1)
  assert.equal((await again.requests('OnClientAuthenticate')).length, 1)
  assert.equal((await again.requests('OnClientConnected')).length, 1)
  assert.deepEqual(await trace(0), [])
})

test('messages carry what MQTT 5 has only for a server that asks for it', async (t) => {
  for (const [said, metadata, texts, expected] of [
    ['not asked for', {}, {}, false],
    ['asked for by the server', { 'hookmq-messages': 'full' }, {}, true],
    ['asked for by the server, and off', { 'hookmq-messages': 'full' }, { full_messages: 'off' }, false],
    ['asked for by the operator', {}, { full_messages: 'on' }, true],
  ] as const) {
    const { far, connect } = await startTraced(t, { answers: { OnProviderLoaded: { metadata } } }, texts)
    const client = await connect()
    const properties = { contentType: 'text/plain', userProperties: { k: 'v' } }
    await client.publishAsync('t', 'x', { qos: 1, retain: true, properties })
    const [{ message }] = await far.requests('OnMessagePublish')
    const names = Object.keys(message?.headers ?? {}).filter((name) => name.startsWith('hookmq.'))
    assert.deepEqual(
      names.sort(),
      expected ? ['hookmq.property.Content-Type', 'hookmq.retain', 'hookmq.user_properties'] : [],
      said,
    )
  }
})

test('a server that asked for it changes retain flag and properties, and refuses with a reason code', async (t) => {
  const headers = {
    'hookmq.retain': 'false',
    'hookmq.property.Content-Type': 'changed',
    'hookmq.user_properties': '[["a","1"],["a","2"]]',
  }
  const changed = answers.message('go', { topic: 't', payload: Buffer.from('x'), headers })
  const { far, broker, connect } = await startTraced(
    t,
    { answers: { OnMessagePublish: changed } },
    { full_messages: 'on' },
  )
  const client = await connect()
  const got: object[] = []
  client.on('message', (_topic, _payload, { properties }) => void got.push({ ...properties }))
  await client.subscribeAsync('t')
  const retained = broker.stats()['retained.count']
  await client.publishAsync('t', 'x', { qos: 1, retain: true, properties: { contentType: 'text/plain' } })
  await until(() => got.length > 0)
  const [properties] = got as { contentType?: string; userProperties?: Record<string, unknown> }[]
  assert.equal(properties.contentType, 'changed')
  assert.deepEqual({ ...properties.userProperties }, { a: ['1', '2'] })
  assert.equal(broker.stats()['retained.count'], retained)
  const refusal = answers.message('stop', {
    topic: 't',
    headers: { 'hookmq.reject': '0x97', 'hookmq.reason': 'enough' },
  })
  await far.change({ answers: { OnMessagePublish: refusal } })
  await assert.rejects(client.publishAsync('t', 'x', { qos: 1 }), { code: 0x97 })
})

test('a server may say how long its answer holds', async (t) => {
  const { far, connect } = await startTraced(
    t,
    { answers: { OnClientAuthenticate: { ...answers.stop(true), metadata: { 'hookmq-cache-ttl': '60s' } } } },
    { 'cache.ttl': '1ms' },
  )
  for (const _ of [1, 2, 3]) {
    const client = await connect({ clientId: 'c1', username: 'u', password: 'p' })
    await client.endAsync()
  }
  assert.equal((await far.requests('OnClientAuthenticate')).length, 1)
})
