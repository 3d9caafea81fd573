import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Endpoint } from './endpoint.ts'
import { partsOf, RouteTable } from './route-table.ts'

const endpoint = (path: string, method: Endpoint['method'] = 'GET'): Endpoint => ({
  method,
  path,
  summary: path,
  handle: () => ({ status: 200 }),
})

test('a literal part wins, and is left again when nothing lies below it', () => {
  const table = new RouteTable(['/a/:x', '/a/b', '/a/b/c', '/:y/d', '/a/:x/e/:z'].map((path) => endpoint(path)))
  const found = (path: string) => {
    const match = table.match('GET', partsOf(path))
    return match !== undefined && 'endpoint' in match ? [match.endpoint.path, { ...match.params }] : match
  }
  assert.deepEqual(found('/a/b'), ['/a/b', {}])
  assert.deepEqual(found('/a/q'), ['/a/:x', { x: 'q' }])
  assert.deepEqual(found('/a/d'), ['/a/:x', { x: 'd' }])
  assert.deepEqual(found('/a/b/e/f'), ['/a/:x/e/:z', { x: 'b', z: 'f' }])
  assert.deepEqual(found('/q/d'), ['/:y/d', { y: 'q' }])
  assert.deepEqual(found('/a/b/'), ['/a/b', {}])
  for (const path of ['/', '/a', '/a//c', '/a/b/c/d', '/x/y/z']) assert.equal(found(path), undefined, path)
  assert.deepEqual(table.match('DELETE', ['a', 'b']), { methods: ['GET'] })
})

test('the first of two with the same method and shape stays', () => {
  const first = endpoint('/a/:x')
  const second = endpoint('/a/:y')
  const table = new RouteTable([first, second, endpoint('/a/:y', 'PUT')])
  assert.deepEqual(table.hidden, [second])
  assert.equal(table.endpoints.length, 2)
  const match = table.match('PUT', ['a', '1'])
  assert.deepEqual({ ...(match as { params: object }).params }, { y: '1' })
})

test('finds what a plain comparison of each path finds', () => {
  const part = fc.constantFrom('a', 'b', ':x', ':y')
  const paths = fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 12 })
  const asked = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 })
  const fits = (path: readonly string[], parts: readonly string[]): boolean =>
    path.length === parts.length && path.every((one, index) => one.startsWith(':') || one === parts[index])
  fc.assert(
    fc.property(paths, asked, (paths, asked) => {
      const table = new RouteTable(paths.map((path) => endpoint(`/${path.join('/')}`)))
      const match = table.match('GET', asked)
      const candidates = paths.filter((path) => fits(path, asked))
      if (match === undefined) assert.equal(candidates.length, 0)
      else assert.ok('endpoint' in match && fits(partsOf(match.endpoint.path), asked))
    }),
  )
})
