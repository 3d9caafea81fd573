import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

testVersions(
  currentVersions,
  'SUBSCRIBE: authorize each, client.subscribe, session.subscribed, SUBACK, retained',
  async (t, version) => {
    const broker = await startBroker(t)
    const publisher = await broker.connect({ version })
    await publishThrough(publisher, 'b', 'kept', { retain: true })
    const client = await broker.connect({ version, clientId: 'c' })
    broker.recorder.clear()
    await subscribe(client, ['a', 'b'])
    await client.expect('publish', { payload: 'kept' })
    const lines = broker.recorder.lines({ client: 'c' })
    assert.deepEqual(lines.slice(0, 6), [
      '>SUBSCRIBE',
      'client.authorize subscribe a',
      'client.authorize subscribe b',
      'client.subscribe a b',
      'session.subscribed a new',
      'session.subscribed b new',
    ])
    assert.ok(lines.indexOf('<SUBACK') < lines.indexOf('<PUBLISH'))
    assert.ok(lines.includes('message.delivered b'))
  },
)

test('a share is authorized by its real topic', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ clientId: 'c' })
  broker.recorder.clear()
  await subscribe(client, '$share/g/a/b')
  assert.deepEqual(broker.recorder.lines({ client: 'c' }), [
    '>SUBSCRIBE',
    'client.authorize subscribe a/b',
    'client.subscribe $share/g/a/b',
    'session.subscribed $share/g/a/b new',
    '<SUBACK',
  ])
})

test('some filters are denied', async (t) => {
  const broker = await startBroker(t)
  broker.hook('client.authorize', ({ topic }) => {
    return { stop: { result: topic === 'b' ? ('deny' as const) : ('allow' as const), from: 'test' } }
  })
  const client = await broker.connect({ clientId: 'c' })
  broker.recorder.clear()
  assert.deepEqual(await subscribe(client, ['a', 'b', 'c']), [0, 0x87, 0])
  assert.deepEqual(broker.recorder.lines({ client: 'c' }), [
    '>SUBSCRIBE',
    'client.authorize subscribe a',
    'client.authorize subscribe b',
    'client.authorize subscribe c',
    'client.subscribe a c',
    'session.subscribed a new',
    'session.subscribed c new',
    '<SUBACK',
  ])
})

test('all filters are denied: client.subscribe runs with an empty list', async (t) => {
  const broker = await startBroker(t, { aclNoMatch: 'deny' })
  const client = await broker.connect({ clientId: 'c' })
  broker.recorder.clear()
  assert.deepEqual(await subscribe(client, 'a'), [0x87])
  assert.deepEqual(
    broker.recorder.of('client.subscribe').map(({ accumulator }) => accumulator),
    [[]],
  )
})

testVersions(currentVersions, 'any denied with deny action disconnect: no client.subscribe', async (t, version) => {
  const broker = await startBroker(t, { aclNoMatch: 'deny', aclDenyAction: 'disconnect' })
  const client = await broker.connect({ version, clientId: 'c' })
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0 }] })
  await client.expectDisconnect(0x87)
  assert.equal(broker.recorder.count('client.subscribe'), 0)
  assert.ok(broker.recorder.lines().includes('client.disconnected not_authorized'))
})

test('client.subscribe rewrites a filter: stored as rewritten, SUBACK in the old place', async (t) => {
  const broker = await startBroker(t)
  broker.hook('client.subscribe', (_, list) => ({
    ok: list.map((entry) => (entry.filter === 'old' ? { ...entry, filter: 'new' } : entry)),
  }))
  const client = await broker.connect({ clientId: 'c' })
  assert.deepEqual(await subscribe(client, ['a', 'old', 'b'], { qos: 1 }), [1, 1, 1])
  assert.ok(broker.recorder.lines().includes('session.subscribed new new'))
  const publisher = await broker.connect()
  await publishThrough(publisher, 'new', 'x', { qos: 1 })
  await client.expect('publish', { topic: 'new' })
})

test('subscribing again: isNew is false', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ clientId: 'c' })
  await subscribe(client, 'a')
  await subscribe(client, 'a')
  assert.deepEqual(
    broker.recorder.of('session.subscribed').map(({ args }) => args.isNew),
    [true, false],
  )
})

testVersions(
  currentVersions,
  'a bad filter: no subscribe hooks, the name of the code as reason',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version, clientId: 'c' })
    broker.recorder.clear()
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/#/b', qos: 0 }] })
    await client.expectDisconnect(0x8f)
    const lines = broker.recorder.lines({ client: 'c', wire: false })
    assert.ok(!lines.some((line) => /subscribe|authorize/.test(line)))
    assert.ok(lines.includes('client.disconnected topic_filter_invalid'))
  },
)

testVersions(
  currentVersions,
  'UNSUBSCRIBE: never authorized, session.unsubscribed for existing filters only',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version, clientId: 'c' })
    await subscribe(client, ['a', 'b'])
    broker.recorder.clear()
    const unsuback = await unsubscribe(client, 'a', 'missing', 'b')
    if (version === 5) assert.deepEqual(unsuback.granted, [0, 0x11, 0])
    assert.deepEqual(broker.recorder.lines({ client: 'c' }), [
      '>UNSUBSCRIBE',
      'client.unsubscribe a missing b',
      'session.unsubscribed a',
      'session.unsubscribed b',
      '<UNSUBACK',
    ])
  },
)

testVersions(currentVersions, 'client.ping', async (t, version) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version, clientId: 'c' })
  broker.recorder.clear()
  client.send({ cmd: 'pingreq' })
  await client.expect('pingresp')
  assert.deepEqual(broker.recorder.lines(), ['>PINGREQ', 'client.ping', '<PINGRESP'])
})
