import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MemorySessionStore } from '@hookmq/store-memory'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import type { RawClient } from '../support/raw-client.ts'
import { turns, until } from '../support/wait.ts'
import { idAt, startTwo } from './support.ts'

const kept = { clean: false, properties: { sessionExpiryInterval: 300 } }

interface Scene {
  readonly broker: TestBroker
  readonly stores: readonly MemorySessionStore[]
  readonly publisherId: string
  readonly sleeperId: string
  /** Of the publisher, whose first connection is gone. */
  readonly client: RawClient
}

const messageId = 7

/**
 * A QoS 2 message whose client lost its connection while a hook was thinking about it. It has been routed; the second worker has it for a session
 * that is away, and cannot store it yet.
 */
async function halfway(t: TestContext): Promise<Scene> {
  const stores = [new MemorySessionStore(), new MemorySessionStore()]
  const broker = await startBroker(t, {}, { workers: 2, sessions: (worker) => stores[worker], record: false })
  const [publisherId, sleeperId] = [idAt(1), idAt(2)]
  const sleeper = await broker.connect({ clientId: sleeperId, ...kept })
  await subscribe(sleeper, 'far', { qos: 2 })
  await sleeper.disconnect()
  let answer: (() => void) | undefined
  broker.hook('message.publish', () => new Promise<void>((resolve) => (answer = resolve)))
  const publisher = await broker.connect({ clientId: publisherId, ...kept })
  publish(publisher, 'far', 'precious', { qos: 2, messageId })
  await until(() => answer !== undefined, 'the hook')
  const client = await broker.connect({ clientId: publisherId, ...kept })
  await publisher.expectDisconnect(0x8e)
  await stores[1].settled()
  stores[1].pause()
  answer?.()
  await until(() => stores[1].waitingBytes > 0, 'the message at the other worker')
  await turns()
  await stores[0].settled()
  return { broker, stores, publisherId, sleeperId, client }
}

/** What comes after a crash: it has what was stored. */
async function crashed(t: TestContext, broker: TestBroker, stores: readonly MemorySessionStore[]): Promise<TestBroker> {
  const left = stores.map((store) => store.reopened())
  // The first one waits for the other one's store in vain.
  await Promise.all(broker.brokers.map((one) => one.stop(50)))
  return startBroker(t, {}, { workers: 2, sessions: (worker) => left[worker], record: false })
}

test('a crash before all workers have the QoS 2 message of a client that left does not lose it', async (t) => {
  const { broker, stores, publisherId, sleeperId } = await halfway(t)
  const after = await crashed(t, broker, stores)
  const again = await after.connect({ clientId: publisherId, ...kept })
  assert.equal(again.connack?.sessionPresent, true)
  await publishThrough(again, 'far', 'precious', { qos: 2, messageId, dup: true })
  const sleeper = await after.connect({ clientId: sleeperId, ...kept })
  assert.deepEqual(payloads(await sleeper.settle()), ['precious'])
})

test('a QoS 2 message that is sent again is acknowledged when all workers have it, and is not doubled', async (t) => {
  const { broker, stores, publisherId, sleeperId, client } = await halfway(t)
  publish(client, 'far', 'precious', { qos: 2, messageId, dup: true })
  // What waits for the other worker does not hold up what needs nothing of it.
  client.send({ cmd: 'pingreq' })
  await client.expect('pingresp')
  stores[1].resume()
  await client.expect('pubrec', { messageId })
  await stores[0].settled()
  const after = await crashed(t, broker, stores)
  const again = await after.connect({ clientId: publisherId, ...kept })
  await publishThrough(again, 'far', 'precious', { qos: 2, messageId, dup: true })
  const sleeper = await after.connect({ clientId: sleeperId, ...kept })
  assert.deepEqual(payloads(await sleeper.settle()), ['precious'])
})

test('a publisher is told that a worker with receivers may have lost its message', async (t) => {
  const broker = await startTwo(t, ['--set', 'node.workers.patience=100ms'])
  const subscriber = await broker.connect(2)
  await subscribe(subscriber, 'there', { qos: 2 })
  const modern = await broker.connect(1)
  const older = await broker.connect(1, { version: 4 })
  // The first worker may have started without the other one.
  let known = false
  while (!known) known = (await publishThrough(modern, 'there', 'x', { qos: 1 }))[0].reasonCode !== 0x10
  const pid = broker.pid(2)
  process.kill(pid, 'SIGSTOP')
  const one = publish(modern, 'there', 'x', { qos: 1 })
  const two = publish(modern, 'there', 'x', { qos: 2 })
  publish(older, 'there', 'x', { qos: 1 })
  for (const client of [modern, older]) await client.expectNothing()
  process.kill(pid, 'SIGKILL')
  await modern.expect('puback', { messageId: one, reasonCode: 0x83 })
  await modern.expect('pubrec', { messageId: two, reasonCode: 0x83 })
  await older.expectClose()
  await broker.command.shows(/"worker":"worker2","msg":"a worker is back"/)
  // The identifier is free again.
  const [pubrec] = await publishThrough(modern, 'there', 'x', { qos: 2, messageId: two })
  assert.equal(pubrec.reasonCode, 0x10)
})
