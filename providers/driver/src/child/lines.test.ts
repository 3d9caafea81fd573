import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Lines } from './lines.ts'

function collect(limits = { length: 1000, rate: 1_000_000 }, now: () => number = () => 0) {
  const lines: string[] = []
  const omitted: number[] = []
  const reader = new Lines(
    limits,
    (line) => lines.push(line),
    (count) => omitted.push(count),
    now,
  )
  return { lines, omitted, reader }
}

test('lines come out whole, however the text is cut', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text))
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 9 }), (sent, size) => {
      const { lines, reader } = collect()
      const bytes = Buffer.from(sent.map((one) => `${one}\n`).join(''))
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
      reader.end()
      assert.deepEqual(
        lines,
        sent.map((one) => Buffer.from(one).toString()),
      )
    }),
  )
})

test('a line without an end ends with the process; a line of Windows, too', () => {
  const { lines, reader } = collect()
  reader.push(Buffer.from('one\r\n\ntwo'))
  reader.end()
  assert.deepEqual(lines, ['one', '', 'two'])
})

test('a line that never ends is held no longer than it is shown', () => {
  const { lines, reader } = collect({ length: 5, rate: 10 })
  for (let index = 0; index < 1000; index++) reader.push(Buffer.alloc(1000, 'x'))
  reader.push(Buffer.from('\nnext\n'))
  assert.deepEqual(lines, ['xxxxx … (cut at 5 characters)', 'next'])
})

test('what comes too fast is left out, and counted once it is over', () => {
  let now = 0
  const { lines, omitted, reader } = collect({ length: 100, rate: 2 }, () => now)
  reader.push(Buffer.from('1\n2\n3\n4\n'))
  assert.deepEqual([lines, omitted], [['1', '2'], []])
  now = 1000
  reader.push(Buffer.from('5\n'))
  assert.deepEqual([lines, omitted, reader.dropped], [['1', '2', '5'], [2], 2])
})
