import assert from 'node:assert/strict'
import test from 'node:test'
import { ByteWriter, PacketParser, writePublish } from '@hookmq/mqtt'
import fc from 'fast-check'
import { Payloads } from './payloads.ts'

function chunkOf(sizes: readonly number[]): Buffer {
  const writer = new ByteWriter(64)
  for (const [index, size] of sizes.entries()) {
    writePublish(writer, 't', Buffer.alloc(size, index % 251), 0, false, false, 0, undefined, 4)
  }
  return Buffer.from(writer.copy())
}

const connect = Buffer.from('100d00044d5154540402003c000161', 'hex')

test('payloads keep their bytes when the read buffer is used again, whatever their sizes and wherever reads are cut', () => {
  const size = fc.oneof(fc.nat(40), fc.nat(1000), fc.nat(20_000))
  fc.assert(
    fc.property(
      fc.array(size, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1 }),
      (sizes, cuts) => {
        const payloads = new Payloads()
        const kept: Buffer[] = []
        const parser = new PacketParser(
          {
            publish(frame) {
              kept.push(payloads.own(frame))
              if (frame.end % 5 === 0) parser.pause()
            },
            packet() {},
          },
          { maximumPacketSize: 1_000_000, role: 'server' },
        )
        parser.write(connect)
        const bytes = chunkOf(sizes)
        const shared = Buffer.alloc(30_000)
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const count = Math.min(cuts[turn % cuts.length], bytes.length - at)
          bytes.copy(shared, 0, at, at + count)
          payloads.forget()
          parser.write(shared.subarray(0, count))
          shared.fill(255)
          at += count
          while (turn % 3 === 2 && parser.paused) {
            payloads.forget()
            parser.resume()
          }
        }
        while (parser.paused) {
          payloads.forget()
          parser.resume()
        }
        assert.equal(kept.length, sizes.length)
        for (const [index, payload] of kept.entries()) {
          assert.equal(payload.length, sizes[index])
          assert.ok(payload.every((byte) => byte === index % 251))
        }
      },
    ),
  )
})

test('a payload that is kept holds no more than a few kilobytes with it', () => {
  const payloads = new Payloads()
  const kept: Buffer[] = []
  const parser = new PacketParser(
    { publish: (frame) => kept.push(payloads.own(frame)), packet() {} },
    { maximumPacketSize: 1_000_000, role: 'server' },
  )
  parser.write(connect)
  parser.write(chunkOf([...Array.from({ length: 600 }, () => 100), 30_000]))
  const memories = new Set(kept.map(({ buffer }) => buffer))
  assert.ok(memories.size < 20, `${memories.size} allocations for 601 payloads`)
  for (const { byteLength } of memories) assert.ok(byteLength <= Math.max(Buffer.poolSize, 30_000))
})
