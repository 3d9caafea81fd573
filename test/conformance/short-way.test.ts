import assert from 'node:assert/strict'
import { payloads, publish, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

// The second QoS 0 message to a topic may take the short way through the broker: it must not make a difference.
testVersions(currentVersions, 'upgradeQos holds for every message of a topic', async (t, version) => {
  const broker = await startBroker(t, { upgradeQos: true }, { record: false })
  const subscriber = await broker.connect({ version })
  await subscribe(subscriber, 'a', { qos: 1 })
  const publisher = await broker.connect({ version })
  for (const payload of ['1', '2', '3']) {
    publish(publisher, 'a', payload)
    await subscriber.expect('publish', { payload, qos: 1 })
  }
})

testVersions(currentVersions, 'ignoreLoopDeliver holds for every message of a topic', async (t, version) => {
  const broker = await startBroker(t, { ignoreLoopDeliver: true }, { record: false })
  const client = await broker.connect({ version })
  await subscribe(client, 'a')
  const other = await broker.connect({ version })
  await subscribe(other, 'a')
  for (const payload of ['1', '2', '3']) publish(client, 'a', payload)
  await client.expectNothing()
  assert.deepEqual(payloads(await other.settle()), ['1', '2', '3'])
})
