import assert from 'node:assert/strict'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { allVersions, currentVersions, testVersions } from '../support/versions.ts'

testVersions(
  allVersions,
  'the same identifier again closes the old connection [MQTT-3.1.4-3] [MQTT-3.1.4-2 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const first = await broker.connect({ version, clientId: 'same' })
    const second = await broker.connect({ version, clientId: 'same' })
    await first.expectDisconnect(0x8e)
    await second.settle()
    assert.equal(second.connack?.sessionPresent, false)
  },
)

testVersions(currentVersions, 'a session moves to the new connection with all that is in it', async (t, version) => {
  const broker = await startBroker(t)
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
  const settings = { version, clientId: 'same', clean: false, ...keep }
  const first = await broker.connect(settings)
  await subscribe(first, 'a', { qos: 2 })
  const publisher = await broker.connect({ version })
  await publishThrough(publisher, 'a', 'one', { qos: 1 })
  await publishThrough(publisher, 'a', 'two', { qos: 2 })
  const [one, two] = await first.settle()
  first.send({ cmd: 'pubrec', messageId: two.messageId as number })
  await first.expect('pubrel')
  const second = await broker.connect(settings)
  await first.expectDisconnect(0x8e)
  assert.equal(second.connack?.sessionPresent, true)
  await second.expect('publish', { payload: 'one', dup: true, messageId: one.messageId })
  await second.expect('pubrel', { messageId: two.messageId })
  await publishThrough(publisher, 'a', 'three', { qos: 1 })
  await second.expect('publish', { payload: 'three', dup: false })
})

testVersions(currentVersions, 'many takeovers in a row lose nothing', async (t, version) => {
  const broker = await startBroker(t)
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
  const settings = { version, clientId: 'same', clean: false, ...keep }
  let client = await broker.connect(settings)
  await subscribe(client, 'a', { qos: 1 })
  const publisher = await broker.connect({ version })
  const seen: string[] = []
  for (let round = 0; round < 20; round++) {
    publish(publisher, 'a', `${round}`, { qos: 1 })
    await publisher.expect('puback')
    const next = await broker.connect(settings)
    const received = await next.settle()
    for (const packet of received) next.send({ cmd: 'puback', messageId: packet.messageId as number })
    seen.push(...payloads(received))
    client = next
  }
  await client.settle()
  assert.deepEqual(
    [...new Set(seen)],
    Array.from({ length: 20 }, (_, index) => `${index}`),
  )
})

testVersions(currentVersions, 'both versions of the protocol can share one session', async (t, version) => {
  const broker = await startBroker(t)
  const other = version === 5 ? 4 : 5
  const settings = (wanted: 3 | 4 | 5) => ({
    version: wanted,
    clientId: 'same',
    clean: false,
    ...(wanted === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}),
  })
  const first = await broker.connect(settings(version))
  await subscribe(first, 'a', { qos: 1 })
  await first.disconnect()
  const publisher = await broker.connect()
  await publishThrough(publisher, 'a', 'x', { qos: 1, properties: { contentType: 'ct' } })
  const second = await broker.connect(settings(other))
  assert.equal(second.connack?.sessionPresent, true)
  await second.expect('publish', { payload: 'x' })
})

testVersions(currentVersions, 'clean start against a live session throws it away', async (t, version) => {
  const broker = await startBroker(t)
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
  const first = await broker.connect({ version, clientId: 'same', clean: false, ...keep })
  await subscribe(first, 'a', { qos: 1 })
  const second = await broker.connect({ version, clientId: 'same', clean: true, ...keep })
  await first.expectDisconnect(0x8e)
  const publisher = await broker.connect({ version })
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  await second.expectNothing()
})
