import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { encodeToBuffer, MqttError, type Packet, type ProtocolVersion } from '../src/index.ts'
import { startParser } from '../src/testing/collect.ts'
import { bytes, packetCases } from '../src/testing/packet-cases.ts'
import { packet } from './arbitraries.ts'
import { oracleCannotRead, oracleCannotWrite, oracleDecode, oracleEncode, withoutOrder } from './oracle.ts'

const runs = Number(process.env.HOOKMQ_FUZZ_RUNS ?? 150)

function decode(
  wire: Buffer,
  version: ProtocolVersion,
  from: 'client' | 'server',
  opening: boolean,
): Packet | MqttError {
  const { parser, collector } = startParser(version, from, opening)
  try {
    parser.write(wire)
  } catch (error) {
    if (error instanceof MqttError) return error
    throw error
  }
  assert.equal(collector.packets.length, 1)
  return collector.packets[0]
}

for (const version of [3, 4, 5] as const) {
  for (const from of ['client', 'server'] as const) {
    for (const opening of [true, false]) {
      const what = opening ? 'opening packets' : 'packets'
      test(`${what} of a ${from} in v${version}: mqtt-packet and we read and write the same`, () => {
        fc.assert(
          fc.property(packet(version, from, opening), (one) => {
            const written = encodeToBuffer(one, version)
            assert.deepEqual(decode(written, version, from, opening), one)
            const expected = withoutOrder(one)
            const theirs = oracleDecode(written, version)
            if (oracleCannotRead(one)) assert.ok(theirs instanceof Error)
            else assert.deepEqual(theirs instanceof Error ? theirs : withoutOrder(theirs), expected)
            if (oracleCannotWrite(one, version)) return
            const read = decode(oracleEncode(one, version), version, from, opening)
            assert.deepEqual(read instanceof Error ? read : withoutOrder(read), expected)
          }),
          { numRuns: runs },
        )
      })
    }
  }
}

/** Cases of the table that are right by the specification, or tolerated on purpose, and refused by mqtt-packet: by name, with why. */
const refusedByOracle = new Map([
  ['CONNECT 3.1 user name flag, but the packet ends before it', '3.1 lets the length of the packet count more'],
  ['CONNECT 3.1 reserved flag and will flags without will', 'it holds 3.1 to the rules of 3.1.1'],
  ['SUBSCRIBE with DUP', '3.1 has DUP in SUBSCRIBE'],
  ['SUBSCRIBE with unused bits', 'it holds 3.1 to the rules of 3.1.1'],
  ['PINGREQ with flags, which 3.1 does not use', 'it holds 3.1 to the rules of 3.1.1'],
  ['AUTH success in its short form', 'it does not know the short form of 3.15.2.1'],
])

test('mqtt-packet takes every packet of the table, but for what is listed', () => {
  const refused = packetCases.filter(
    (one) => one.packet !== undefined && oracleDecode(bytes(one.wire), one.version) instanceof Error,
  )
  assert.deepEqual(new Set(refused.map((one) => one.name)), new Set(refusedByOracle.keys()))
})
