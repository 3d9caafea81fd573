import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextMessage, run } from './running.testing.ts'

test('clients: list with paging and filters, one, kick, kick several', async (scope) => {
  const { connect, call, broker } = await run(scope)
  const a = await connect({ clientId: 'a-1', username: 'ann', protocolVersion: 5 })
  await connect({ clientId: 'a-2', username: 'bob', clean: false })
  await connect({ clientId: 'b-1', username: 'bob' })

  const first = await call('GET', '/clients?limit=2')
  assert.equal(first.status, 200)
  assert.deepEqual(first.body.meta, { page: 1, limit: 2, count: 3, hasnext: true })
  const second = await call('GET', '/clients?limit=2&page=2')
  assert.deepEqual(second.body.meta, { page: 2, limit: 2, count: 3, hasnext: false })
  const ids = [...first.body.data, ...second.body.data].map(({ clientid }: { clientid: string }) => clientid)
  assert.deepEqual(ids.sort(), ['a-1', 'a-2', 'b-1'])

  const found = async (query: string): Promise<string[]> => {
    const { body, status } = await call('GET', `/clients?${query}`)
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body.meta.count, body.data.length)
    return body.data.map(({ clientid }: { clientid: string }) => clientid).sort()
  }
  assert.deepEqual(await found('like_clientid=a-'), ['a-1', 'a-2'])
  assert.deepEqual(await found('like_username=o'), ['a-2', 'b-1'])
  assert.deepEqual(await found('username=bob&like_clientid=a'), ['a-2'])
  assert.deepEqual(await found('clientid=a-1&clientid=b-1'), ['a-1', 'b-1'])
  assert.deepEqual(await found('clientid=a-1'), ['a-1'])
  assert.deepEqual(await found('proto_ver=5'), ['a-1'])
  assert.deepEqual(await found('clean_start=false'), ['a-2'])
  assert.deepEqual(await found('ip_address=127.0.0.1'), ['a-1', 'a-2', 'b-1'])
  assert.deepEqual(await found('ip_address=10.0.0.1'), [])
  assert.deepEqual(await found('node=other'), [])
  assert.deepEqual(await found('conn_state=disconnected'), [])
  assert.deepEqual(await found('gte_connected_at=2020-01-01T00:00:00Z'), ['a-1', 'a-2', 'b-1'])
  assert.deepEqual(await found(`lte_created_at=${Date.parse('2020-01-01T00:00:00Z')}`), [])

  const one = await call('GET', '/clients/a-1')
  const { clientid, username, connected, proto_ver, proto_name, ip_address, node, connected_at } = one.body
  assert.deepEqual(
    { clientid, username, connected, proto_ver, proto_name, ip_address, node },
    {
      clientid: 'a-1',
      username: 'ann',
      connected: true,
      proto_ver: 5,
      proto_name: 'MQTT',
      ip_address: '127.0.0.1',
      node: broker.options.node,
    },
  )
  assert.ok(Math.abs(Date.parse(connected_at) - Date.now()) < 60_000)

  const closed = new Promise<void>((resolve) => a.once('close', () => resolve()))
  assert.equal((await call('DELETE', '/clients/a-1')).status, 204)
  await closed
  assert.deepEqual((await call('GET', '/clients/a-1')).body, {
    code: 'CLIENTID_NOT_FOUND',
    message: 'there is no client a-1',
  })
  assert.equal((await call('DELETE', '/clients/a-1')).status, 404)
  assert.equal((await call('POST', '/clients/kickout/bulk', { body: ['a-2', 'b-1', 'nobody'] })).status, 204)
  assert.deepEqual(await found(''), [])
})

test('many clients are kicked a bounded number at a time', async (scope) => {
  const { connect, call, broker } = await run(scope)
  await connect({ clientId: 'last' })
  const { admin } = broker
  const kick = admin.kick.bind(admin)
  const asked = new Set<string>()
  let [now, most] = [0, 0]
  admin.kick = async (clientId) => {
    asked.add(clientId)
    most = Math.max(most, ++now)
    await new Promise((resolve) => setImmediate(resolve))
    now--
    return kick(clientId)
  }
  const ids = [...Array.from({ length: 1000 }, (_, index) => `nobody-${index}`), 'last']
  assert.equal((await call('POST', '/clients/kickout/bulk', { body: ids })).status, 204)
  assert.deepEqual([asked.size, most, now], [ids.length, 64, 0])
  assert.equal((await call('GET', '/clients/last')).status, 404)
})

