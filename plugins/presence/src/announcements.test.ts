import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClient, testConnInfo } from '@hookmq/api/testing'
import { announcementsOf } from './announcements.ts'

const now = 1_767_225_600_999

test('2.x: return codes of 3.1.1 for refused clients, whole seconds', () => {
  const { refused } = announcementsOf('2.x')
  assert.ok(refused)
  for (const [reasonCode, connack] of [
    [0x84, 1],
    [0x85, 2],
    [0x88, 3],
    [0x86, 4],
    [0x87, 5],
  ]) {
    const [connected, disconnected] = refused(testConnInfo({ clientId: 'dev' }), reasonCode, now)
    assert.equal(connected.payload.connack, connack)
    assert.deepEqual(disconnected, {
      event: 'disconnected',
      payload: { clientid: 'dev', reason: 'auth_failure', ts: 1_767_225_600 },
    })
  }
})

test('4.x: refused clients are not announced', () => {
  assert.equal(announcementsOf('4.x').refused, undefined)
})

test('reasons that have no word of their own stay as they are; names of object properties too', () => {
  for (const format of ['2.x', '4.x'] as const) {
    for (const reason of ['keepalive_timeout', 'quota_exceeded', 'constructor']) {
      const { payload } = announcementsOf(format).disconnected(testClient(), testConnInfo(), reason, now)
      assert.equal(payload.reason, reason)
    }
  }
})
