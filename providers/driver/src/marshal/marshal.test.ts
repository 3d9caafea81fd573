import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { PythonCodec } from '../python/codec.ts'
import { CodePoints, Float, Pairs, Tuple, type Value } from '../value.ts'
import { MarshalReader } from './reader.ts'
import { MarshalWriter } from './writer.ts'

const python = spawnSync('python3', ['-c', ''], { stdio: 'ignore' }).status === 0
const withPython = { skip: !python && process.env.CI !== 'true' && 'there is no python3 on this machine' }

const nobody = { answered() {}, failed() {}, received() {} }

/** Runs Python with bytes on its standard input; resolves to what it writes. */
function run(code: string, input: Uint8Array): Buffer {
  return execFileSync('python3', ['-c', `import marshal, sys\ndata = sys.stdin.buffer.read()\n${code}`], { input })
}

const numbers = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }),
  fc.constantFrom(0, -1, 0x7fffffff, 0x80000000, -0x80000000, -0x80000001, Number.MAX_SAFE_INTEGER, 2n ** 53n),
)
const values = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Value[]>(undefined, true, false),
    numbers,
    fc.string({ unit: 'grapheme' }).map((text) => new CodePoints(text)),
    fc.string({ unit: 'grapheme', minLength: 40, maxLength: 60 }),
    fc.string(),
    fc.uint8Array(),
    fc.double({ noNaN: true }).map((value) => new Float(value)),
    fc.array(tie('value')),
    fc.array(tie('value')).map((elements) => new Tuple(...elements)),
  ),
}))

/** As it comes back: text as its bytes, whole numbers as the smaller kind that holds them. */
function normal(value: Value): unknown {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value instanceof Tuple) return { tuple: value.elements.map(normal) }
  if (value instanceof CodePoints) return { text: Buffer.from(value.text).toString('hex') }
  if (value instanceof Float) return { float: value.value }
  if (Array.isArray(value)) return value.map(normal)
  return value
}

function written(value: Value): Uint8Array {
  // The codec writes one argument of one call; what is before it is known.
  const codec = new PythonCodec()
  codec.addCall({ id: 1, callback: 2, hook: '', key: 'k', args: [value] })
  const body = codec.takeCalls()
  const writer = new MarshalWriter()
  writer.list(1)
  writer.tuple(4)
  writer.integer(1)
  writer.integer(2)
  writer.textAsBytes('k')
  writer.tuple(1)
  return body.subarray(writer.length)
}

test('what is written is read again', () => {
  fc.assert(
    fc.property(values.value, (value) => {
      const reader = new MarshalReader(Buffer.from(written(value)))
      assert.deepEqual(normal(reader.value()), normal(value))
      assert.equal(reader.atEnd, true)
    }),
  )
})

test('Python reads it as the same, and what Python writes is read', withPython, () => {
  const samples = fc.sample(values.value, 300)
  const list = new Tuple(...samples)
  const echoed = run('sys.stdout.buffer.write(marshal.dumps(marshal.loads(data), 2))', written(list))
  assert.deepEqual(normal(new MarshalReader(echoed).value()), normal(list))
  const seen = run(
    'sys.stdout.write(repr(marshal.loads(data)))',
    written(new Tuple('ü', new CodePoints('ü'), Buffer.from([0]), 2 ** 41, -(2n ** 70n), [1], undefined, true)),
  )
  assert.equal(
    seen.toString(),
    "(b'\\xc3\\xbc', 'ü', b'\\x00', 2199023255552, -1180591620717411303424, [1], None, True)",
  )
})

test('a call that cannot be written leaves the others of its frame whole', () => {
  const codec = new PythonCodec()
  const add = (id: number, arg: Value) => codec.addCall({ id, callback: 0, hook: '', key: '', args: [arg] })
  add(1, 'first')
  assert.throws(() => add(2, ['begun', Number.NaN]), RangeError)
  add(3, 'last')
  const calls = new MarshalReader(Buffer.from(codec.takeCalls())).value() as readonly Tuple[]
  assert.deepEqual(
    calls.map(({ elements }) => elements[0]),
    [1, 3],
  )
})

test('of pairs only the values travel', () => {
  const reader = new MarshalReader(Buffer.from(written(new Pairs(['a', 'b'], [1, 'x']))))
  assert.deepEqual(normal(reader.value()), { tuple: [1, '78'] })
})

test('bytes that are no value are refused, whatever they are', () => {
  const codec = new PythonCodec()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        codec.decode(bytes, nobody)
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof RangeError) && error.message !== '', String(error))
      }
    }),
    { numRuns: 2000 },
  )
  const nested = Buffer.concat([
    ...Array.from({ length: 1000 }, () => Buffer.from([0x5b, 1, 0, 0, 0])),
    Buffer.from('N'),
  ])
  assert.throws(() => codec.decode(nested, nobody), /nested too deep/)
})