test('a session without a connection stays in the list as disconnected', async (scope) => {
  const { connect, call } = await run(scope)
  const client = await connect({ clientId: 'away', clean: false })
  await client.subscribeAsync('x')
  await client.endAsync()
  let row: { connected: boolean; disconnected_at: string | null; subscriptions_cnt: number }
  do row = (await call('GET', '/clients/away')).body
  while (row.connected)
  assert.equal(row.subscriptions_cnt, 1)
  assert.ok(Date.parse(row.disconnected_at ?? '') > 0)
  assert.equal((await call('GET', '/clients?conn_state=disconnected')).body.meta.count, 1)
})

test('what a page may be', async (scope) => {
  const { call } = await run(scope)
  for (const query of ['page=0', 'page=x', 'limit=0', 'limit=10001', 'conn_state=dead', 'gte_created_at=soon']) {
    const { status, body } = await call('GET', `/clients?${query}`)
    assert.equal(status, 400, query)
    assert.equal(body.code, 'BAD_REQUEST')
    assert.match(body.message, new RegExp(`query.${query.split('=')[0]}`))
  }
  assert.equal((await call('GET', '/clients?limit=10000')).status, 200)
})

test('subscriptions: of all, of one, made and ended for a client', async (scope) => {
  const { connect, call, broker } = await run(scope)
  const client = await connect({ clientId: 'c', protocolVersion: 5 })
  await client.subscribeAsync('a/+', { qos: 1, nl: true })
  await client.subscribeAsync('$share/g/b', { qos: 2 })

  const all = await call('GET', '/subscriptions')
  assert.deepEqual(all.body.meta, { page: 1, limit: 100, count: 2, hasnext: false })
  const node = broker.options.node
  const rowOfA = { node, clientid: 'c', topic: 'a/+', qos: 1, nl: 1, rap: 0, rh: 0, durable: false }
  assert.deepEqual(all.body.data[0], rowOfA)
  const found = async (query: string): Promise<string[]> =>
    (await call('GET', `/subscriptions?${query}`)).body.data.map(({ topic }: { topic: string }) => topic)
  assert.deepEqual(await found('qos=2'), ['$share/g/b'])
  assert.deepEqual(await found('share_group=g'), ['$share/g/b'])
  assert.deepEqual(await found('topic=b'), ['$share/g/b'])
  assert.deepEqual(await found('match_topic=a/%23'), ['a/+'])
  assert.deepEqual(await found('clientid=other'), [])
  assert.deepEqual(await found('clientid=c&limit=1'), ['a/+'])
  assert.deepEqual((await call('GET', '/clients/c/subscriptions')).body[0], rowOfA)
  assert.equal((await call('GET', '/clients/nobody/subscriptions')).status, 404)

  const topics = await call('GET', '/topics')
  assert.deepEqual(topics.body.data.map(({ topic }: { topic: string }) => topic).sort(), ['a/+', 'b'])
  assert.deepEqual((await call('GET', `/topics/${encodeURIComponent('a/+')}`)).body, [{ topic: 'a/+', node }])
  assert.equal((await call('GET', '/topics/none')).status, 404)

  const made = await call('POST', '/clients/c/subscribe', { body: { topic: 'made/#', qos: 1 } })
  assert.deepEqual(made.body, { node, clientid: 'c', topic: 'made/#', qos: 1, nl: 0, rap: 0, rh: 0, durable: false })
  const message = nextMessage(client)
  assert.equal((await call('POST', '/publish', { body: { topic: 'made/x', payload: 'hello' } })).status, 200)
  assert.deepEqual(await message, ['made/x', 'hello'])

  const several = [{ topic: 'm/1' }, { topic: 'm/2', qos: 2 }]
  assert.equal((await call('POST', '/clients/c/subscribe/bulk', { body: several })).body.length, 2)
  assert.deepEqual(await found('qos=2&topic=m/2'), ['m/2'])
  assert.equal((await call('POST', '/clients/c/unsubscribe/bulk', { body: [...several, { topic: 'no' }] })).status, 204)
  assert.equal((await call('POST', '/clients/c/unsubscribe', { body: { topic: 'made/#' } })).status, 204)
  assert.equal((await call('POST', '/clients/c/unsubscribe', { body: { topic: 'made/#' } })).status, 404)
  assert.deepEqual((await found('clientid=c')).length, 2)

  const bad = await call('POST', '/clients/c/subscribe', { body: { topic: 'a/#/b' } })
  assert.equal(bad.status, 400)
  assert.match(bad.body.message, /^body\.topic: /)
  const nobody = await call('POST', '/clients/nobody/subscribe', { body: { topic: 'a' } })
  assert.deepEqual([nobody.status, nobody.body.code], [404, 'CLIENTID_NOT_FOUND'])
  assert.equal((await call('POST', '/clients/c/subscribe', { body: { topic: 'a', qos: 3 } })).status, 400)
})
