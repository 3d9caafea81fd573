import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDatetime, formatUptime } from './uptime.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

for (const [milliseconds, text] of [
  [0, '0 seconds'],
  [999, '0 seconds'],
  [-5, '0 seconds'],
  [1 * second, '1 seconds'],
  [9 * second, '9 seconds'],
  [59 * second + 999, '59 seconds'],
  [minute, '1 minutes, 0 seconds'],
  [3 * minute + 9 * second, '3 minutes, 9 seconds'],
  [hour + 5 * second, '1 hours, 0 minutes, 5 seconds'],
  [hour + 25 * minute + 24 * second, '1 hours, 25 minutes, 24 seconds'],
  [day, '1 days, 0 hours, 0 minutes, 0 seconds'],
  [2 * day + 3 * hour + 4 * minute + 5 * second, '2 days, 3 hours, 4 minutes, 5 seconds'],
  [400 * day + 23 * hour + 59 * minute + 59 * second, '400 days, 23 hours, 59 minutes, 59 seconds'],
] as const) {
  test(`an uptime of ${milliseconds} ms is '${text}'`, () => assert.equal(formatUptime(milliseconds), text))
}

test('a datetime is local time with leading zeros', () => {
  assert.equal(formatDatetime(new Date(2031, 1, 3, 4, 5, 6).getTime()), '2031-02-03 04:05:06')
  assert.equal(formatDatetime(new Date(1999, 11, 31, 23, 59, 59).getTime()), '1999-12-31 23:59:59')
})
