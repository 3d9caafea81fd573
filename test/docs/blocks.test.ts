import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsOf, matches, wordsOf } from './blocks.ts'

test('commands and what they print', () => {
  assert.deepEqual(commandsOf("$ a 'b c'\none\ntwo\n\n$ d\n"), [
    { command: "a 'b c'", output: 'one\ntwo' },
    { command: 'd', output: '' },
  ])
  assert.deepEqual(wordsOf(`a 'b c' "d" e=f`), ['a', 'b c', 'd', 'e=f'])
})

test('what is printed is compared as written, … aside', () => {
  assert.equal(matches('ok\n', 'ok'), true)
  assert.equal(matches('ok 3\n', 'ok …'), true)
  assert.equal(matches('a\nb\nc\n', '…\nc'), true)
  assert.equal(matches('a\nb\n', 'a\n…'), true)
  assert.equal(matches('anything', ''), true)
  for (const [printed, expected] of [
    ['ok.', 'ok'],
    ['not ok', 'ok'],
    ['a\nb', 'a'],
    ['axc', 'a.c'],
    ['', 'ok'],
    ['a\nb\n', '…\nc'],
  ])
    assert.equal(matches(printed, expected), false, `${printed} / ${expected}`)
})
