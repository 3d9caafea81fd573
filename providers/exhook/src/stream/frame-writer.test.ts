import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameWriter } from './frame-writer.ts'

test('what is taken keeps its bytes until it is given back, whatever is written after it', () => {
  const sizes = fc.array(fc.record({ bytes: fc.nat(300), giveBack: fc.option(fc.nat()) }), { maxLength: 40 })
  fc.assert(
    fc.property(sizes, (steps) => {
      const writer = new FrameWriter(64, 5)
      const held: { readonly frame: Buffer; readonly expected: Buffer }[] = []
      for (const [index, { bytes, giveBack }] of steps.entries()) {
        const content = Buffer.alloc(bytes, index + 1)
        writer.raw(content)
        const frame = writer.take()
        assert.equal(frame.length, bytes + 5)
        held.push({ frame, expected: content })
        if (giveBack !== null) {
          const [gone] = held.splice(giveBack % held.length, 1)
          writer.giveBack(gone.frame)
        }
        for (const { frame: kept, expected } of held) assert.deepEqual(kept.subarray(5), expected)
      }
    }),
  )
})

test('memory that is given back is used again', () => {
  const writer = new FrameWriter(64)
  const taken = Array.from({ length: 3 }, () => {
    writer.raw(new Uint8Array(60))
    return writer.take()
  })
  for (const frame of taken) writer.giveBack(frame)
  const before = new Set(taken.map(({ buffer }) => buffer))
  writer.raw(new Uint8Array(60))
  writer.take()
  writer.raw(new Uint8Array(60))
  assert.ok(before.has(writer.take().buffer))
})
