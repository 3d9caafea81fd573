import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publish, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'

test('$SYS: what is published each interval, retained or not', async (t) => {
  const clock = new ManualClock()
  const options = { node: 'n1@127.0.0.1', version: '9.8.7', sysInterval: 60_000, sysHeartbeat: 30_000 }
  const broker = await startBroker(t, options, { clock })
  const client = await broker.connect()
  await subscribe(client, '$SYS/#')
  await client.settle()
  publish(client, 'a', 'x')
  await client.settle()
  clock.advance(61_000)
  const seen = new Map((await client.settle()).map(({ topic, payload }) => [String(topic), String(payload)]))
  assert.equal(seen.get('$SYS/brokers'), 'n1@127.0.0.1')
  assert.equal(seen.get('$SYS/brokers/n1@127.0.0.1/version'), '9.8.7')
  assert.ok(seen.get('$SYS/brokers/n1@127.0.0.1/sysdescr'))
  assert.match(seen.get('$SYS/brokers/n1@127.0.0.1/uptime') ?? '', /^(\d+ minutes, )?\d+ seconds$/)
  assert.match(seen.get('$SYS/brokers/n1@127.0.0.1/datetime') ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  assert.equal(seen.get('$SYS/brokers/n1@127.0.0.1/metrics/packets/connect/received'), '1')
  assert.equal(seen.get('$SYS/brokers/n1@127.0.0.1/stats/connections.count'), '1')
  const late = await broker.connect()
  await subscribe(late, '$SYS/#')
  const retained = (await late.settle()).map(({ topic }) => String(topic)).sort()
  assert.deepEqual(retained, [
    '$SYS/brokers',
    '$SYS/brokers/n1@127.0.0.1/sysdescr',
    '$SYS/brokers/n1@127.0.0.1/version',
  ])
})

test('messages below $SYS are not counted as messages', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { sysInterval: 1_000, sysHeartbeat: 1_000 }, { clock })
  const before = broker.broker.link.metrics()
  clock.advance(5_000)
  const after = broker.broker.link.metrics()
  for (const name of ['messages.received', 'messages.dropped', 'messages.dropped.no_subscribers']) {
    assert.equal(after[name], before[name], name)
  }
})
