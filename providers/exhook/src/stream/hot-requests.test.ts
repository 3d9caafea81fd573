import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientInfo, Message } from '@hookmq/api'
import { testClient } from '@hookmq/api/testing'
import { create, exhookCallOf, fromBinary, toBinary, v3 } from '@hookmq/exhook-proto'
import fc from 'fast-check'
import { ClientInfoCache, encodeRequest } from '../map/index.ts'
import { FrameWriter, varintSize } from './frame-writer.ts'
import { RequestWriter } from './hot-requests.ts'

const fields = { version: 'v3', node: 'hookmq@127.0.0.1', meta: undefined, full: false } as const
const context = { ...fields, clients: new ClientInfoCache(fields) }

const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary', minLength: 40 }))
const messages: fc.Arbitrary<Message> = fc.record({
  id: fc.stringMatching(/^[0-9A-F]{32}$/),
  topic: fc.oneof(text, fc.string({ minLength: 120, maxLength: 300 })),
  payload: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 100, maxLength: 20_000 })),
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  dup: fc.boolean(),
  from: text,
  timestamp: fc.oneof(fc.nat(), fc.integer({ min: 1.7e12, max: 4e12 })),
  properties: fc.oneof(
    fc.constant({}),
    fc.record({ contentType: fc.string(), userProperties: fc.array(fc.tuple(fc.string(), fc.string())) }),
  ) as fc.Arbitrary<Message['properties']>,
  headers: fc.record(
    {
      username: text,
      protocol: fc.constantFrom('mqtt', 'internal', 'coap'),
      peerhost: fc.constantFrom('::1', '10.0.0.1'),
      allowPublish: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
})

const points = ['message.publish', 'message.delivered', 'message.dropped', 'message.acked'] as const

test('the bytes are those of the ordinary way, and of @bufbuild/protobuf', () => {
  const requests = new RequestWriter(context)
  const clients: ClientInfo[] = [testClient(), testClient({ clientId: 'other', username: 'ann', cn: 'Ann' })]
  fc.assert(
    fc.property(messages, fc.constantFrom(...points), fc.constantFrom(...clients), (message, point, client) => {
      fc.pre(!message.topic.startsWith('$SYS/'))
      const args = { client, message, reason: 'no_subscribers' }
      const folded = point === 'message.publish' || point === 'message.delivered' ? message : undefined
      const expected = encodeRequest(context, point, args as never, folded as never)
      assert.ok(expected !== undefined)
      const writer = new FrameWriter(16)
      requests.write(writer, point, args, folded)
      const written = writer.take()
      assert.deepEqual(written, Buffer.from(expected))
      const schema = exhookCallOf(point)?.v3.request
      assert.ok(schema !== undefined)
      // A length that bufbuild writes in another way would come back different.
      assert.deepEqual(Buffer.from(toBinary(schema, fromBinary(schema, written))), written)
    }),
    { numRuns: 400 },
  )
})

test('numbers, texts and nested messages are written as @bufbuild/protobuf does', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), text, fc.nat(40_000), (timestamp, topic, expected) => {
      const writer = new FrameWriter(1)
      const outer = writer.begin(0x0a, expected)
      writer.string(0x2a, topic)
      if (timestamp !== 0) {
        writer.varint(0x38)
        writer.varint(timestamp)
      }
      writer.end(outer)
      const message = create(v3.MessageSchema, { topic, timestamp: BigInt(timestamp) })
      const request = create(v3.MessagePublishRequestSchema, { message })
      assert.deepEqual(writer.take(), Buffer.from(toBinary(v3.MessagePublishRequestSchema, request)))
    }),
  )
  assert.deepEqual([0, 127, 128, 16_383, 16_384, 2 ** 32].map(varintSize), [1, 1, 2, 2, 3, 5])
})
