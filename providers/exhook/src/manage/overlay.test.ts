import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fingerprint, merge, noOverlay, type Overlay, readOverlay } from './overlay.ts'

const file = new Map([
  ['a', { url: '1' }],
  ['b', { url: '2' }],
])
const of = (name: 'a' | 'b') => fingerprint(file.get(name) ?? {})
const overlay = (servers: Overlay['servers'], order: readonly string[] = ['a', 'b']): Overlay => ({
  fileOrder: ['a', 'b'],
  order,
  servers,
})
const merged = (given: Overlay, names: ReadonlyMap<string, Readonly<Record<string, string>>> = file) => {
  const { servers, outdated } = merge(names, given)
  return [[...servers].map(([name, { url }]) => `${name}${url}`).join(' '), outdated.join(' ')]
}

test('without changes the file counts', () => {
  assert.deepEqual(merged(noOverlay), ['a1 b2', ''])
})

test('changed, deleted and added servers, and their order', () => {
  const changes = { a: { file: of('a'), texts: { url: '9' } }, b: { file: of('b') }, c: { texts: { url: '3' } } }
  assert.deepEqual(merged(overlay(changes, ['c', 'a'])), ['c3 a9', ''])
})

test('what the file says now counts against a change of what it said then', () => {
  assert.deepEqual(merged(overlay({ a: { file: 'other', texts: { url: '9' } }, b: { file: 'other' } })), [
    'a1 b2',
    'a b',
  ])
  assert.deepEqual(merged(overlay({ a: { texts: { url: '9' } } })), ['a1 b2', 'a'], 'added, and now in the file')
  assert.deepEqual(merged(overlay({ a: { file: of('a'), texts: { url: '9' } } }), new Map()), ['', 'a'], 'gone from it')
})

test('the order of the file counts when it is another than then; what was added comes last', () => {
  const changes = { c: { texts: { url: '3' } } }
  const turned = new Map([...file].reverse())
  assert.deepEqual(merged(overlay(changes, ['c', 'a', 'b']), turned), ['b2 a1 c3', ''])
})

test('anything that a store may hold is read as something, and every server of the file is there or was deleted', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const read = readOverlay(value)
      const { servers } = merge(file, read)
      for (const name of file.keys())
        assert.ok(
          servers.has(name) || (read.servers[name]?.file === of(name as 'a') && read.servers[name].texts === undefined),
        )
    }),
  )
  const good = overlay({ a: { file: of('a'), texts: { url: '9' } }, c: { texts: { url: '3' } } }, ['c', 'a'])
  assert.deepEqual(readOverlay(JSON.parse(JSON.stringify(good))), good)
})
