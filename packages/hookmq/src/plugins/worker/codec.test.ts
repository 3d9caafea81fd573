import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Decoder, Encoder } from './codec.ts'
import { CarriedMessage } from './message.ts'
import { FrameReader } from './reader.ts'
import { FrameWriter } from './writer.ts'

/** Each list of values is one frame. */
function carry(frames: readonly (readonly unknown[])[], remembers = true): unknown[][] {
  const writer = new FrameWriter(16)
  const encoder = new Encoder(writer, remembers)
  const decoder = new Decoder()
  return frames.map((values) => {
    for (const value of values) {
      encoder.begin()
      encoder.value(value)
    }
    const reader = new FrameReader(writer.take())
    const got = values.map(() => decoder.value(reader))
    assert.equal(reader.done, true)
    return got
  })
}

const key = fc.oneof(fc.constantFrom('client', 'connInfo', 'headers', '__proto__', ''), fc.string({ unit: 'grapheme' }))
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(undefined, null, true, false, -0, Number.NaN, Number.POSITIVE_INFINITY),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'binary-ascii', minLength: 30, maxLength: 400 }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('any')),
    fc.dictionary(key, tie('any'), { noNullPrototype: true }),
    fc.array(fc.tuple(key, tie('any'))).map((pairs) => new Map(pairs)),
    fc.array(fc.integer()).map((values) => new Set(values)),
  ),
})).any

describe('values between threads', () => {
  test('what goes in comes out, in every frame', () => {
    fc.assert(
      fc.property(fc.array(fc.array(value), { maxLength: 5 }), fc.boolean(), (frames, remembers) => {
        assert.deepEqual(carry(frames, remembers), frames)
      }),
    )
  })

  test('the same object for a client stays the same object, and a password is not remembered', () => {
    const client = { clientId: 'c', attributes: {} }
    const credential = { clientId: 'c', password: Buffer.from('secret'), step: 'connect' }
    const [[one, two], [three]] = carry([[{ client }, { client }], [{ client }]]) as [
      [Record<string, unknown>, Record<string, unknown>],
      [Record<string, unknown>],
    ]
    assert.equal(one.client, two.client)
    assert.equal(one.client, three.client)
    const [[first, second]] = carry([[{ client: credential }, { client: credential }]]) as [Record<string, unknown>[]]
    assert.notEqual(first.client, second.client)
    assert.deepEqual(second.client, credential)
  })

  test('more texts and clients than are remembered', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => ({
      client: { clientId: `c${index}` },
      topic: `t/${index}`,
    }))
    assert.deepEqual(carry([many, many]), [many, many])
  })

  test('a message keeps its id, and its payload is a view', () => {
    const message = new CarriedMessage(
      'a/b',
      Buffer.from([1, 2, 3]),
      1 | 4,
      'c',
      1_790_000_000_000,
      { contentType: 'x' },
      { username: 'ann' },
      Buffer.from('0006239F4B2A1C00A1B2C3D4E5F60001'),
    )
    const [[got]] = carry([[message]]) as [[CarriedMessage]]
    assert.ok(got instanceof CarriedMessage)
    assert.deepEqual({ ...got }, { ...message })
    assert.equal(got.id, '0006239F4B2A1C00A1B2C3D4E5F60001')
  })

  test('errors keep name, message, stack and code', () => {
    const error = Object.assign(new TypeError('wrong'), { code: 'ERR_X' })
    const [[got]] = carry([[error]]) as [[TypeError & { code: string }]]
    assert.ok(got instanceof TypeError)
    assert.deepEqual([got.message, got.stack, got.code], ['wrong', error.stack, 'ERR_X'])
  })

  test('a value that cannot be sent throws, and the ones after it are right', () => {
    const writer = new FrameWriter()
    const encoder = new Encoder(writer)
    const decoder = new Decoder()
    const circle: unknown[] = []
    circle.push(circle)
    encoder.begin()
    assert.throws(() => encoder.value({ fresh: 'text', circle }), { name: 'TypeError', message: /nested too deeply/ })
    writer.at = 0
    encoder.abandon()
    encoder.begin()
    encoder.value({ fresh: 'text' })
    assert.deepEqual(decoder.value(new FrameReader(writer.take())), { fresh: 'text' })
  })
})
