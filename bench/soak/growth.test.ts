import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lowest, slope } from './growth.ts'

const points = (values: readonly number[]) => values.map((value, at) => ({ at, value }))

test('the slope is that of the line, whatever a few points say', () => {
  assert.equal(slope(points([5, 7, 9, 11, 13, 15])), 2)
  assert.equal(slope(points([5, 7, 900, 11, 13, 15, 17, -300, 21])), 2)
  assert.equal(slope(points([4, 4, 4, 4])), 0)
  assert.equal(slope(points([4])), 0)
  assert.equal(slope([]), 0)
})

test('of a saw the lowest points are left', () => {
  const saw = points(Array.from({ length: 100 }, (_, at) => 50 + (at % 9) * 10))
  assert.ok(lowest(saw, 10).every(({ value }) => value === 50))
  assert.equal(slope(lowest(saw, 10)), 0)
  const growing = points(Array.from({ length: 200 }, (_, at) => at + (at % 9) * 10))
  assert.ok(Math.abs(slope(lowest(growing, 10)) - 1) < 0.1)
})
