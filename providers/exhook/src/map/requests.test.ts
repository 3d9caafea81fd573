import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClientInfo, HookPointName, Message } from '@hookmq/api'
import { hookPointNames } from '@hookmq/api'
import { testClient, testConnInfo, testCredential, testMessage, testSession } from '@hookmq/api/testing'
import { create, exhookHookNames, fromBinary, toBinary, v3 } from '@hookmq/exhook-proto'
import fc from 'fast-check'
import { ClientInfoCache, clientInfoOf } from './client-info.ts'
import { type MapContext, requestMeta } from './context.ts'
import { type EncodeContext, encodeRequest, isExHookPoint, keyOf } from './requests.ts'

const meta = { node: 'emqx@127.0.0.1', version: '5.8.0', sysdescr: 'HookMQ', clusterName: 'emqxcl' }

function contextOf(fields: Partial<MapContext> = {}): EncodeContext {
  const context = { version: 'v3', node: meta.node, meta: requestMeta(meta), full: false, ...fields } as const
  return { ...context, clients: new ClientInfoCache(context) }
}

const context = contextOf()
const early = contextOf({ version: 'v2' })
const subOpts = { qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 } as const
const full: ClientInfo = testClient({
  clientId: 'c1',
  username: 'u1',
  peerhost: '::ffff:10.0.0.1',
  peerport: 5000,
  sockport: 8883,
  mountpoint: 'mp/',
  superuser: true,
  anonymous: false,
  cn: 'device',
  dn: 'CN=device',
})
const fullFields = {
  node: meta.node,
  clientid: 'c1',
  username: 'u1',
  password: '',
  peerhost: '10.0.0.1',
  sockport: 8883,
  protocol: 'mqtt',
  mountpoint: 'mp/',
  isSuperuser: true,
  anonymous: true,
  cn: 'device',
  dn: 'CN=device',
  peerport: 5000,
}

