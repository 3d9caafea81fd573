import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemorySessionStore } from '@hookmq/store-memory'
import { run } from './running.testing.ts'

test('a store that does not work: an alarm as long as it does not, and 503 for messages that it would have to take', async (scope) => {
  const sessions = new MemorySessionStore()
  const { broker, call } = await run(scope, { sessions })
  const node = broker.options.node
  const message = { topic: 'a', payload: 'x', qos: 1, retain: true }
  assert.equal((await call('POST', '/publish', { body: message })).status, 202)
  sessions.fail('the disk is full')
  const refused = await call('POST', '/publish', { body: message })
  assert.deepEqual([refused.status, refused.body.code], [503, 'SERVICE_UNAVAILABLE'])
  const bulk = await call('POST', '/publish/bulk', { body: [message, { topic: 'b', payload: 'y' }] })
  assert.deepEqual(
    bulk.body.map(({ reason_code }: { reason_code?: number }) => reason_code),
    [0x97, 0x10],
  )
  const [alarm] = (await call('GET', '/alarms')).body.data
  assert.deepEqual(
    [alarm.node, alarm.name, alarm.message, alarm.details],
    [node, 'store_down', 'the store does not work', { problem: 'the disk is full' }],
  )
  assert.ok(Date.parse(alarm.activate_at) > 0 && alarm.duration >= 0)
  assert.deepEqual((await call('GET', '/alarms?activated=false')).body.data, [])
  sessions.fail(undefined)
  assert.deepEqual((await call('GET', '/alarms')).body.data, [])
  const [over] = (await call('GET', '/alarms?activated=false')).body.data
  assert.equal(over.name, 'store_down')
  assert.ok(Date.parse(over.deactivate_at) >= Date.parse(over.activate_at))
  assert.equal((await call('DELETE', '/alarms')).status, 204)
  assert.deepEqual((await call('GET', '/alarms?activated=false')).body.data, [])
})
