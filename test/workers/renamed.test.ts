import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { MemorySessionStore } from '@hookmq/store-memory'
import { connectAsync } from 'mqtt'
import { auth, payloads, propertiesOf, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'
import { temporaryFolder } from './folder.ts'
import { idAt, startTwo } from './support.ts'

const kept = { clean: false, properties: { sessionExpiryInterval: 300 } }

/** Two workers with an authenticator that takes its time, and lets clients in under their user name. */
async function renaming(t: TestContext, sessions?: readonly MemorySessionStore[]): Promise<TestBroker> {
  const broker = await startBroker(t, {}, { workers: 2, sessions: sessions && ((worker) => sessions[worker]) })
  broker.hook('client.authenticate', async ({ client: { username } }) => {
    await new Promise((resolve) => setImmediate(resolve))
    return username === undefined ? undefined : { stop: { result: 'allow', clientId: username } }
  })
  return broker
}

for (const durable of [false, true]) {
  test(`a client that was given an id of another worker goes on with its session${durable ? ' from the store' : ''}`, async (t) => {
    const stores = durable ? [new MemorySessionStore(), new MemorySessionStore()] : undefined
    const broker = await renaming(t, stores)
    const clientId = idAt(2)
    const first = await broker.connect({ clientId, ...kept })
    await subscribe(first, ['away', 'own'], { qos: 1 })
    await first.disconnect()
    await publishThrough(await broker.connect({ clientId: idAt(1) }), 'away', 'while away', { qos: 1 })
    broker.recorder.clear()
    const second = await broker.open()
    second.sendConnect({ clientId: idAt(1), username: clientId, ...kept })
    // Before anybody knows where the client belongs.
    publish(second, 'own', 'right behind CONNECT', { qos: 1 })
    const connack = await second.expect('connack', { reasonCode: 0, sessionPresent: true })
    assert.equal(propertiesOf(connack).assignedClientIdentifier, clientId)
    const got = await second.settle()
    assert.deepEqual(payloads(got).sort(), ['right behind CONNECT', 'while away'])
    assert.equal(got.filter(({ cmd }) => cmd === 'puback').length, 1)
    for (const point of ['client.connect', 'client.authenticate', 'client.connack', 'session.resumed'] as const)
      assert.equal(broker.recorder.count(point), 1, point)
    const homes = broker.brokers.map(({ sessions }) => sessions.has(clientId))
    assert.deepEqual(homes, [false, true])
    const third = await broker.connect({ clientId: idAt(1), username: clientId, ...kept })
    assert.equal(third.connack?.sessionPresent, true)
    await second.expectDisconnect(0x8e)
    const metrics = broker.brokers.map(({ link }) => link.metrics())
    const sum = (name: string): number => metrics.reduce((total, each) => total + each[name], 0)
    const connects = ['packets.connect.received', 'client.connect', 'client.connected'].map(sum)
    assert.deepEqual(connects, [4, 4, 4], 'each client counts once')
  })
}

test('after an exchange of AUTH packets, too', async (t) => {
  const broker = await startBroker(t, {}, { workers: 2 })
  const clientId = idAt(2)
  broker.hook('client.authenticate', ({ client: { step } }) =>
    step === 'connect'
      ? { stop: { result: 'continue', data: Buffer.from('question'), state: 'asked' } }
      : { stop: { result: 'allow', clientId, data: Buffer.from('welcome') } },
  )
  const client = await broker.open()
  const properties = { authenticationMethod: 'ASK', authenticationData: Buffer.from('hello') }
  client.sendConnect({ clientId: idAt(1), properties })
  await client.expect('auth', { reasonCode: 0x18 })
  client.send(auth(0x18, 'ASK', 'answer'), { cmd: 'pingreq' })
  await client.expect('connack', {
    properties: { authenticationMethod: 'ASK', authenticationData: Buffer.from('welcome') },
  })
  await client.expect('pingresp')
  assert.ok(broker.brokers[1].sessions.has(clientId))
  // It began with this method, and so it may go on.
  client.send(auth(0x19, 'ASK', 'again'))
  await client.expect('auth', { reasonCode: 0 })
})

test('while that worker is away the client is refused, as its owner would be', async (t) => {
  const broker = await renaming(t)
  const [one, two] = broker.brokers
  await two.stop()
  await until(() => one.peers?.members.every(({ connected }) => !connected) === true, 'the other worker to be gone')
  const client = await broker.open()
  client.sendConnect({ clientId: idAt(1), username: idAt(2) })
  await client.expect('connack', { reasonCode: 0x88 })
  await client.expectClose()
})

test('connections of clients that get an id of another worker change the process, over TCP and WebSocket', async (t) => {
  const plugin = join(temporaryFolder(t), 'renamer.mjs')
  writeFileSync(
    plugin,
    `export default {
  name: 'renamer',
  setup(ctx) {
    ctx.hook('client.authenticate', async ({ client: { username } }) =>
      username === undefined ? undefined : { stop: { result: 'allow', clientId: username } })
  },
}
`,
  )
  const broker = await startTwo(t)
  assert.match(await broker.ctl('plugins', 'load', plugin), /successfully/)
  const [, webPort] = await broker.command.shows(/^listening ws:external on 127\.0\.0\.1:(\d+)$/m)
  for (const worker of [1, 2] as const) {
    const clientId = idAt(worker)
    const first = await RawClient.connect(broker.port, { clientId, ...kept })
    await subscribe(first, clientId, { qos: 1 })
    let before = first
    for (let round = 0; round < 4; round++) {
      const name = idAt(worker === 1 ? 2 : 1)
      const client = await RawClient.connect(broker.port, { clientId: name, username: clientId, ...kept })
      assert.equal(client.connack?.sessionPresent, true)
      await before.expectDisconnect(0x8e)
      before = client
    }
    await before.disconnect()
    for (let round = 0; round < 4; round++) {
      const client = await connectAsync(`ws://127.0.0.1:${webPort}/mqtt`, {
        clientId: idAt(worker === 1 ? 2 : 1, 'ws'),
        username: clientId,
        clean: false,
        reconnectPeriod: 0,
        protocolVersion: 4,
      })
      const received = new Promise<string>((resolve) =>
        client.on('message', (_topic, payload) => resolve(String(payload))),
      )
      const publisher = await broker.connect(worker)
      await publishThrough(publisher, clientId, 'x'.repeat(100_000), { qos: 1 })
      assert.equal((await received).length, 100_000)
      await client.endAsync()
      publisher.destroy()
    }
  }
})
