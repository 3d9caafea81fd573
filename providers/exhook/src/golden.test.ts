import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ExHookVersion } from '@hookmq/exhook-proto'
import { until } from './testing/managed.ts'
import { startTraced } from './testing/traced.ts'

// What a provider with all 19 hooks sees of a real client over TCP: the calls, their order and their fields.

const connected = ['client_connect', 'client_authenticate', 'session_created', 'client_connected', 'client_connack']
const versions: readonly ExHookVersion[] = ['v2', 'v3']

for (const version of versions)
  for (const notify of ['wait', 'background'])
    describe(`${version}, notify = ${notify}`, () => {
      test('the traces of EMQX', async (t) => {
        const traced = await startTraced(t, { versions: [version] }, { notify })
        assert.deepEqual(await traced.far.trace(), ['provider_loaded'])

        const client = await traced.connect({ clientId: 'c1' })
        assert.deepEqual(await traced.trace(5), connected)

        await client.subscribeAsync('t/1', { qos: 1 })
        assert.deepEqual(await traced.trace(3), ['client_authorize', 'client_subscribe', 'session_subscribed'])

        await client.publishAsync('t/1', 'x', { qos: 0 })
        assert.deepEqual(await traced.trace(3), ['client_authorize', 'message_publish', 'message_delivered'])

        await client.publishAsync('t/1', 'x', { qos: 1 })
        assert.deepEqual(await traced.trace(4), [
          'client_authorize',
          'message_publish',
          'message_delivered',
          'message_acked',
        ])

        await client.publishAsync('t/none', 'x', { qos: 0 })
        assert.deepEqual(await traced.trace(3), ['client_authorize', 'message_publish', 'message_dropped'])
        const [dropped] = await traced.far.requests('OnMessageDropped')
        const published = await traced.far.requests('OnMessagePublish')
        assert.equal(dropped.reason, 'no_subscribers')
        assert.equal(dropped.message?.id, published.at(-1)?.message?.id)

        await client.unsubscribeAsync('t/1')
        assert.deepEqual(await traced.trace(2), ['client_unsubscribe', 'session_unsubscribed'])

        await client.endAsync()
        assert.deepEqual(await traced.trace(2), ['client_disconnected', 'session_terminated'])
        const [{ reason: left }] = await traced.far.requests('OnClientDisconnected')
        const [{ reason: terminated }] = await traced.far.requests('OnSessionTerminated')
        assert.deepEqual([left, terminated], ['normal', '{shutdown,normal}'])
        assert.ok(
          (await traced.far.calls()).every((call) => call.version === version),
          'all calls are of the version that the server has',
        )
      })

      test('a refused login', async (t) => {
        const traced = await startTraced(t, { versions: [version], convention: true }, { notify })
        await assert.rejects(traced.connect({ clientId: 'c1', username: 'baduser' }), { code: 0x87 })
        assert.deepEqual(await traced.trace(3), ['client_connect', 'client_authenticate', 'client_connack'])
        assert.equal((await traced.far.requests('OnClientConnack'))[0].resultCode, 'not_authorized')
      })
    })

