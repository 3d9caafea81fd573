import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Dormant, pageLength } from './dormant.ts'

function page(ids: readonly string[], firstNumber: number) {
  const { length } = ids
  return {
    numbers: Float64Array.from(ids, (_, index) => firstNumber + index),
    clientIds: Buffer.from(ids.map((id) => `${id}\0`).join('')),
    dues: new Float64Array(length),
    waiting: Uint32Array.from(ids, (_, index) => index),
    waitingBytes: Float64Array.from(ids, (_, index) => 10 * index),
    inflight: new Uint32Array(length).fill(3),
    owners: new Uint32Array(),
    filters: [],
    bits: new Uint8Array(),
    identifiers: new Uint32Array(),
  }
}

test('finds what was added and not removed, and the latest of a client id', () => {
  const id = fc.string({ minLength: 0, maxLength: 6, unit: fc.constantFrom('a', 'b', 'ä', '😀', '/') })
  fc.assert(
    fc.property(fc.array(fc.array(id, { maxLength: 40 }), { maxLength: 4 }), fc.array(id), (pages, removed) => {
      const dormant = new Dormant()
      const model = new Map<string, number>()
      const repeated: string[] = []
      const expected: string[] = []
      let next = 1
      for (const ids of pages) {
        dormant.add(page(ids, next), (clientId) => repeated.push(clientId))
        for (const clientId of ids) {
          if (model.has(clientId)) expected.push(clientId)
          model.set(clientId, next++)
        }
      }
      assert.deepEqual(repeated, expected)
      for (const clientId of removed) {
        const place = dormant.find(clientId)
        assert.equal(place === undefined, !model.delete(clientId))
        if (place !== undefined) dormant.remove(place)
      }
      assert.equal(dormant.size, model.size)
      const places = [...dormant.places()]
      const found = places.map((place) => [dormant.clientId(place), dormant.number(place)] as const)
      assert.deepEqual(new Map(found), new Map(model))
      for (const clientId of model.keys()) assert.equal(dormant.clientId(dormant.find(clientId) ?? -1), clientId)
    }),
  )
})

test('a hundred thousand in many pages', () => {
  const dormant = new Dormant()
  const count = 100_000
  for (let start = 0; start < count; start += pageLength) {
    const ids = Array.from({ length: Math.min(pageLength, count - start) }, (_, index) => `device-${start + index}`)
    assert.equal(dormant.add(page(ids, start + 1), assert.fail), start)
  }
  for (const index of [0, 1, 8191, 8192, 50_000, count - 1]) {
    const place = dormant.find(`device-${index}`)
    assert.ok(place !== undefined)
    assert.equal(dormant.number(place), index + 1)
    assert.deepEqual(dormant.counts(place), {
      waiting: index % pageLength,
      waitingBytes: 10 * (index % pageLength),
      inflight: 3,
    })
  }
  assert.equal(dormant.find(`device-${count}`), undefined)
})
