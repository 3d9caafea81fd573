import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { httpOf } from './http.ts'
import { idAt, startTwo } from './support.ts'

const kept = { clean: false, properties: { sessionExpiryInterval: 300 } }

/** Three receivers of 'counted/a' at each worker, one of them away, and two shared groups with members at both. */
async function audience(broker: TestBroker): Promise<void> {
  for (const worker of [1, 2] as const) {
    for (const filter of ['counted/+', 'counted/a', '$share/one/counted/a', '$share/two/counted/#']) {
      const client = await broker.connect({ clientId: idAt(worker) })
      await subscribe(client, filter, { qos: 1 })
    }
    const sleeper = await broker.connect({ clientId: idAt(worker), ...kept })
    await subscribe(sleeper, ['counted/a', '#'], { qos: 1 })
    await sleeper.disconnect()
  }
}

test('publish resolves to the number of receivers at all workers', async (t) => {
  const broker = await startBroker(t, {}, { workers: 2 })
  await audience(broker)
  for (const { link, admin } of broker.brokers) {
    for (const qos of [0, 1, 2] as const) {
      for (const retain of [false, true]) {
        assert.equal(await link.publish({ topic: 'counted/a', payload: 'x', qos, retain }), 8)
        const { receivers } = await admin.publish({ topic: 'counted/b', payload: 'x', qos, retain })
        assert.equal(receivers, 5, 'counted/+ and #, and one group')
      }
    }
    const counts = await Promise.all(['counted/a', 'other', 'counted/b'].map((topic) => link.publish({ topic })))
    assert.deepEqual(counts, [8, 2, 5], 'each its own')
  }
})

test('who publishes from inside a hook of a delivery is told its own number, and so is the other', async (t) => {
  const broker = await startBroker(t, {}, { workers: 2 })
  await audience(broker)
  const inner: Promise<number>[] = []
  const [one] = broker.brokers
  one.hooks.add(
    'message.delivered',
    (_, { topic }) => {
      if (topic === 'counted/a' && inner.length < 2) inner.push(one.link.publish({ topic: 'counted/b' }))
    },
    { owner: 'test' },
  )
  assert.equal(await one.link.publish({ topic: 'counted/a' }), 8)
  assert.deepEqual(await Promise.all(inner), [5, 5])
})

test('PUBACK and PUBREC say whether anybody got it at all workers, and message.puback how many', async (t) => {
  const broker = await startBroker(t, {}, { workers: 2 })
  const routes: number[] = []
  broker.hook('message.puback', ({ routes: count }) => void routes.push(count))
  const publisher = await broker.connect({ clientId: idAt(1) })
  const codes = async (topic: string): Promise<unknown[]> => {
    const [puback] = await publishThrough(publisher, topic, 'x', { qos: 1 })
    const [pubrec] = await publishThrough(publisher, topic, 'x', { qos: 2 })
    return [puback, pubrec].map(({ reasonCode }) => reasonCode ?? 0)
  }
  assert.deepEqual(await codes('there'), [0x10, 0x10])
  const far = [await broker.connect({ clientId: idAt(2) }), await broker.connect({ clientId: idAt(2) })]
  for (const client of far) await subscribe(client, 'there', { qos: 1 })
  assert.deepEqual(await codes('there'), [0, 0])
  const near = await broker.connect({ clientId: idAt(1) })
  await subscribe(near, ['there', '$share/g/there'])
  assert.deepEqual(await codes('there'), [0, 0])
  assert.deepEqual(routes, [0, 2, 4])
})

test('a message for subscribers that have just gone is dropped as one that nobody wants', async (t) => {
  const broker = await startBroker(t, {}, { workers: 2 })
  const publisher = await broker.connect({ clientId: idAt(1) })
  const far = await broker.connect({ clientId: idAt(2) })
  await subscribe(far, 'leaving')
  const [one, two] = broker.brokers
  // The other worker does not learn of it before the message is under way.
  const session = two.sessions.get(far.clientId)
  broker.hook('message.publish', () => void session?.unsubscribe('leaving'))
  assert.equal(await one.link.publish({ topic: 'leaving' }), 0)
  publish(publisher, 'leaving', 'x', { qos: 1 })
  assert.equal((await publisher.expect('puback')).reasonCode, 0x10)
  assert.deepEqual(
    broker.recorder.of('message.dropped').map(({ args }) => (args as { reason: string }).reason),
    ['no_subscribers', 'no_subscribers'],
  )
})

test('POST /publish says whether somebody at any worker is subscribed', async (t) => {
  const broker = await startTwo(t)
  const call = await httpOf(broker)
  const status = async (): Promise<number> =>
    (await call('POST', '/publish', { topic: 'via/http', payload: 'x' })).status
  assert.equal(await status(), 202)
  const far = await broker.connect(2)
  await subscribe(far, 'via/http')
  assert.equal(await status(), 200)
  await far.expect('publish', { payload: 'x' })
  await far.disconnect()
  assert.equal(await status(), 202)
})
