import assert from 'node:assert/strict'
import test from 'node:test'
import { encodePacket, encodeToBuffer } from './encode.ts'
import { MqttError } from './error.ts'
import { startParser } from './testing/collect.ts'
import { bytes, type PacketCase, packetCases } from './testing/packet-cases.ts'
import { ByteWriter } from './writer.ts'

function title({ name, version, from, clause }: PacketCase): string {
  return `${name}, v${version} from ${from}${clause === undefined ? '' : ` ${clause}`}`
}

/** What the parser made of the pieces: the packets, or the reason code of the error. */
function parse(one: PacketCase, pieces: readonly Buffer[]): unknown {
  const { parser, collector } = startParser(one.version, one.from, one.opening ?? false)
  try {
    for (const piece of pieces) {
      // The parser only borrows: whatever it keeps must be its own.
      const borrowed = Buffer.from(piece)
      parser.write(borrowed)
      borrowed.fill(0xee)
    }
  } catch (error) {
    if (!(error instanceof MqttError)) throw error
    return error.reasonCode
  }
  assert.equal(parser.bufferedBytes, 0, 'bytes are left over')
  return collector.packets
}

test('every packet of the table is parsed, whole and cut at every position', async (context) => {
  for (const one of packetCases) {
    await context.test(title(one), () => {
      const whole = bytes(one.wire)
      const expected = one.error ?? [one.packet]
      assert.deepEqual(parse(one, [whole]), expected)
      const cuts = whole.length > 1000 ? [1, 2, 3, 4, 5, 10, 500, whole.length - 1] : whole.keys()
      for (const cut of cuts) {
        assert.deepEqual(parse(one, [whole.subarray(0, cut), whole.subarray(cut)]), expected, `cut at ${cut}`)
      }
      const single = Array.from(whole, (byte) => Buffer.from([byte]))
      assert.deepEqual(parse(one, single), expected, 'byte by byte')
    })
  }
})

test('every packet of the table is encoded to its bytes', async (context) => {
  for (const one of packetCases) {
    const { packet } = one
    if (packet === undefined) continue
    await context.test(title(one), () => {
      const written = encodeToBuffer(packet, one.version)
      if (one.oneWay) assert.deepEqual(parse(one, [written]), [packet])
      else assert.equal(written.toString('hex'), bytes(one.wire).toString('hex'))

      const writer = new ByteWriter(1)
      encodePacket(writer, { type: 'pingreq' }, one.version)
      encodePacket(writer, packet, one.version)
      assert.equal(writer.view().toString('hex'), `c000${written.toString('hex')}`, 'after another packet')
    })
  }
})

test('packets that follow one another in one chunk come in order', () => {
  for (const version of [3, 4, 5] as const) {
    const cases = packetCases.filter(
      (one) => one.version === version && one.from === 'client' && !one.opening && one.packet && one.wire.length < 1000,
    )
    const all = Buffer.concat(cases.map((one) => bytes(one.wire)))
    for (const size of [1, 3, 7, 64, all.length]) {
      const { parser, collector } = startParser(version, 'client', false)
      for (let at = 0; at < all.length; at += size) parser.write(all.subarray(at, at + size))
      assert.deepEqual(
        collector.packets,
        cases.map((one) => one.packet),
      )
    }
  }
})
