import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareKeys, storableKey, storableValue } from './index.ts'

test('keys are ordered as their bytes in UTF-8', () => {
  // Long runs of equal code points, and the places where UTF-16 has another order.
  const unit = fc.constantFrom('a', 'b', '\u0000', '\u00e9', '\ud7ff', '\ue000', '\uffee', '\u{10000}', '\u{10ffff}')
  const key = fc.string({ unit, maxLength: 6 })
  fc.assert(
    fc.property(key, key, (one, other) => {
      assert.equal(Math.sign(compareKeys(one, other)), Buffer.compare(Buffer.from(one), Buffer.from(other)))
    }),
  )
})

test('what is no text is no key', () => {
  assert.equal(storableKey('\u{1f600}'), '\u{1f600}')
  assert.throws(() => storableKey('\ud83d'), /^TypeError: the key "\\ud83d" cannot be stored/)
  assert.throws(() => storableKey(7 as unknown as string), /a key of the store is a string, not number/)
})

test('what JSON cannot write is refused with the key and the reason', () => {
  const circle: { self?: unknown } = {}
  circle.self = circle
  assert.throws(
    () => storableValue('k', undefined),
    /the value of 'k' cannot be stored: it is not JSON \(JSON has no undefined\)/,
  )
  assert.throws(() => storableValue('k', () => 1), /JSON has no function/)
  assert.throws(() => storableValue('k', { at: 1n }), /'k'.*BigInt/)
  assert.throws(() => storableValue('k', circle), /'k'.*circular structure to JSON/)
  assert.equal(storableValue('k', null), 'null')
})
