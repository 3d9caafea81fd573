import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { hex } from '../support/hex.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

testVersions(currentVersions, 'nothing behind DISCONNECT is processed', async (t, version) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version })
  client.send({ cmd: 'disconnect' })
  publish(client, 'a', 'x', { qos: 1 })
  await client.expectClose()
  assert.equal(broker.recorder.count('message.publish'), 0)
})

test('after DISCONNECT the broker sends nothing more and closes [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-3.14.2-2]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ clientId: 'x', properties: { sessionExpiryInterval: 100 } })
  await subscribe(client, 'a', { qos: 1 })
  await client.expectBytes(Buffer.concat(client.bytes))
  const publisher = await broker.connect()
  client.send(hex('00 00'))
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  const received = await client.next()
  if (received.cmd === 'publish') await client.expect('disconnect', { reasonCode: 0x81 })
  else assert.equal(received.cmd, 'disconnect')
  await client.expectClose()
})

test('the reason codes that a client may give [MQTT-3.14.2-1]', async (t) => {
  const broker = await startBroker(t)
  for (const code of [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]) {
    const client = await broker.connect()
    client.send(Buffer.from([0xe0, 1, code]))
    await client.expectClose()
  }
  const reasons = broker.recorder.of('client.disconnected').map(({ args }) => args.reason)
  assert.equal(reasons[0], 'normal')
  assert.equal(reasons[1], 'disconnect_with_will_message')
  assert.equal(reasons.at(-1), 'payload_format_invalid')
})

test('stopping the broker tells MQTT 5 clients 0x8B', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  const older = await broker.connect({ version: 4 })
  void broker.shutDown()
  await client.expectDisconnect(0x8b)
  await older.expectClose()
})

testVersions(currentVersions, 'kicked', async (t, version) => {
  const broker = await startBroker(t)
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
  const client = await broker.connect({ version, clientId: 'k', clean: false, ...keep })
  assert.equal(await broker.home('k').link.kick('k'), true)
  await client.expectDisconnect(0x98)
  assert.equal(await broker.home('k').link.kick('k'), false)
  const again = await broker.connect({ version, clientId: 'k', clean: false, ...keep })
  assert.equal(again.connack?.sessionPresent, false)
})

testVersions(
  currentVersions,
  'a PUBLISH that is not allowed: acknowledged or the connection ends [MQTT-3.3.5-2 v3.1.1]',
  async (t, version) => {
    for (const aclDenyAction of ['ignore', 'disconnect'] as const) {
      const broker = await startBroker(t, { aclDenyAction })
      broker.hook('client.authorize', () => ({ stop: { result: 'deny' as const, from: 'test' } }))
      const client = await broker.connect({ version })
      publish(client, 'a', 'x', { qos: 1 })
      if (aclDenyAction === 'disconnect') await client.expectDisconnect(0x87)
      else await client.expect('puback', version === 5 ? { reasonCode: 0x87 } : {})
    }
  },
)

testVersions(
  currentVersions,
  'an error of the broker itself ends that connection, not the broker [MQTT-4.8.0-2 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t, {}, { record: false })
    const client = await broker.connect({ version })
    const bystander = await broker.connect({ version })
    t.mock.method(broker.broker.router, 'match', () => {
      throw new Error('out of order')
    })
    publish(client, 'a', 'x', { qos: 1 })
    await client.expectDisconnect(0x80)
    t.mock.restoreAll()
    await bystander.expectNothing()
  },
)

testVersions(currentVersions, 'sessions of others are untouched by a lost connection', async (t, version) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version })
  await subscribe(client, 'a')
  const other = await broker.connect({ version })
  other.destroy()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  publish(client, 'a', 'x')
  assert.deepEqual(payloads(await client.settle()), ['x'])
})
