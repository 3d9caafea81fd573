import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idAfter } from './question.ts'

test('ids begin again before codecs run out of bits', () => {
  assert.equal(idAfter(0), 1)
  assert.equal(idAfter(2 ** 30 - 2), 2 ** 30 - 1)
  assert.equal(idAfter(2 ** 30 - 1), 1)
})
