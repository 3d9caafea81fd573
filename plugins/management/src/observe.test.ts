import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Series } from './monitor/series.ts'
import { nextMessage, run } from './running.testing.ts'

test('who is banned does not get in: client id, user name, address, network', async (scope) => {
  const { call, connect, broker, store } = await run(scope)
  const hooked = () => broker.admin.hooks().find(({ point }) => point === 'client.connect')?.hooks.length ?? 0
  const before = hooked()
  const ban = (body: object) => call('POST', '/banned', { body })
  const made = await ban({ as: 'clientid', who: 'bad', reason: 'noise' })
  const { at, ...rest } = made.body
  assert.deepEqual(rest, { as: 'clientid', who: 'bad', by: 'admin', reason: 'noise', until: 'infinity' })
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
  assert.equal(hooked(), before + 1)
  await assert.rejects(connect({ clientId: 'bad', protocolVersion: 5 }), /Banned/)
  await connect({ clientId: 'good' })
  await ban({ as: 'username', who: 'eve' })
  await assert.rejects(connect({ username: 'eve' }))
  assert.equal((await ban({ as: 'username', who: 'eve' })).body.code, 'ALREADY_EXISTS')
  assert.deepEqual((await call('GET', '/banned?username=eve')).body.meta.count, 1)
  assert.deepEqual((await call('GET', '/banned')).body.meta.count, 2)
  assert.equal((await call('DELETE', '/banned/username/eve')).status, 204)
  assert.equal((await call('DELETE', '/banned/username/eve')).status, 404)
  await connect({ username: 'eve' })
  await ban({ as: 'peerhost_net', who: '127.0.0.0/8', until: Math.floor(Date.now() / 1000) + 3600 })
  await assert.rejects(connect({ clientId: 'any' }))
  let kept = 0
  for await (const _ of store.namespace('management').list('banned/')) kept++
  assert.equal(kept, 2)
  assert.equal((await call('DELETE', '/banned')).status, 204)
  await ban({ as: 'peerhost', who: '127.0.0.1', until: '2999-01-01T00:00:00Z' })
  await assert.rejects(connect({ clientId: 'any' }))
  await call('DELETE', '/banned')
  await connect({ clientId: 'any' })
  assert.equal(hooked(), before)
  for (const body of [
    { as: 'clientid', who: 'x', until: 'soon' },
    { as: 'clientid', who: 'x', until: '2001-01-01T00:00:00Z' },
    { as: 'peerhost_net', who: 'here' },
    { as: 'colour', who: 'x' },
    { as: 'clientid' },
  ]) {
    assert.equal((await ban(body)).status, 400, JSON.stringify(body))
  }
})

test('bans outlive the plugin', async (scope) => {
  const first = await run(scope)
  await first.call('POST', '/banned', { body: { as: 'clientid', who: 'bad' } })
  await first.stop()
  const second = await run(scope, { store: first.store })
  await assert.rejects(second.connect({ clientId: 'bad' }))
})

test('a trace of a client, and one of a topic', async (scope) => {
  const { call, connect, broker } = await run(scope)
  const hooked = () => broker.admin.hooks().reduce((sum, { hooks }) => sum + hooks.length, 0)
  const before = hooked()
  const begun = await call('POST', '/trace', { body: { name: 'one', type: 'clientid', clientid: 'c' } })
  assert.deepEqual([begun.status, begun.body.status, begun.body.clientid], [200, 'running', 'c'])
  const body = { name: 'two', type: 'topic', topic: 'a/+', payload_encode: 'text' }
  assert.equal((await call('POST', '/trace', { body })).status, 200)
  const client = await connect({ clientId: 'c' })
  const other = await connect({ clientId: 'other' })
  await client.subscribeAsync('a/b')
  const message = nextMessage(client)
  await other.publishAsync('a/b', 'hello\nworld', { qos: 1 })
  await message
  await other.publishAsync('elsewhere', 'x', { qos: 1 })
  const one = (await call('GET', '/trace/one/download')).text
  assert.match(one, /\[CONNECTED\] clientid: "c", peerhost: 127\.0\.0\.1/)
  assert.match(one, /\[SUBSCRIBED\] clientid: "c".* "a\/b" qos: 0/)
  assert.match(one, /\[DELIVERED\] clientid: "c".*topic: "a\/b".*from: "other", payload: \(11 bytes\)/)
  assert.ok(!one.includes('clientid: "other"') && !one.includes('hello'))
  const two = (await call('GET', '/trace/two/download')).text
  assert.match(two, /\[PUBLISH\] clientid: "other".*payload: "hello\\nworld"/)
  assert.ok(!two.includes('elsewhere'))
  assert.ok(
    two
      .trimEnd()
      .split('\n')
      .every((line) => /^\d{4}-.*Z \[[A-Z]+\]/.test(line)),
    two,
  )
  const piece = (await call('GET', '/trace/two/log?bytes=10')).body
  assert.deepEqual(piece, { items: two.slice(0, 10), meta: { position: 10, bytes: 10 } })

  assert.deepEqual((await call('PUT', '/trace/one/stop')).body, { name: 'one', enable: false })
  await client.publishAsync('after', 'x', { qos: 1 })
  assert.ok(!(await call('GET', '/trace/one/download')).text.includes('after'))
  const rows = (await call('GET', '/trace')).body
  assert.deepEqual(
    rows.map(({ name, status }: { name: string; status: string }) => [name, status]),
    [
      ['two', 'running'],
      ['one', 'stopped'],
    ],
  )
  assert.equal((await call('DELETE', '/trace/one')).status, 204)
  assert.equal((await call('GET', '/trace/one/download')).status, 404)
  assert.equal((await call('DELETE', '/trace')).status, 204)
  assert.equal(hooked(), before)
  for (const [body, message] of [
    [{ name: 'x', type: 'clientid' }, 'body: clientid is missing'],
    [{ name: '../x', type: 'topic', topic: 'a' }, /^body\.name/],
    [{ name: 'x', type: 'topic', topic: 'a', end_at: '2001-01-01T00:00:00Z' }, /^body\.end_at/],
    [{ name: 'x', type: 'topic', topic: 'a', end_at: '2999-01-01T00:00:00Z' }, /a day at most/],
    [{ name: 'x', type: 'topic', topic: 'a', start_at: 'soon' }, /^body\.start_at/],
  ] as const) {
    const answer = await call('POST', '/trace', { body })
    assert.equal(answer.status, 400)
    assert.match(answer.body.message, message instanceof RegExp ? message : new RegExp(`^${message}$`))
  }
  for (let count = 0; count < 30; count++) {
    const body = { name: `t${count}`, type: 'topic', topic: 'a' }
    assert.equal((await call('POST', '/trace', { body })).status, 200)
  }
  const full = await call('POST', '/trace', { body: { name: 'more', type: 'topic', topic: 'a' } })
  assert.equal(full.body.code, 'EXCEED_LIMIT')
})

