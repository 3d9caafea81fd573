import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testMessage } from '@hookmq/api/testing'
import { create, type MessageInitShape, toBinary, v3 } from '@hookmq/exhook-proto'
import fc from 'fast-check'
import type { MapContext } from './context.ts'
import { isUnusable, type ValuedPoint, verdictOf } from './verdict.ts'

const { CONTINUE, IGNORE, STOP_AND_RETURN } = v3.ValuedResponse_ResponsedType
const context: MapContext = { version: 'v3', node: 'n', meta: undefined, full: false }
const before = testMessage({
  topic: 'a',
  payload: 'old',
  qos: 1,
  retain: true,
  headers: { username: 'u' },
  properties: { contentType: 'text', userProperties: [['a', 'b']] },
})

function read(
  point: ValuedPoint,
  fields: MessageInitShape<typeof v3.ValuedResponseSchema>,
  accumulator: unknown,
  given = context,
): unknown {
  const reply = toBinary(v3.ValuedResponseSchema, create(v3.ValuedResponseSchema, fields))
  return verdictOf(given, point, reply, accumulator)
}

const bool = (value: boolean) => ({ case: 'boolResult', value }) as const
const carrying = (fields: MessageInitShape<typeof v3.MessageSchema>) =>
  ({ case: 'message', value: create(v3.MessageSchema, fields) }) as const

describe('client.authenticate', () => {
  const ask = (fields: MessageInitShape<typeof v3.ValuedResponseSchema>, accumulator: object = { result: 'ignore' }) =>
    read('client.authenticate', fields, accumulator)

  test('IGNORE says nothing, with a value or without', () => {
    assert.equal(ask({ type: IGNORE }), undefined)
    assert.equal(ask({ type: IGNORE, value: bool(false) }), undefined)
  })

  test('CONTINUE goes on, STOP_AND_RETURN ends; false in the oneof is a real false', () => {
    const deny = { result: 'deny', reasonCode: 0x87 }
    assert.deepEqual(ask({ type: CONTINUE, value: bool(true) }), { ok: { result: 'allow' } })
    assert.deepEqual(ask({ type: CONTINUE, value: bool(false) }), { ok: deny })
    assert.deepEqual(ask({ type: STOP_AND_RETURN, value: bool(true) }), { stop: { result: 'allow' } })
    assert.deepEqual(ask({ type: STOP_AND_RETURN, value: bool(false) }), { stop: deny })
  })

  test('yes to a yes keeps what is known of the client; yes to somebody anonymous vouches for them', () => {
    const known = { result: 'allow', superuser: true }
    assert.deepEqual(ask({ type: CONTINUE, value: bool(true) }, known), { ok: known })
    assert.deepEqual(ask({ type: CONTINUE, value: bool(true) }, { result: 'allow', anonymous: true }), {
      ok: { result: 'allow' },
    })
  })
})

test('client.authorize: allow or deny, said by exhook', () => {
  const start = { result: 'allow', from: 'default' }
  assert.deepEqual(read('client.authorize', { type: CONTINUE, value: bool(false) }, start), {
    ok: { result: 'deny', from: 'exhook' },
  })
  assert.deepEqual(read('client.authorize', { type: STOP_AND_RETURN, value: bool(true) }, start), {
    stop: { result: 'allow', from: 'exhook' },
  })
})

type Fields = MessageInitShape<typeof v3.ValuedResponseSchema>

describe('answers of the wrong kind are as good as none', () => {
  const cases: readonly (readonly [string, ValuedPoint, Fields])[] = [
    ['a completely empty answer', 'message.publish', {}],
    ['STOP without a value', 'client.authenticate', { type: STOP_AND_RETURN }],
    ['a message for a login', 'client.authenticate', { type: STOP_AND_RETURN, value: carrying({ topic: 't' }) }],
    ['true for a message', 'message.publish', { type: STOP_AND_RETURN, value: bool(true) }],
    ['a type that does not exist', 'client.authorize', { type: 7 as typeof CONTINUE, value: bool(false) }],
  ]
  for (const [said, point, fields] of cases)
    test(said, () => {
      const verdict = read(point, fields, point === 'message.publish' ? before : { result: 'allow' })
      assert.ok(isUnusable(verdict))
      assert.notEqual(verdict.unusable, '')
    })
})

