import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publish, subscribe } from '../support/actions.ts'
import { until } from '../support/wait.ts'
import { workerCount } from '../support/workers.ts'
import { Crashing, kept } from './crash.ts'

const skip = workerCount > 1 ? 'the store of one process' : false

/** What a counter of the broker showed in each turn of the event loop, until it reached `end`. */
async function watch(crashing: Crashing, metric: string, end: number): Promise<readonly number[]> {
  const read = (): number => crashing.broker.broker.link.metrics()[metric] ?? 0
  const first = read()
  const seen: number[] = []
  while (read() - first < end) {
    await new Promise((resolve) => setImmediate(resolve))
    seen.push(read() - first)
  }
  return seen
}

const steps = (seen: readonly number[]): number => new Set(seen).size

test('messages and acknowledgements that one batch makes ready go out in several turns, in their order', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t, { maxInflight: 65_535, receiveMaximum: 0, maxStoreWaiting: 0 })
  const { broker, store } = crashing
  const durable = await broker.connect({ clientId: 'd', ...kept })
  await subscribe(durable, 'd', { qos: 1 })
  const publisher = await broker.connect()
  store.pause()
  const count = 12_000
  for (let index = 0; index < count; index++) publish(publisher, 'd', `${index}`, { qos: 1, messageId: index + 1 })
  await until(() => broker.broker.link.metrics()['messages.received'] === count, 'all of them')
  const watching = watch(crashing, 'messages.sent', count)
  store.resume()
  assert.ok(steps(await watching) > 1)
  for (let index = 0; index < count; index++)
    assert.equal(String((await durable.expect('publish')).payload), `${index}`)
  for (let index = 1; index <= count; index++) await publisher.expect('puback', { messageId: index })
})

test('clients that wait for one batch go on in several turns', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const { broker, store } = crashing
  store.pause()
  const count = 300
  const clients = await Promise.all(Array.from({ length: count }, () => broker.open()))
  for (const [index, client] of clients.entries()) client.sendConnect({ clientId: `c${index}`, ...kept })
  await until(() => broker.broker.link.metrics()['session.created'] === count, 'all of them')
  const watching = watch(crashing, 'packets.connack.sent', count)
  store.resume()
  const seen = await watching
  assert.ok(steps(seen) >= 4, `${seen}`)
  for (const client of clients) await client.expect('connack', { reasonCode: 0 })
})

test('what is sent again to a client that is back goes out in several turns, and nothing overtakes it', {
  skip,
}, async (t) => {
  const crashing = await Crashing.start(t, { maxInflight: 65_535, receiveMaximum: 0 })
  const { broker } = crashing
  const first = await broker.connect({ clientId: 'd', ...kept })
  await subscribe(first, 'd', { qos: 1 })
  const publisher = await broker.connect()
  const count = 8000
  for (let index = 0; index < count; index++) publish(publisher, 'd', `${index}`, { qos: 1, messageId: index + 1 })
  for (let index = 0; index < count; index++) await first.expect('publish')
  await first.disconnect()
  publish(publisher, 'd', `${count}`, { qos: 1, messageId: count + 1 })
  for (let index = 0; index <= count; index++) await publisher.expect('puback')
  const watching = watch(crashing, 'messages.sent', count + 2)
  const back = await broker.connect({ clientId: 'd', ...kept })
  publish(publisher, 'd', `${count + 1}`, { qos: 1, messageId: count + 2 })
  for (let index = 0; index < count + 2; index++) {
    const packet = await back.expect('publish', { dup: index < count })
    assert.equal(String(packet.payload), `${index}`)
  }
  assert.ok(steps(await watching) > 1)
})
