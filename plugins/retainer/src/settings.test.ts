import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '@hookmq/api'
import { testMessage } from '@hookmq/api/testing'
import { createSettings } from '@hookmq/kit'
import { inTurns } from './in-turns.ts'
import { keys, readRatePerSecond, readSettings } from './settings.ts'

const read = (config: Record<string, string>) => readSettings(createSettings(keys, { config }))

test('what is not set is left to the broker, or off', () => {
  assert.deepEqual(read({}), {
    storage: 'ram',
    maxMessages: undefined,
    maxPayload: undefined,
    expiry: 0,
    clearInterval: 300_000,
    stopClearMessages: false,
    deliveryRate: 0,
    storeRate: 0,
  })
})

test('a bare number is seconds under the name of 2.0, milliseconds under the later one, which goes first', () => {
  assert.equal(read({ 'module.retainer.expired_after': '90' }).expiry, 90_000)
  assert.equal(read({ 'retainer.expiry_interval': '90' }).expiry, 90)
  assert.equal(read({ 'retainer.expiry_interval': '1m', 'module.retainer.expired_after': '9' }).expiry, 60_000)
})

test('rates', () => {
  for (const [text, rate] of [
    ['infinity', 0],
    ['0', 0],
    ['1000/s', 1000],
    ['60,1m', 1],
    ['fast', undefined],
  ] as const) {
    assert.equal(readRatePerSecond(text), rate, text)
  }
})

test('a visit gives way to the event loop, and can be ended', async () => {
  const messages: Message[] = Array.from({ length: 1000 }, (_, index) => testMessage({ topic: `t/${index}` }))
  let turns = 0
  let counting = true
  const count = (): void => {
    turns++
    if (counting) setImmediate(count)
  }
  setImmediate(count)
  const seen: string[] = []
  assert.equal(await inTurns(messages.values(), ({ topic }) => void seen.push(topic)), true)
  counting = false
  assert.equal(seen.length, 1000)
  assert.ok(turns >= 9, `${turns} turns`)
  let visited = 0
  assert.equal(await inTurns(messages.values(), () => ++visited < 5), false)
  assert.equal(visited, 5)
  const signal = AbortSignal.abort()
  visited = 0
  assert.equal(await inTurns(messages.values(), () => void visited++, signal), false)
  assert.ok(visited < 1000)
})