describe('message.publish', () => {
  const ask = (
    fields: MessageInitShape<typeof v3.MessageSchema>,
    type: v3.ValuedResponse_ResponsedType = CONTINUE,
    given = context,
  ) => read('message.publish', { type, value: carrying(fields) }, before, given)

  test('qos, topic and payload as they are; nothing else', () => {
    const payload = Buffer.from('new')
    const answer = ask({
      topic: 'b',
      payload,
      id: 'X',
      from: 'other',
      node: 'o',
      timestamp: 5n,
      headers: { username: 'x' },
    })
    const { ok } = answer as { ok: object }
    assert.deepEqual(Object.keys(ok).sort(), ['payload', 'qos', 'topic'])
    assert.deepEqual(ok, { topic: 'b', payload: new Uint8Array(payload), qos: 0 }, 'who leaves the QoS out says 0')
    assert.deepEqual(ask({ topic: 'b', qos: 2 }, STOP_AND_RETURN), {
      stop: { topic: 'b', qos: 2, payload: new Uint8Array(0) },
    })
  })

  test('allow_publish, when it is exactly true or false', () => {
    const headersOf = (allow_publish: string) =>
      (ask({ topic: 'b', headers: { allow_publish } }) as { ok: { headers?: object } }).ok.headers
    assert.deepEqual(headersOf('false'), { username: 'u', allowPublish: false })
    assert.deepEqual(headersOf('true'), { username: 'u', allowPublish: true })
    assert.equal(headersOf('False'), undefined)
    assert.equal(headersOf(''), undefined)
  })

  test('who stops a message may send an empty one', () => {
    assert.deepEqual(ask({ headers: { allow_publish: 'false' } }, STOP_AND_RETURN), {
      stop: { headers: { username: 'u', allowPublish: false } },
    })
  })

  test('a topic or QoS that is none fails the call', () => {
    for (const fields of [{}, { topic: 'a/+' }, { topic: '#' }, { topic: 'a\0' }, { topic: 'b', qos: 3 }])
      assert.throws(() => ask(fields), /the answer's message has/)
  })

  test('headers of full messages mean nothing to who did not ask for them', () => {
    const headers = { 'hookmq.retain': 'false', 'hookmq.reject': '0x87' }
    assert.deepEqual(ask({ topic: 'b', headers }), { ok: { topic: 'b', qos: 0, payload: new Uint8Array(0) } })
  })
})

describe('full messages', () => {
  const given: MapContext = { ...context, full: true }
  const ask = (headers: Record<string, string>) =>
    read('message.publish', { type: CONTINUE, value: carrying({ topic: 'b', headers }) }, before, given) as {
      ok: { retain?: boolean; properties?: object }
    }

  test('retain and properties come back; what is absent stays, what is empty goes', () => {
    assert.equal(ask({ 'hookmq.retain': 'false' }).ok.retain, false)
    assert.equal(ask({}).ok.properties, undefined)
    assert.deepEqual(
      ask({
        'hookmq.property.Content-Type': '',
        'hookmq.property.Message-Expiry-Interval': '60',
        'hookmq.property.Correlation-Data': Buffer.from([0, 255]).toString('base64'),
        'hookmq.user_properties': '[["x","y"],["x","z"]]',
      }).ok.properties,
      {
        messageExpiryInterval: 60,
        correlationData: Buffer.from([0, 255]),
        userProperties: [
          ['x', 'y'],
          ['x', 'z'],
        ],
      },
    )
    assert.deepEqual(ask({ 'hookmq.user_properties': '' }).ok.properties, { contentType: 'text' })
  })

  test('refusals with a reason code', () => {
    assert.deepEqual(ask({ 'hookmq.reject': '0x97', 'hookmq.reason': 'quota' }), { reject: 0x97, reason: 'quota' })
    assert.deepEqual(ask({ 'hookmq.disconnect': '135' }), { disconnect: 0x87 })
    assert.deepEqual(ask({ 'hookmq.drop': 'true' }), { drop: true })
  })

  const broken: readonly Record<string, string>[] = [
    { 'hookmq.retain': 'yes' },
    { 'hookmq.reject': 'no' },
    { 'hookmq.property.Message-Expiry-Interval': 'soon' },
    { 'hookmq.user_properties': '{"a":1}' },
    { 'hookmq.user_properties': '[' },
  ]
  for (const headers of broken)
    test(`${Object.entries(headers)[0].join(': ')} fails the call, and says why`, () => {
      assert.throws(() => ask(headers), {
        name: 'TypeError',
        message: new RegExp(`^header ${Object.keys(headers)[0]}`),
      })
    })
})

test('whatever the bytes, it is a verdict, none, or an error that says what was wrong', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, full) => {
      for (const [point, accumulator] of [
        ['client.authenticate', { result: 'ignore' }],
        ['client.authorize', { result: 'allow', from: 'default' }],
        ['message.publish', before],
      ] as const)
        try {
          const verdict = verdictOf({ ...context, full }, point, bytes, accumulator)
          assert.ok(verdict === undefined || typeof verdict === 'object')
        } catch (error) {
          assert.match((error as Error).message, /no ValuedResponse|the answer's message|^header /)
        }
    }),
    { numRuns: 2000 },
  )
})
