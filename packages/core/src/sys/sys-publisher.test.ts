import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessageInit } from '@hookmq/api'
import type { Clock } from '../clock.ts'
import { Metrics } from '../metrics/metrics.ts'
import { Stats } from '../metrics/stats.ts'
import { SysPublisher } from './sys-publisher.ts'

/** A clock that stands until it is moved. */
class HandClock implements Clock {
  #now = new Date(2030, 0, 1, 12, 0, 0).getTime()
  #timers = new Set<{ interval: number; next: number; run: () => void }>()

  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  after(): () => void {
    throw new Error('not used here')
  }

  every(interval: number, run: () => void): () => void {
    const timer = { interval, next: this.#now + interval, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  move(milliseconds: number): void {
    const end = this.#now + milliseconds
    while (true) {
      const due = [...this.#timers].sort((one, other) => one.next - other.next)[0]
      if (due === undefined || due.next > end) break
      this.#now = due.next
      due.next += due.interval
      due.run()
    }
    this.#now = end
  }
}

function setUp(options: { interval?: number; heartbeat?: number; nodes?: string[] } = {}) {
  const clock = new HandClock()
  const sent: MessageInit[] = []
  const metrics = new Metrics()
  const stats = new Stats()
  const sys = new SysPublisher({
    node: 'hookmq@127.0.0.1',
    version: '1.2.3',
    interval: options.interval ?? 60_000,
    heartbeat: options.heartbeat ?? 30_000,
    clock,
    publish: (message) => sent.push(message),
    nodes: () => options.nodes ?? ['hookmq@127.0.0.1'],
    stats: () => stats.snapshot(),
    metrics: () => metrics.snapshot(),
  })
  const payloads = (topic: string) =>
    sent.filter((message) => message.topic === topic).map((message) => message.payload)
  return { clock, sent, metrics, stats, sys, payloads }
}

const below = '$SYS/brokers/hookmq@127.0.0.1/'

test('the tree says who the broker is', () => {
  const { sys, payloads } = setUp({ nodes: ['a@1', 'b@2'] })
  sys.start()
  assert.deepEqual(payloads('$SYS/brokers'), ['a@1,b@2'])
  assert.deepEqual(payloads(`${below}version`), ['1.2.3'])
  assert.deepEqual(payloads(`${below}sysdescr`), ['HookMQ MQTT Broker'])
})

test('uptime and datetime come with each heartbeat', () => {
  const { sys, clock, payloads } = setUp()
  clock.move(5000)
  sys.start()
  clock.move(60_000)
  assert.deepEqual(payloads(`${below}uptime`), ['5 seconds', '35 seconds', '1 minutes, 5 seconds'])
  assert.deepEqual(payloads(`${below}datetime`), ['2030-01-01 12:00:05', '2030-01-01 12:00:35', '2030-01-01 12:01:05'])
})

test('metrics have slashes and stats have dots, one message each in every round', () => {
  const { sys, clock, metrics, stats, payloads } = setUp()
  stats.provide('subscriptions.shared', () => 4)
  metrics.pluginCounter('odd+name', 'seen').add(2)
  sys.start()
  metrics.counters[0] = 77
  clock.move(60_000)
  assert.deepEqual(payloads(`${below}metrics/bytes/received`), ['0', '77'])
  assert.deepEqual(payloads(`${below}metrics/packets/connect/received`), ['0', '0'])
  assert.deepEqual(payloads(`${below}metrics/plugins/odd_name/seen`), ['2', '2'])
  assert.deepEqual(payloads(`${below}stats/subscriptions.shared.count`), ['4', '4'])
  assert.deepEqual(payloads(`${below}stats/sessions.max`), ['0', '0'])
})

test('only nodes, version and description are retained; all are messages of the system', () => {
  const { sys, clock, sent } = setUp()
  sys.start()
  clock.move(120_000)
  const retained = new Set(sent.filter((message) => message.retain).map((message) => message.topic))
  assert.deepEqual([...retained].sort(), ['$SYS/brokers', `${below}sysdescr`, `${below}version`])
  assert.ok(sent.every((message) => message.headers?.system === true && message.qos === 0))
  assert.ok(sent.every((message) => typeof message.payload === 'string' && message.payload !== ''))
})

test('an interval of 0 turns the tree off', () => {
  const { sys, clock, sent } = setUp({ interval: 0 })
  sys.start()
  clock.move(1_000_000)
  assert.deepEqual(sent, [])
  assert.equal(clock.timers, 0)
})

test('starting twice publishes once, and after stop nothing comes', () => {
  const { sys, clock, payloads } = setUp()
  sys.start()
  sys.start()
  assert.equal(payloads('$SYS/brokers').length, 1)
  sys.stop()
  clock.move(1_000_000)
  assert.equal(payloads('$SYS/brokers').length, 1)
  assert.equal(clock.timers, 0)
})