/** Without the marks that @bufbuild/protobuf puts on messages. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !key.startsWith('$'))
      .map(([key, one]) => [key, plain(one)]),
  )
}

function request(
  schema: Parameters<typeof fromBinary>[0],
  point: HookPointName,
  args: object,
  accumulator?: unknown,
  given = context,
): Record<string, unknown> {
  const bytes = encodeRequest(given, point, args as never, accumulator as never)
  assert.ok(bytes !== undefined, `${point} is sent`)
  return plain(fromBinary(schema, bytes)) as Record<string, unknown>
}

test('the points of ExHook are those of the contract, and have its names', () => {
  assert.deepEqual(hookPointNames.filter(isExHookPoint).sort(), [...exhookHookNames].sort())
})

describe('connections', () => {
  test('client.connect: the connection as CONNECT described it', () => {
    const connInfo = testConnInfo({
      clientId: 'c1',
      username: undefined,
      peerhost: '::ffff:192.168.1.7',
      protocolVersion: 4,
      keepAlive: 33,
    })
    assert.deepEqual(request(v3.ClientConnectRequestSchema, 'client.connect', { connInfo }, {}), {
      conninfo: {
        node: meta.node,
        clientid: 'c1',
        username: '',
        peerhost: '192.168.1.7',
        sockport: 1883,
        protoName: 'MQTT',
        protoVer: '4',
        keepalive: 33,
        peerport: 50_000,
      },
      props: [],
      meta,
      userProps: [],
    })
  })

  test('properties: by their names in MQTT 5, as text; user properties in order, names repeated (v3), or as one entry (v2)', () => {
    const properties = {
      sessionExpiryInterval: 120,
      requestProblemInformation: 0,
      authenticationMethod: 'x',
      authenticationData: Buffer.from([0xff, 0x41]),
      userProperties: [
        ['a', '1'],
        ['a', '2'],
        ['b', '3'],
      ],
    } as const
    const args = { connInfo: testConnInfo() }
    const latest = request(v3.ClientConnectRequestSchema, 'client.connect', args, properties)
    const props = [
      { name: 'Session-Expiry-Interval', value: '120' },
      { name: 'Request-Problem-Information', value: '0' },
      { name: 'Authentication-Method', value: 'x' },
      { name: 'Authentication-Data', value: '\ufffdA' },
    ]
    assert.deepEqual(latest.props, props)
    assert.deepEqual(latest.userProps, [
      { name: 'a', value: '1' },
      { name: 'a', value: '2' },
      { name: 'b', value: '3' },
    ])
    const older = request(v3.ClientConnectRequestSchema, 'client.connect', args, properties, early)
    assert.deepEqual(older.props, [
      ...props,
      { name: 'User-Property', value: '[{<<"a">>,<<"1">>},{<<"a">>,<<"2">>},{<<"b">>,<<"3">>}]' },
    ])
    assert.deepEqual(older.userProps, [])
  })

  test('user properties in v2 are printed as Erlang prints them', () => {
    const userProperties = [
      ['q"\\', ''],
      ['é', 'line\n'],
    ] as const
    const { props } = request(
      v3.ClientConnectRequestSchema,
      'client.connect',
      { connInfo: testConnInfo() },
      { userProperties },
      early,
    )
    assert.deepEqual(props, [{ name: 'User-Property', value: '[{<<"q\\"\\\\">>,<<>>},{<<195,169>>,<<"line\\n">>}]' }])
  })

  test('client.connack: the client id of CONNECT, the name of the reason, the properties of CONNACK', () => {
    const args = { connInfo: testConnInfo({ clientId: '' }), reasonCode: 0, reason: 'success' }
    const properties = { assignedClientIdentifier: 'auto-1', maximumQoS: 1, serverKeepAlive: 60 }
    const connack = request(v3.ClientConnackRequestSchema, 'client.connack', args, properties)
    assert.equal((connack.conninfo as { clientid: string }).clientid, '')
    assert.equal(connack.resultCode, 'success')
    assert.deepEqual(connack.props, [
      { name: 'Assigned-Client-Identifier', value: 'auto-1' },
      { name: 'Maximum-QoS', value: '1' },
      { name: 'Server-Keep-Alive', value: '60' },
    ])
  })

  test('client.connected, client.disconnected: the client; the reason as it is', () => {
    const connInfo = testConnInfo()
    assert.deepEqual(request(v3.ClientConnectedRequestSchema, 'client.connected', { client: full, connInfo }), {
      clientinfo: fullFields,
      meta,
    })
    const args = { client: full, reason: 'tcp_closed', connInfo }
    assert.equal(request(v3.ClientDisconnectedRequestSchema, 'client.disconnected', args).reason, 'tcp_closed')
  })

  test('a client without a port of this machine, as of a gateway, is no reason to fail', () => {
    const client = { ...full, peerport: undefined, sockport: -1 } as unknown as ClientInfo
    const { clientinfo } = request(v3.ClientConnectedRequestSchema, 'client.connected', {
      client,
      connInfo: testConnInfo(),
    })
    assert.deepEqual([(clientinfo as typeof fullFields).peerport, (clientinfo as typeof fullFields).sockport], [0, 0])
  })
})

describe('decisions', () => {
  const schema = v3.ClientAuthenticateRequestSchema

  test('client.authenticate: the password, and what was decided before', () => {
    const client = testCredential({ username: 'u', password: Buffer.from('secret') })
    const asked = request(schema, 'client.authenticate', { client }, { result: 'ignore' })
    assert.equal((asked.clientinfo as { password: string }).password, 'secret')
    for (const [result, expected] of [
      ['allow', true],
      ['deny', false],
      ['ignore', false],
    ] as const)
      assert.equal(request(schema, 'client.authenticate', { client }, { result }).result, expected)
  })

  test('a password that is no UTF-8 does not fail the call', () => {
    const client = testCredential({ password: Buffer.from([0x61, 0xff, 0xfe]) })
    const { clientinfo } = request(schema, 'client.authenticate', { client }, { result: 'ignore' })
    assert.equal((clientinfo as { password: string }).password, 'a\ufffd\ufffd')
  })

  test('no password with enhanced authentication', () => {
    const client = testCredential({ password: Buffer.from('secret'), authenticationMethod: 'SCRAM' })
    const { clientinfo } = request(schema, 'client.authenticate', { client }, { result: 'ignore' })
    assert.equal((clientinfo as { password: string }).password, '')
  })

  test('client.authorize: publish is the default type, subscribe is not', () => {
    const ask = (action: string, result: string) =>
      request(
        v3.ClientAuthorizeRequestSchema,
        'client.authorize',
        { client: full, action, topic: 't/1' },
        { result, from: 'default' },
      )
    assert.deepEqual(ask('publish', 'allow'), { clientinfo: fullFields, type: 0, topic: 't/1', result: true, meta })
    assert.deepEqual(ask('subscribe', 'deny'), { clientinfo: fullFields, type: 1, topic: 't/1', result: false, meta })
  })
})

describe('subscriptions', () => {
  test('client.subscribe: full filters with all options', () => {
    const args = { client: full, properties: { subscriptionIdentifiers: [7], userProperties: [['k', 'v']] } }
    const subscriptions = [
      { filter: '$share/g/t/1', options: subOpts },
      { filter: 'plain', options: { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } },
    ]
    const asked = request(v3.ClientSubscribeRequestSchema, 'client.subscribe', args, subscriptions)
    assert.deepEqual(asked.topicFilters, [
      { name: '$share/g/t/1', subopts: { qos: 1, rh: 2, rap: 1, nl: 1 } },
      { name: 'plain', subopts: { qos: 0, rh: 0, rap: 0, nl: 0 } },
    ])
    assert.deepEqual(asked.props, [{ name: 'Subscription-Identifier', value: '7' }])
    assert.deepEqual(asked.userProps, [{ name: 'k', value: 'v' }])
  })

  test('client.unsubscribe: the filters, with options that are all 0', () => {
    const asked = request(v3.ClientUnsubscribeRequestSchema, 'client.unsubscribe', { client: full, properties: {} }, [
      { filter: 'a/#' },
    ])
    assert.deepEqual(asked.topicFilters, [{ name: 'a/#', subopts: { qos: 0, rh: 0, rap: 0, nl: 0 } }])
  })

  test('in v2, servers of EMQX 5.0 to 5.3 find QoS and share group where they were then', () => {
    const bytes = encodeRequest(early, 'client.subscribe', { client: full, properties: {} }, [
      { filter: '$share/g/t', options: subOpts },
      { filter: '$queue/t', options: subOpts },
    ])
    const [shared, queue] = fromBinary(v3.ClientSubscribeRequestSchema, bytes ?? Buffer.alloc(0)).topicFilters
    assert.deepEqual(
      shared.$unknown?.map(({ no, wireType, data }) => [no, wireType, ...data]),
      [[2, 0, 1]],
    )
    assert.deepEqual(
      shared.subopts?.$unknown?.map(({ no, data }) => [no, Buffer.from(data).subarray(1).toString()]),
      [[2, 'g']],
    )
    assert.equal(
      Buffer.from(queue.subopts?.$unknown?.[0].data ?? [])
        .subarray(1)
        .toString(),
      '$queue',
    )
    const latest = encodeRequest(context, 'client.subscribe', { client: full, properties: {} }, [
      { filter: '$share/g/t', options: subOpts },
    ])
    assert.equal(
      fromBinary(v3.ClientSubscribeRequestSchema, latest ?? Buffer.alloc(0)).topicFilters[0].$unknown,
      undefined,
    )
  })
})

describe('sessions', () => {
  const session = testSession()

  for (const [point, schema] of [
    ['session.created', v3.SessionCreatedRequestSchema],
    ['session.resumed', v3.SessionResumedRequestSchema],
    ['session.discarded', v3.SessionDiscardedRequestSchema],
    ['session.takenover', v3.SessionTakenoverRequestSchema],
  ] as const)
    test(`${point}: the client`, () => {
      assert.deepEqual(request(schema, point, { client: full, session }), { clientinfo: fullFields, meta })
    })

  test('session.subscribed, session.unsubscribed: the filter as it is stored', () => {
    const args = { client: full, topic: '$share/g/mp/t', options: subOpts, isNew: true }
    assert.deepEqual(request(v3.SessionSubscribedRequestSchema, 'session.subscribed', args), {
      clientinfo: fullFields,
      topic: '$share/g/mp/t',
      subopts: { qos: 1, rh: 2, rap: 1, nl: 1 },
      meta,
    })
    assert.deepEqual(request(v3.SessionUnsubscribedRequestSchema, 'session.unsubscribed', args), {
      clientinfo: fullFields,
      topic: '$share/g/mp/t',
      meta,
    })
  })

  test('session.terminated: how a process of Erlang would have ended', () => {
    for (const [reason, expected] of [
      ['normal', '{shutdown,normal}'],
      ['tcp_closed', '{shutdown,tcp_closed}'],
      ['keepalive_timeout', '{shutdown,keepalive_timeout}'],
      ['kicked', 'kicked'],
      ['expired', 'expired'],
    ])
      assert.equal(
        request(v3.SessionTerminatedRequestSchema, 'session.terminated', { client: full, reason, session }).reason,
        expected,
      )
  })
})

describe('messages', () => {
  const message: Message = {
    ...testMessage({
      topic: 'mp/t',
      payload: Buffer.from([0, 255, 1]),
      qos: 2,
      from: 'c1',
      headers: { username: 'u1', protocol: 'mqtt', peerhost: '::ffff:10.0.0.1' },
      properties: { contentType: 'text/plain', correlationData: Buffer.from('id'), userProperties: [['k', 'v']] },
    }),
    timestamp: 1_790_000_000_123,
  }
  const fields = {
    node: meta.node,
    id: message.id,
    qos: 2,
    from: 'c1',
    topic: 'mp/t',
    payload: new Uint8Array([0, 255, 1]),
    timestamp: 1_790_000_000_123n,
    headers: { username: 'u1', protocol: 'mqtt', peerhost: '::ffff:10.0.0.1' },
  }

  test('message.publish: v3 has the properties, v2 does not', () => {
    assert.deepEqual(request(v3.MessagePublishRequestSchema, 'message.publish', {}, message), {
      message: fields,
      meta,
      props: [
        { name: 'Content-Type', value: 'text/plain' },
        { name: 'Correlation-Data', value: 'id' },
      ],
      userProps: [{ name: 'k', value: 'v' }],
    })
    const older = request(v3.MessagePublishRequestSchema, 'message.publish', {}, message, early)
    assert.deepEqual(older, { message: fields, meta, props: [], userProps: [] })
  })

  test('message.delivered, message.acked: the subscriber; message.dropped: the reason', () => {
    assert.deepEqual(request(v3.MessageDeliveredRequestSchema, 'message.delivered', { client: full }, message), {
      clientinfo: fullFields,
      message: fields,
      meta,
    })
    const acked = { client: full, message, properties: {} }
    assert.deepEqual(request(v3.MessageAckedRequestSchema, 'message.acked', acked), {
      clientinfo: fullFields,
      message: fields,
      meta,
    })
    const dropped = { message, reason: 'no_subscribers' }
    assert.deepEqual(request(v3.MessageDroppedRequestSchema, 'message.dropped', dropped), {
      message: fields,
      reason: 'no_subscribers',
      meta,
    })
  })

  test('headers: only those that ExHook knows; a message of the broker itself has no protocol', () => {
    const headers = { protocol: 'internal', allowPublish: false, retained: true, delayedUntil: 5 }
    const asked = request(v3.MessagePublishRequestSchema, 'message.publish', {}, { ...message, headers })
    assert.deepEqual((asked.message as typeof fields).headers, { allow_publish: 'false' })
  })

  test('nothing below $SYS/ is sent; $SYS by itself and other topics with $ are', () => {
    const about = (topic: string) => ({ ...message, topic })
    for (const [topic, sent] of [
      ['$SYS/x', false],
      ['$SYS', true],
      ['$other/x', true],
    ] as const) {
      const one = about(topic)
      for (const bytes of [
        encodeRequest(context, 'message.publish', {}, one),
        encodeRequest(context, 'message.delivered', { client: full }, one),
        encodeRequest(context, 'message.dropped', { message: one, reason: 'no_subscribers' }, undefined),
        encodeRequest(context, 'message.acked', { client: full, message: one, properties: {} }, undefined),
      ])
        assert.equal(bytes !== undefined, sent, topic)
    }
  })
})

test('what is written by hand is, byte for byte, what @bufbuild/protobuf writes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 })
  const client = fc.record({ clientId: text, username: fc.option(text, { nil: undefined }), mountpoint: text })
  const messages = fc.record({
    topic: text.filter((topic) => !topic.startsWith('$SYS/')),
    payload: fc.uint8Array({ maxLength: 300 }),
    qos: fc.constantFrom(0, 1, 2),
    from: fc.oneof(text, fc.string({ unit: 'grapheme', minLength: 100, maxLength: 200 })),
    timestamp: fc.maxSafeNat(),
    headers: fc.record({ username: text, peerhost: text, allowPublish: fc.boolean() }, { requiredKeys: [] }),
    contentType: fc.option(text, { nil: undefined }),
    pairs: fc.array(fc.tuple(text, text), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(client, messages, text, fc.boolean(), (person, given, reason, allowed) => {
      const info = testClient(person)
      const { contentType, pairs, ...rest } = given
      const properties = {
        ...(contentType === undefined ? {} : { contentType }),
        ...(pairs.length === 0 ? {} : { userProperties: pairs }),
      }
      const message = { ...testMessage({ topic: 't' }), ...rest, properties } as Message
      const { username, peerhost, allowPublish } = given.headers
      const written = {
        node: meta.node,
        id: message.id,
        qos: message.qos,
        from: message.from,
        topic: message.topic,
        payload: message.payload,
        timestamp: BigInt(message.timestamp),
        headers: {
          ...(username === undefined ? {} : { username }),
          ...(peerhost === undefined ? {} : { peerhost }),
          ...(allowPublish === undefined ? {} : { allow_publish: String(allowPublish) }),
        },
      }
      const clientinfo = clientInfoOf(context, info)
      const same = (
        schema: Parameters<typeof create>[0],
        fields: Record<string, unknown>,
        bytes: Uint8Array | undefined,
      ) => assert.deepEqual(Buffer.from(bytes ?? []), Buffer.from(toBinary(schema, create(schema, fields))))
      same(
        v3.MessagePublishRequestSchema,
        {
          message: written,
          meta,
          props: contentType === undefined ? [] : [{ name: 'Content-Type', value: contentType }],
          userProps: pairs.map(([name, value]) => ({ name, value })),
        },
        encodeRequest(context, 'message.publish', {}, message),
      )
      same(
        v3.MessageDeliveredRequestSchema,
        { clientinfo, message: written, meta },
        encodeRequest(context, 'message.delivered', { client: info }, message),
      )
      same(
        v3.MessageDroppedRequestSchema,
        { message: written, reason, meta },
        encodeRequest(context, 'message.dropped', { message, reason }, undefined),
      )
      same(
        v3.MessageAckedRequestSchema,
        { clientinfo, message: written, meta },
        encodeRequest(context, 'message.acked', { client: info, message, properties: {} }, undefined),
      )
      same(
        v3.ClientAuthorizeRequestSchema,
        { clientinfo, type: 1, topic: reason, result: allowed, meta },
        encodeRequest(
          context,
          'client.authorize',
          { client: info, action: 'subscribe', topic: reason, qos: 0, retain: false },
          { result: allowed ? 'allow' : 'deny', from: 'default' },
        ),
      )
    }),
  )
})

test('text that is no Unicode becomes U+FFFD in every request, written by hand or not', () => {
  const client = testClient({ clientId: 'a\ud800b' })
  const message = testMessage({ topic: 't\udc00', from: 'a\ud800b' })
  const connected = request(v3.ClientConnectedRequestSchema, 'client.connected', { client, connInfo: testConnInfo() })
  assert.equal((connected.clientinfo as { clientid: string }).clientid, 'a\ufffdb')
  const published = request(v3.MessagePublishRequestSchema, 'message.publish', {}, message)
  assert.equal((published.message as { topic: string }).topic, 't\ufffd')
})

test('the key of an event: the client, else the connection, else who sent the message', () => {
  const message = testMessage({ topic: 't', from: 'sender' })
  assert.equal(keyOf({ client: full, message }, undefined), 'c1')
  assert.equal(keyOf({ connInfo: testConnInfo({ clientId: 'c2' }) }, undefined), 'c2')
  assert.equal(keyOf({ message }, undefined), 'sender')
  assert.equal(keyOf({}, message), 'sender')
  assert.equal(keyOf({ client: testClient({ clientId: 'sender' }) }, message), 'sender')
})
