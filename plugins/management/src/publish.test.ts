import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin } from '@hookmq/api'
import type { IPublishPacket } from 'mqtt'
import { nextMessage, run } from './running.testing.ts'

test('publish reaches subscribers with all that was given', async (scope) => {
  const { call, connect } = await run(scope)
  const client = await connect({ protocolVersion: 5 })
  await client.subscribeAsync('a/#', { qos: 2 })
  const packet = new Promise<IPublishPacket>((resolve) => client.once('message', (...[, , packet]) => resolve(packet)))
  const answer = await call('POST', '/publish', {
    body: {
      topic: 'a/b',
      payload: Buffer.from([0, 1, 255]).toString('base64'),
      payload_encoding: 'base64',
      qos: 1,
      retain: true,
      clientid: 'me',
      properties: {
        payload_format_indicator: 0,
        message_expiry_interval: 60,
        response_topic: 'answer',
        correlation_data: 'x',
        content_type: 'bytes',
        user_properties: { k: 'v' },
      },
    },
  })
  assert.equal(answer.status, 200)
  assert.match(answer.body.id, /^[0-9A-F]{32}$/)
  const { topic, payload, qos, properties = {} } = await packet
  assert.deepEqual([topic, [...payload], qos], ['a/b', [0, 1, 255], 1])
  assert.equal(properties.responseTopic, 'answer')
  assert.equal(properties.contentType, 'bytes')
  assert.equal(String(properties.correlationData), 'x')
  assert.deepEqual({ ...properties.userProperties }, { k: 'v' })
  const late = await connect()
  const retained = nextMessage(late)
  await late.subscribeAsync('a/b')
  assert.equal((await retained)[0], 'a/b')
})

test('publish to nobody is 202', async (scope) => {
  const { call } = await run(scope)
  const { status, body } = await call('POST', '/publish', { body: { topic: 'nobody', payload: 'x' } })
  const { id, ...rest } = body
  assert.deepEqual([status, rest], [202, { reason_code: 16, message: 'no_matching_subscribers' }])
  assert.match(id, /^[0-9A-F]{32}$/)
})

test('what cannot be published', async (scope) => {
  const { call } = await run(scope)
  for (const [body, message] of [
    [{ payload: 'x' }, 'body: topic is missing'],
    [{ topic: 'a' }, 'body: payload is missing'],
    [{ topic: 'a/#', payload: 'x' }, "body.topic: a topic to publish to has no '+' and no '#'"],
    [{ topic: 'a\0', payload: 'x' }, 'body.topic: a topic has no null character'],
    [{ topic: '', payload: 'x' }, 'body.topic: must NOT have fewer than 1 characters'],
    [{ topic: 'ä'.repeat(40_000), payload: 'x' }, 'body.topic: a topic has at most 65535 bytes'],
    [{ topic: 'a', payload: 'x', qos: 3 }, 'body.qos: expected one of 0, 1, 2'],
    [{ topic: 'a', payload: 'x', qos: '1' }, 'body.qos: expected integer, got string'],
    [{ topic: 'a', payload: 'x', retain: 1 }, 'body.retain: expected boolean, got number'],
    [{ topic: 'a', payload: { x: 1 } }, 'body.payload: expected string, got object'],
    [{ topic: 'a', payload: '!', payload_encoding: 'base64' }, 'body.payload: is not base64'],
    [{ topic: 'a', payload: 'x', encoding: 'hex' }, 'body.encoding: expected one of "plain", "base64"'],
    [
      { topic: 'a', payload: 'x', properties: { user_properties: { k: 1 } } },
      'body.properties.user_properties.k: expected string, got number',
    ],
  ] as const) {
    assert.deepEqual((await call('POST', '/publish', { body })).body, { code: 'BAD_REQUEST', message })
  }
  const bulk = await call('POST', '/publish/bulk', {
    body: [
      { topic: 'a', payload: '' },
      { topic: '+', payload: '' },
    ],
  })
  assert.equal(bulk.body.message, "body.1.topic: a topic to publish to has no '+' and no '#'")
  const deep = await call('POST', '/publish', { body: { topic: '/'.repeat(200), payload: '' } })
  assert.deepEqual([deep.status, deep.body.code], [400, 'BAD_REQUEST'])
})

test('publish/bulk: in order, one answer for each', async (scope) => {
  const { call, connect } = await run(scope)
  const client = await connect()
  await client.subscribeAsync('got/#')
  const topics: string[] = []
  const both = new Promise<void>((resolve) =>
    client.on('message', (topic) => {
      if (topics.push(topic) === 2) resolve()
    }),
  )
  const message = (topic: string) => ({ topic, payload: topic })
  const mixed = await call('POST', '/publish/bulk', { body: [message('got/1'), message('none'), message('got/2')] })
  assert.equal(mixed.status, 202)
  assert.deepEqual(
    mixed.body.map((one: { reason_code?: number }) => one.reason_code),
    [undefined, 16, undefined],
  )
  await both
  assert.deepEqual(topics, ['got/1', 'got/2'])
  assert.equal((await call('POST', '/publish/bulk', { body: [message('got/3')] })).status, 200)
  assert.deepEqual((await call('POST', '/publish/bulk', { body: [] })).body, [])
})

test('hooks see what is published, and may refuse it', async (scope) => {
  const censor = definePlugin({
    name: 'censor',
    setup(ctx) {
      ctx.hook(
        'message.publish',
        (_, { topic }) => {
          if (topic === 'no') return { reject: 0x87 }
          return topic === 'away' ? { drop: true } : undefined
        },
        { name: 'scissors' },
      )
    },
  })
  const { call, connect } = await run(scope, { plugins: [censor] })
  const client = await connect()
  await client.subscribeAsync('#')
  const no = await call('POST', '/publish', { body: { topic: 'no', payload: '' } })
  assert.deepEqual([no.status, no.body.code], [403, 'FORBIDDEN'])
  assert.match(no.body.message, /censor/)
  assert.equal((await call('POST', '/publish', { body: { topic: 'away', payload: '' } })).status, 202)
  const bulk = await call('POST', '/publish/bulk', { body: [{ topic: 'no', payload: '' }] })
  assert.deepEqual([bulk.status, bulk.body[0].reason_code], [202, 0x87])
})
