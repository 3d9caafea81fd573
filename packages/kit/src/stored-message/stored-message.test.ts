import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '@hookmq/api'
import fc from 'fast-check'
import { readStoredMessage, storeMessage } from './index.ts'

const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array))
const message: fc.Arbitrary<Message> = fc.record(
  {
    id: fc.string({ minLength: 32, maxLength: 32 }),
    topic: fc.string({ minLength: 1 }),
    payload: bytes,
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    dup: fc.constant(false),
    from: fc.string(),
    timestamp: fc.nat(),
    properties: fc.record(
      {
        correlationData: bytes,
        contentType: fc.string(),
        messageExpiryInterval: fc.nat(),
        userProperties: fc.array(fc.tuple(fc.string(), fc.string())),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    headers: fc.record({ username: fc.string(), peerhost: fc.string() }, { requiredKeys: [], noNullPrototype: true }),
  },
  { noNullPrototype: true },
)

test('what was stored as JSON is what is read, field by field', () => {
  fc.assert(
    fc.property(message, (original) => {
      assert.deepEqual(readStoredMessage(JSON.parse(JSON.stringify(storeMessage(original)))), original)
    }),
  )
})

test('what is no message is told apart', () => {
  const good = { id: 'i', topic: 't', payload: '', qos: 0, retain: false, from: 'f', timestamp: 1 }
  assert.ok(readStoredMessage(good))
  for (const wrong of [
    null,
    1,
    'x',
    {},
    { ...good, qos: 3 },
    { ...good, topic: '' },
    { ...good, payload: undefined },
  ]) {
    assert.equal(readStoredMessage(wrong), undefined)
  }
})
