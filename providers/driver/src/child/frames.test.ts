import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameError, FrameReader, frame } from './frames.ts'

const bodies = fc.array(fc.uint8Array({ maxLength: 300 }))

test('frames come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(frame))
      const received: string[] = []
      const reader = new FrameReader(1000, (body) => received.push(body.toString('hex')))
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const length = cuts[cut % cuts.length]
        // A copy: the next chunk may lie where this one did.
        reader.push(Buffer.from(stream.subarray(at, at + length)))
        at += length
      }
      assert.deepEqual(
        received,
        sent.map((body) => Buffer.from(body).toString('hex')),
      )
    }),
  )
})

test('a frame that is too long is refused by its header', () => {
  const reader = new FrameReader(10, () => assert.fail('there is no frame'))
  assert.throws(() => reader.push(Buffer.from([0, 0, 0, 11])), FrameError)
  const late = new FrameReader(10, () => {})
  late.push(frame(Buffer.alloc(10)))
  late.push(Buffer.from([0xff]))
  assert.throws(() => late.push(Buffer.from([0xff, 0xff, 0xff])), /4294967295 bytes is longer than 10/)
})
