import { test } from 'node:test'
import { publish, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { hex } from '../support/hex.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { turns } from '../support/wait.ts'

testVersions(
  currentVersions,
  'silence of 1.5 keep alives ends the connection and publishes the will [MQTT-3.1.2-22] [MQTT-3.2.2-22] [MQTT-3.1.2-24 v3.1.1]',
  async (t, version) => {
    const clock = new ManualClock()
    const broker = await startBroker(t, {}, { clock })
    const watcher = await broker.connect({ version })
    await subscribe(watcher, 'w')
    const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0 as const, retain: false }
    const client = await broker.connect({ version, keepalive: 10, will })
    for (let round = 0; round < 4; round++) {
      clock.advance(14_000)
      await client.settle()
    }
    clock.advance(14_000)
    await turns()
    await watcher.expectNothing()
    clock.advance(6_000)
    await client.expectDisconnect(0x8d)
    await watcher.expect('publish', { topic: 'w', payload: 'gone' })
  },
)

testVersions(currentVersions, 'any packet counts as a sign of life', async (t, version) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const client = await broker.connect({ version, keepalive: 10 })
  for (let round = 0; round < 5; round++) {
    clock.advance(12_000)
    publish(client, 'a', 'x', { qos: 1 })
    await client.expect('puback')
  }
})

testVersions(currentVersions, 'keep alive 0 never ends the connection', async (t, version) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const client = await broker.connect({ version, keepalive: 0 })
  clock.advance(200_000_000)
  await client.settle()
})

test('what the broker sends is no sign of life', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const client = await broker.connect({ keepalive: 10 })
  await subscribe(client, 'a')
  const publisher = await broker.connect()
  for (let round = 0; round < 3; round++) {
    clock.advance(7_000)
    publish(publisher, 'a', 'x')
    await publisher.settle()
    if (round < 2) await client.expect('publish')
  }
  while ((await client.next('the end')).cmd !== 'disconnect');
  await client.expectClose()
})

test('Server Keep Alive is announced and enforced', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { serverKeepAlive: 20 }, { clock })
  const client = await broker.connect({ keepalive: 1000 })
  const properties = client.connack?.properties as { serverKeepAlive?: number }
  if (properties.serverKeepAlive !== 20) throw new Error(`Server Keep Alive ${properties.serverKeepAlive}`)
  clock.advance(29_000)
  await client.settle()
  clock.advance(40_000)
  await client.expectDisconnect(0x8d)
})

test('a socket without a complete CONNECT is closed', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, { idleTimeout: 5_000 }, { clock })
  const silent = await broker.open()
  const half = await broker.open()
  half.send(hex("10 11 0004'MQTT' 05"))
  const dripping = await broker.open()
  await turns()
  for (const byte of hex("10 11 0004'MQTT' 05")) {
    dripping.send(Buffer.from([byte]))
    clock.advance(1_000)
    await turns(3)
  }
  await silent.expectClose()
  await half.expectClose()
  await dripping.expectClose()
})