test('what goes on now, and the past', async (scope) => {
  const { call, connect, broker } = await run(scope)
  await connect()
  const now = (await call('GET', '/monitor_current')).body
  assert.deepEqual([now.connections, now.live_connections, now.topics, now.received_msg_rate], [1, 1, 0, 0])
  assert.deepEqual((await call('GET', '/monitor?latest=60')).body, [])
  const { node } = broker.options
  assert.equal((await call('GET', `/monitor_current/nodes/${node}`)).body.connections, 1)
  assert.equal((await call('GET', '/monitor/nodes/other')).status, 404)
  assert.equal((await call('GET', '/monitor?latest=0')).status, 400)
})

test('a series keeps a week: the older, the coarser, and no more than so much', () => {
  const series = new Series()
  const sample = (time_stamp: number) => ({
    time_stamp,
    connections: time_stamp,
    live_connections: 0,
    topics: 0,
    subscriptions: 0,
    received: 1,
    sent: 2,
    dropped: 0,
  })
  const days = 8
  const count = (days * 86_400) / 10
  for (let index = 0; index < count; index++) series.add(sample(index * 10_000))
  const now = (count - 1) * 10_000
  assert.equal(series.since(now - 3_600_000, now).length, 360)
  const day = series.since(now - 86_400_000, now)
  assert.equal(day.length, 1440)
  assert.deepEqual([day[0]?.received, day[0]?.sent], [6, 12])
  assert.equal(day[0]?.connections, (day[0]?.time_stamp ?? 0) + 50_000)
  assert.equal(series.since(0, now).length, 1008)
  assert.equal(series.latest?.time_stamp, now)
})

test('providers of hooks are shown to Prometheus, with latencies by hook', async (scope) => {
  const { call, broker } = await run(scope)
  const url = '/prometheus/stats'
  assert.ok(!(await call('GET', url)).text.includes('hookmq_provider_'))
  let fails = false
  await broker.hooks.attach(
    {
      name: 'far "end"',
      load: async () => [{ name: 'message.publish' }],
      async call() {
        if (fails) throw new Error('down')
      },
      tell() {},
      async unload() {},
      numbers: { connections: 2 },
    },
    { breaker: { failures: 1, openFor: 60_000 } },
  )
  await broker.publish({ topic: 't', payload: Buffer.alloc(0) })
  const labels = 'provider="far \\"end\\""'
  const before = (await call('GET', url)).text
  assert.ok(before.includes(`hookmq_provider_loaded{${labels}} 1\n`))
  assert.ok(before.includes(`hookmq_provider_breaker{${labels}} 0\n`))
  assert.ok(before.includes(`hookmq_provider_connections{${labels}} 2\n`))
  assert.ok(before.includes(`hookmq_provider_latency_milliseconds_count{${labels},point="message.publish"} 1\n`))
  for (const quantile of ['0.5', '0.99'])
    assert.match(
      before,
      new RegExp(`latency_milliseconds\\{.*point="message.publish",quantile="${quantile}"\\} [\\d.]+\n`),
    )
  fails = true
  for (let index = 0; index < 3; index++) await broker.publish({ topic: 't', payload: Buffer.alloc(0) })
  const after = (await call('GET', url)).text
  assert.ok(after.includes(`hookmq_provider_breaker{${labels}} 2\n`))
  assert.ok(after.includes(`hookmq_provider_breaker_opened{${labels}} 1\n`))
  assert.ok(after.includes(`hookmq_provider_turned_away{${labels}} 2\n`))
})
