import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishThrough, subscribe } from '../support/actions.ts'
import { workerCount } from '../support/workers.ts'
import { Crashing, kept } from './crash.ts'

const skip = workerCount > 1 ? 'the store of one process' : false

test('a client whose session cannot be read is refused, and let in when it can be', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const { broker, store } = crashing
  const first = await broker.connect({ clientId: 'd', ...kept })
  await subscribe(first, 'd', { qos: 1 })
  await first.disconnect()
  const read = store.readSession.bind(store)
  store.readSession = () => Promise.reject(new Error('the database is damaged'))
  const refused = await broker.open()
  refused.sendConnect({ clientId: 'd', ...kept })
  await refused.expect('connack', { reasonCode: 0x88 })
  // All others go on, and what comes for it is stored.
  const publisher = await broker.connect({ clientId: 'p', ...kept })
  await publishThrough(publisher, 'd', 'waits', { qos: 1 })
  store.readSession = read
  const back = await broker.connect({ clientId: 'd', ...kept })
  assert.equal(back.connack?.sessionPresent, true)
  await back.expect('publish', { payload: 'waits' })
})
