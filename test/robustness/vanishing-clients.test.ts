import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auth, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { hex } from '../support/hex.ts'
import type { RawClient, Version } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { turns, until } from '../support/wait.ts'

/** Brings a client into a state in which it then vanishes. */
const states: Record<string, (broker: TestBroker, version: Version) => Promise<RawClient>> = {
  'nothing sent': (broker, version) => broker.open(version),
  'half a CONNECT': async (broker, version) => {
    const client = await broker.open(version)
    client.send(hex("10 20 0004'MQ'"))
    return client
  },
  'CONNECT, not waiting for the answer': async (broker, version) => {
    const client = await broker.open(version)
    client.sendConnect()
    return client
  },
  'waiting for authentication': async (broker, version) => {
    const client = await broker.open(version)
    client.sendConnect({ username: 'slow' })
    await until(() => broker.broker.hooks.waiting().length === 1, 'authentication')
    return client
  },
  'in the middle of an authentication exchange': async (broker) => {
    const client = await broker.open(5)
    client.sendConnect({ properties: { authenticationMethod: 'X' } })
    await client.expect('auth')
    return client
  },
  'in the middle of a re-authentication': async (broker) => {
    const client = await broker.open(5)
    client.sendConnect({ properties: { authenticationMethod: 'X' } })
    await client.expect('auth')
    client.send(auth(0x18, 'X', 'done'))
    await client.expect('connack')
    client.send(auth(0x19, 'X', ''))
    await client.expect('auth')
    return client
  },
  'half a PUBLISH': async (broker, version) => {
    const client = await broker.connect({ version })
    client.send(hex("32 7f 0001'a' 00"))
    return client
  },
  'PUBLISH whose hook thinks': async (broker, version) => {
    const client = await broker.connect({ version })
    publish(client, 'slow', 'x', { qos: 1 })
    await until(() => broker.broker.hooks.waiting().length === 1, 'the hook')
    return client
  },
  'QoS 2 before PUBREL': async (broker, version) => {
    const client = await broker.connect({ version })
    publish(client, 'a', 'x', { qos: 2 })
    await client.expect('pubrec')
    return client
  },
  'deliveries at QoS 1 unacknowledged': async (broker, version) => {
    const client = await broker.connect({ version })
    await subscribe(client, 'a', { qos: 1 })
    publish(client, 'a', 'x', { qos: 1 })
    await client.next()
    await client.next()
    return client
  },
  'delivery at QoS 2 before PUBCOMP': async (broker, version) => {
    const client = await broker.connect({ version })
    await subscribe(client, 'a', { qos: 2 })
    const publisher = await broker.connect({ version, clientId: `publisher-${version}` })
    await publishThrough(publisher, 'a', 'x', { qos: 2 })
    await publisher.disconnect()
    const { messageId } = await client.expect('publish')
    client.send({ cmd: 'pubrec', messageId: messageId as number })
    await client.expect('pubrel')
    return client
  },
  'retained messages on their way': async (broker, version) => {
    const client = await broker.connect({ version })
    for (let index = 0; index < 2000; index++) publish(client, `r/${index}`, 'x', { retain: true })
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'r/#', qos: 1 }] })
    await client.expect('suback')
    return client
  },
  'just taken over': async (broker, version) => {
    const first = await broker.connect({ version, clientId: 'twice' })
    const second = await broker.open(version)
    second.sendConnect({ clientId: 'twice' })
    first.destroy()
    return second
  },
}

for (const [title, prepare] of Object.entries(states)) {
  testVersions(currentVersions, `a client vanishes: ${title}`, async (t, version) => {
    // While a hook keeps CONNECT waiting the socket is not read, so only this limit sees that the client is gone.
    const broker = await startBroker(t, { idleTimeout: 500 }, { record: false })
    broker.hook(
      'client.authenticate',
      ({ client }) => {
        if (client.username === 'slow') return new Promise<never>(() => {})
        if (client.authenticationMethod !== 'X') return undefined
        const done = Buffer.from(client.authenticationData ?? []).toString() === 'done'
        return { stop: done ? { result: 'allow' } : { result: 'continue' } }
      },
      { priority: 1000, timeout: 0 },
    )
    broker.hook(
      'message.publish',
      (_, message) => (message.topic === 'slow' ? new Promise<never>(() => {}) : undefined),
      {
        timeout: 50,
      },
    )
    const bystander = await broker.connect({ version, clientId: 'bystander' })
    const client = await prepare(broker, version)
    client.destroy()
    const { stats } = broker.broker
    await until(() => broker.broker.channels.size === 1, 'the connection to be forgotten')
    await until(() => broker.broker.sessions.size === 1, 'its session to end')
    await turns()
    assert.equal(broker.broker.router.subscriptionCount, 0)
    assert.equal(stats.snapshot()['subscriptions.count'], 0)
    await bystander.expectNothing()
    // The way is free for the next one.
    await publishThrough(bystander, 'a', 'x', { qos: 2 })
  })
}

test('nothing is left behind in the routes when clients with many subscriptions vanish', async (t) => {
  const broker = await startBroker(t, {}, { record: false })
  for (let round = 0; round < 5; round++) {
    const clients = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = await broker.connect()
        await subscribe(client, ['a/+', 'b/#', `own/${client.clientId}`, '$share/g/s'], { qos: 1 })
        return client
      }),
    )
    for (const client of clients) client.destroy()
    await until(() => broker.broker.sessions.size === 0, 'all sessions to end')
  }
  assert.equal(broker.broker.router.subscriptionCount, 0)
  assert.equal(broker.broker.router.topicCount, 0)
})
