import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Atom, CodePoints, Float, Pairs, Tuple, type Value } from '../value.ts'
import { JavaCodec } from './codec.ts'
import { Reader } from './reader.ts'
import { readValue, writeValue } from './values.ts'
import { Vocabulary } from './vocabulary.ts'
import { Writer } from './writer.ts'

/** What both directions have: all but shapes and numbered atoms, which only go to Java, and what is opaque. */
const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, true, false),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt().filter((one) => !Number.isSafeInteger(Number(one))),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.double().map((one) => new Float(one)),
    fc.string({ unit: 'grapheme' }).map((one) => new CodePoints(one)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 5 }).map((elements) => new Tuple(...elements)),
  ),
})).value

const nobody = { answered() {}, failed() {}, received() {} }

describe('values on their way to and from Java', () => {
  test('come back as they went', () => {
    const writer = new Writer(16)
    fc.assert(
      fc.property(values, (value) => {
        writer.clear(1024)
        writeValue(writer, value, new Vocabulary())
        const reader = new Reader(writer.bytes)
        assert.deepEqual(readValue(reader), value)
        assert.ok(reader.atEnd)
      }),
      { numRuns: 500 },
    )
  })

  test('a body that is cut off, or anything at all, is an error and nothing else', () => {
    const codec = new JavaCodec()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        try {
          codec.decode(body, nobody)
        } catch (error) {
          assert.ok(error instanceof Error)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('a value nested without end is refused', () => {
    const body = Buffer.concat([Buffer.of(1, 1), Buffer.alloc(3000, Buffer.of(11, 1)), Buffer.of(0)])
    assert.throws(() => new JavaCodec().decode(body, nobody), /nested more than 100 deep/)
  })

  test('atoms and shapes are defined once; beyond their limit they are written out', () => {
    const codec = new JavaCodec()
    const keys = ['node', 'clientid']
    const call = (id: number, atom: string) => {
      codec.addCall({ id, callback: 0, hook: 'h', key: 'k', args: [new Pairs(keys, [new Atom(atom), 'c'])] })
      return codec.takeCalls().length
    }
    const first = call(1, 'hookmq@127.0.0.1')
    const second = call(2, 'hookmq@127.0.0.1')
    assert.ok(second < first - 'hookmq@127.0.0.1clientid'.length, 'the second does not name them')
    for (let count = 0; count < 2000; count++) call(count, `atom-${count}`)
    assert.equal(call(3, 'one more'), call(4, 'one more'))
    assert.equal(call(5, 'hookmq@127.0.0.1'), second)
  })
})
