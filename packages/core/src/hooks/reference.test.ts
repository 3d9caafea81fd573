import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { hookPointNames } from '@hookmq/api'
import { renderHooksReference, wireText } from './reference.ts'

test('docs/reference/hooks.md is what the tables say', () => {
  const written = readFileSync(new URL('../../../../docs/reference/hooks.md', import.meta.url), 'utf8')
  assert.equal(written, renderHooksReference(), 'docs/reference/hooks.md is out of date: run npm run docs')
})

test('every hook point has its section', () => {
  const page = renderHooksReference()
  for (const name of hookPointNames) assert.ok(page.includes(`### ${name}\n`), name)
})

test('a cell names the packet, its code, what closes and what follows', () => {
  assert.equal(wireText({}, true), 'nothing')
  assert.equal(wireText({ packet: 'puback', code: 0x10 }, true), 'PUBACK 0x10')
  assert.equal(wireText({ packet: 'disconnect', code: 'given', close: true }, true), 'DISCONNECT with the code; close')
  assert.equal(wireText({ packet: 'connack', code: 0x87, close: true }, false), 'CONNACK return code 5; close')
  assert.equal(wireText({ close: true }, false), 'close')
})
