import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LoginLimiter } from './login-limiter.ts'

test('locks after five failures in five minutes, for five minutes', () => {
  let now = 1_000_000
  const limiter = new LoginLimiter(() => now)
  for (let count = 0; count < 4; count++) limiter.failed('a', '::1')
  assert.equal(limiter.lockedFor('a', '::1'), 0)
  limiter.failed('a', '::1')
  assert.equal(limiter.lockedFor('a', '::1'), 300_000)
  assert.equal(limiter.lockedFor('a', '::2'), 0)
  assert.equal(limiter.lockedFor('b', '::1'), 0)
  now += 300_000
  assert.equal(limiter.lockedFor('a', '::1'), 0)
})

test('failures that lie far apart do not add up, and a success wipes them out', () => {
  let now = 0
  const limiter = new LoginLimiter(() => now)
  for (let count = 0; count < 20; count++) {
    limiter.failed('slow', '::1')
    now += 100_000
    assert.equal(limiter.lockedFor('slow', '::1'), 0)
  }
  for (let count = 0; count < 20; count++) {
    limiter.failed('good', '::1')
    limiter.succeeded('good', '::1')
    assert.equal(limiter.lockedFor('good', '::1'), 0)
  }
})

test('remembers a bounded number of names', () => {
  const limiter = new LoginLimiter()
  for (let count = 0; count < 30_000; count++) limiter.failed(`name ${count}`, '::1')
  assert.equal(limiter.size, 10_000)
})
