import fc, { type Arbitrary } from 'fast-check'
import { encodeToBuffer, type ProtocolVersion } from '../src/index.ts'
import { bytes, openings, packetCases } from '../src/testing/packet-cases.ts'
import { packet } from './arbitraries.ts'

/** What is done to the bytes of valid packets; positions are fractions of the length. */
export type Mutation =
  | { readonly kind: 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly value: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number }

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const byte = fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff), fc.nat(255))
const length = fc.integer({ min: 1, max: 8 })
const mutation: Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at, value: byte }),
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at, length }),
  fc.record({ kind: fc.constant('insert' as const), at, value: byte, length }),
  fc.record({ kind: fc.constant('repeat' as const), at, length }),
)

const rarely = fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: mutation })

function mutate(source: Buffer, { at, ...change }: Mutation): Buffer {
  const position = Math.floor(at * source.length)
  const before = source.subarray(0, position)
  const after = source.subarray(position)
  switch (change.kind) {
    case 'set':
      return Buffer.concat([before, Buffer.from([change.value]), after.subarray(1)])
    case 'flip':
      return Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << change.bit)]), after.subarray(1)])
    case 'cut':
      return Buffer.concat([before, after.subarray(change.length)])
    case 'insert':
      return Buffer.concat([before, Buffer.alloc(change.length, change.value), after])
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, change.length), after])
  }
}

/** What one connection sends, already cut into chunks. */
export interface Stream {
  version: ProtocolVersion
  from: 'client' | 'server'
  chunks: Buffer[]
}

const table: Record<string, Buffer[]> = {}
for (const one of packetCases) {
  if (one.opening || one.wire.length > 1000) continue
  const key = `${one.version} ${one.from}`
  table[key] ??= []
  table[key].push(bytes(one.wire))
}

/** Cuts at the given fractions of the whole. */
function split(source: Buffer, cuts: readonly number[]): Buffer[] {
  const positions = cuts.map((cut) => Math.floor(cut * source.length)).sort((a, b) => a - b)
  return [...positions, source.length].map((end, index) => source.subarray(positions[index - 1] ?? 0, end))
}

function streamOf(version: ProtocolVersion, from: 'client' | 'server'): Arbitrary<Stream> {
  const known = bytes(openings[version][from])
  const opening = fc.oneof(
    { weight: 5, arbitrary: fc.constant(known) },
    { weight: 1, arbitrary: packet(version, from, true).map((one) => encodeToBuffer(one, version)) },
  )
  const body = fc.oneof(
    { weight: 4, arbitrary: packet(version, from, false).map((one) => encodeToBuffer(one, version)) },
    { weight: 4, arbitrary: fc.constantFrom(...table[`${version} ${from}`]) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((noise) => Buffer.from(noise)) },
  )
  // Mostly one change, and that anywhere behind the opening: else little would get past it.
  const damaged = fc
    .tuple(fc.array(body, { minLength: 1, maxLength: 4 }), fc.array(mutation, { maxLength: 3 }))
    .map(([packets, mutations]) => mutations.reduce(mutate, Buffer.concat(packets)))
  return fc.tuple(opening, rarely, damaged, fc.array(at, { maxLength: 6 })).map(([first, change, rest, cuts]) => {
    const head = change === null ? first : mutate(first, change)
    return { version, from, chunks: split(Buffer.concat([head, rest]), cuts) }
  })
}

/** Damaged and healthy streams of both sides and all versions. */
export const stream: Arbitrary<Stream> = fc.oneof(
  ...([3, 4, 5] as const).flatMap((version) => [streamOf(version, 'client'), streamOf(version, 'server')]),
  fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.array(at, { maxLength: 6 })).map(
    ([noise, cuts]): Stream => ({
      version: 4,
      from: 'client',
      chunks: split(Buffer.from(noise), cuts),
    }),
  ),
)