for (const version of versions)
  describe(`fields of ${version}`, () => {
    test('OnProviderLoaded: once, first, with broker and meta', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version] })
      await connect()
      const [request] = await far.requests('OnProviderLoaded')
      assert.equal((await far.requests('OnProviderLoaded')).length, 1)
      assert.equal((await far.trace())[0], 'provider_loaded')
      assert.equal(request.broker?.sysdescr, 'HookMQ')
      assert.match(request.broker?.version ?? '', /^\d+\.\d+\.\d+/)
      assert.match(request.broker?.datetime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}[+-]\d\d:\d\d$/)
      assert.ok((request.broker?.uptime ?? -1n) >= 0n)
      assert.equal(request.meta?.clusterName, 'emqxcl')
      const [connected] = await far.requests('OnClientConnect')
      assert.deepEqual(connected.meta, request.meta)
      assert.notEqual(connected.meta?.node, '')
      assert.equal(connected.conninfo?.node, connected.meta?.node)
    })

    test('a client of MQTT 3.1.1 without user name', async (t) => {
      const { far, connect, port } = await startTraced(t, { versions: [version] })
      await connect({ clientId: 'c1', protocolVersion: 4, keepalive: 33 })
      const [{ conninfo, props, userProps }] = await far.requests('OnClientConnect')
      assert.deepEqual(
        [conninfo?.clientid, conninfo?.username, conninfo?.peerhost, conninfo?.protoName, conninfo?.protoVer],
        ['c1', '', '127.0.0.1', 'MQTT', '4'],
      )
      assert.deepEqual([conninfo?.keepalive, conninfo?.sockport, props, userProps], [33, port, [], []])
      assert.notEqual(conninfo?.peerport, 0)
    })

    test('an empty client id: CONNECT and CONNACK show it empty, the assigned one is a property', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version] })
      await connect({ clientId: '', clean: true })
      await until(async () => (await far.requests('OnClientConnected')).length === 1)
      await until(async () => (await far.requests('OnClientConnack')).length === 1)
      const [{ conninfo }] = await far.requests('OnClientConnect')
      const [connack] = await far.requests('OnClientConnack')
      const [{ clientinfo }] = await far.requests('OnClientConnected')
      assert.deepEqual([conninfo?.clientid, connack.conninfo?.clientid, connack.resultCode], ['', '', 'success'])
      const assigned = connack.props.find(({ name }) => name === 'Assigned-Client-Identifier')?.value
      assert.notEqual(assigned, undefined)
      assert.equal(clientinfo?.clientid, assigned)
    })

    test('properties of CONNECT, user properties in order', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version] })
      const properties = { sessionExpiryInterval: 120, userProperties: { a: ['1', '2'], b: '3' } }
      await connect({ clientId: 'c1', properties })
      const [{ props, userProps }] = await far.requests('OnClientConnect')
      const names = props.map(({ name, value }) => `${name}=${value}`)
      assert.ok(names.includes('Session-Expiry-Interval=120'))
      if (version === 'v3') {
        assert.deepEqual(
          userProps.map(({ name, value }) => `${name}=${value}`),
          ['a=1', 'a=2', 'b=3'],
        )
        assert.ok(!names.some((name) => name.startsWith('User-Property')))
      } else {
        assert.deepEqual(userProps, [])
        assert.ok(names.includes('User-Property=[{<<"a">>,<<"1">>},{<<"a">>,<<"2">>},{<<"b">>,<<"3">>}]'))
      }
    })

    test('a shared subscription: authorize sees the real filter, the others the full one', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version] })
      const client = await connect({ clientId: 'c1' })
      await client.subscribeAsync('$share/g/t/1', { qos: 1 })
      await until(async () => (await far.requests('OnSessionSubscribed')).length === 1)
      const [authorize] = await far.requests('OnClientAuthorize')
      assert.deepEqual([authorize.topic, authorize.type], ['t/1', 1])
      const [subscribe] = await far.requests('OnClientSubscribe')
      assert.deepEqual([subscribe.topicFilters[0].name, subscribe.topicFilters[0].subopts?.qos], ['$share/g/t/1', 1])
      assert.equal((await far.requests('OnSessionSubscribed'))[0].topic, '$share/g/t/1')
      await client.unsubscribeAsync('$share/g/t/1')
      await until(async () => (await far.requests('OnSessionUnsubscribed')).length === 1)
      assert.deepEqual(
        (await far.requests('OnClientUnsubscribe'))[0].topicFilters.map(({ name }) => name),
        ['$share/g/t/1'],
      )
    })

    test('below $SYS/ authorize is asked, message.publish is not', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version] })
      const client = await connect({ clientId: 'c1' })
      await client.publishAsync('$SYS/x', 'x', { qos: 1 }).catch(() => {})
      await client.publishAsync('plain', 'x', { qos: 1 })
      const topics = (await far.requests('OnClientAuthorize')).map(({ topic }) => topic)
      assert.deepEqual(topics, ['$SYS/x', 'plain'])
      assert.deepEqual(
        (await far.requests('OnMessagePublish')).map(({ message }) => message?.topic),
        ['plain'],
      )
    })

    test('the password: where it is needed, and nowhere else; bytes that are no UTF-8 do not fail the call', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version] })
      await connect({ clientId: 'c1', username: 'u', password: Buffer.from([0x61, 0xff]) })
      await until(async () => (await far.requests('OnClientConnected')).length === 1)
      assert.equal((await far.requests('OnClientAuthenticate'))[0].clientinfo?.password, 'a\ufffd')
      assert.equal((await far.requests('OnClientConnected'))[0].clientinfo?.password, '')
      assert.ok(!(await far.calls()).some(({ call, bytes }) => call === 'OnClientConnect' && bytes.includes('a\ufffd')))
    })

    test('a socket that closes: tcp_closed', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version] })
      const client = await connect({ clientId: 'c1' })
      client.stream.destroy()
      await until(async () => (await far.requests('OnSessionTerminated')).length === 1)
      assert.equal((await far.requests('OnClientDisconnected'))[0].reason, 'tcp_closed')
      assert.equal((await far.requests('OnSessionTerminated'))[0].reason, '{shutdown,tcp_closed}')
    })

    test('takeover and clean start, as the old connection sees them', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version] })
      const kept = { clientId: 'c1', clean: false, properties: { sessionExpiryInterval: 100 } }
      await connect(kept)
      await connect(kept)
      await until(async () => (await far.requests('OnSessionTakenover')).length === 1, 'taken over')
      await until(async () => (await far.requests('OnSessionResumed')).length === 1, 'resumed')
      await connect({ clientId: 'c1', clean: true })
      await until(async () => (await far.requests('OnSessionDiscarded')).length === 1, 'discarded')
      await until(async () => (await far.requests('OnClientDisconnected')).length === 2, 'both are gone')
      assert.deepEqual(
        (await far.requests('OnClientDisconnected')).map(({ reason }) => reason),
        ['takenover', 'discarded'],
      )
    })

    test('messages of one client are asked about in order, over one connection of eight', async (t) => {
      const { far, connect } = await startTraced(t, { versions: [version], hooks: [{ name: 'message.publish' }] })
      const clients = await Promise.all(['a', 'b', 'c', 'd'].map((clientId) => connect({ clientId })))
      const sent = Array.from({ length: 30 }, (_, index) =>
        clients.map((client) => client.publishAsync('t', String(index), { qos: 1 })),
      )
      await Promise.all(sent.flat())
      const calls = (await far.calls()).filter(({ call }) => call === 'OnMessagePublish')
      const requests = await far.requests('OnMessagePublish')
      assert.equal(calls.length, 120)
      for (const clientId of ['a', 'b', 'c', 'd']) {
        const own = requests.flatMap(({ message }, index) =>
          message?.from === clientId
            ? [[Buffer.from(message.payload).toString(), calls[index].connection] as const]
            : [],
        )
        assert.deepEqual(
          own.map(([payload]) => payload),
          Array.from({ length: 30 }, (_, index) => String(index)),
        )
        assert.equal(new Set(own.map(([, connection]) => connection)).size, 1)
      }
      assert.ok(new Set(calls.map(({ connection }) => connection)).size > 1, 'the pool is used')
    })
  })

describe("decisions of EMQX's own test server", () => {
  const start = (t: Parameters<typeof startTraced>[0], allowAnonymous: boolean) =>
    startTraced(t, { convention: true }, {}, { allowAnonymous })

  test('who may come in', async (t) => {
    const { connect } = await start(t, true)
    for (const username of ['gooduser', 'normaluser', 'somebody']) await connect({ username })
    await assert.rejects(connect({ username: 'baduser' }), { code: 0x87 })
    await assert.rejects(connect({ username: 'baduser', protocolVersion: 4 }), { code: 5 })
  })

  test('messages: stopped, changed, left alone', async (t) => {
    const { connect } = await start(t, true)
    const watcher = await connect({ clientId: 'watcher' })
    const got: string[] = []
    watcher.on('message', (topic, payload) => void got.push(`${topic}=${payload}`))
    await watcher.subscribeAsync('#')
    for (const clientId of ['baduser', 'gooduser', 'other']) {
      const client = await connect({ clientId })
      await client.publishAsync('t', 'x', { qos: 1 })
    }
    await until(() => got.length >= 2)
    assert.deepEqual(got, ['gooduser=gooduser', 't=x'])
  })
})
