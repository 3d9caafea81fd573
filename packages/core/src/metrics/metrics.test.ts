import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as metrics from './index.ts'
import { metricIndex } from './metric-table.ts'
import { Metrics } from './metrics.ts'
import { Stats } from './stats.ts'

test('each counter has a constant of its name, and each constant a counter', () => {
  const constants = Object.entries(metrics).filter(([name]) => /^[A-Z0-9_]+$/.test(name))
  assert.deepEqual(
    constants.sort(),
    metrics.metricTable
      .map(([name], index) => [name.toUpperCase().replaceAll('.', '_'), index] as [string, number])
      .sort(),
  )
})

test('names are unique', () => {
  assert.equal(new Set(metrics.metricTable.map(([name]) => name)).size, metrics.metricTable.length)
})

test('what the hot path counts is what the snapshot shows', () => {
  const one = new Metrics()
  one.counters[metrics.MESSAGES_RECEIVED]++
  one.counters[metrics.BYTES_SENT] += 2 ** 40
  assert.equal(one.snapshot()['messages.received'], 1)
  assert.equal(one.value('bytes.sent'), 2 ** 40)
  assert.equal(one.snapshot()['messages.sent'], 0)
  assert.equal(one.value('messages.of.nobody'), undefined)
  assert.equal(metricIndex('toString'), -1)
  one.reset()
  assert.ok(Object.values(one.snapshot()).every((value) => value === 0))
})

test('the counters of two brokers are apart', () => {
  const one = new Metrics()
  const other = new Metrics()
  one.counters[metrics.CLIENT_CONNECT]++
  assert.equal(other.snapshot()['client.connect'], 0)
})

test('a plugin counter goes on under its name', () => {
  const one = new Metrics()
  one.pluginCounter('counter', 'seen').add()
  one.pluginCounter('counter', 'seen').add(2)
  assert.equal(one.snapshot()['plugins.counter.seen'], 3)
  assert.equal(one.value('plugins.counter.seen'), 3)
  assert.throws(() => one.pluginCounter('counter', 'a b'), /plugin counter: counter name "a b"/)
  assert.throws(() => one.pluginCounter('counter', ''), TypeError)
})

test('a gauge shows its value and the highest that was seen', () => {
  const stats = new Stats()
  let sessions = 3
  stats.provide('sessions', () => sessions)
  sessions = 7
  stats.sample()
  sessions = 5
  const values = stats.snapshot()
  assert.equal(values['sessions.count'], 5)
  assert.equal(values['sessions.max'], 7)
  assert.equal(values['retained.count'], 0)
})

test('a gauge that is provided anew keeps its maximum', () => {
  const stats = new Stats()
  stats.provide('retained', () => 9)
  stats.provide('retained', () => 2)
  assert.equal(stats.snapshot()['retained.max'], 9)
  assert.equal(stats.snapshot()['retained.count'], 2)
})
