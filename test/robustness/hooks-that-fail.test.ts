import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HookHandler, HookPointName } from '@hookmq/api'
import { hookPointNames } from '@hookmq/api'
import { acknowledge, publish, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

const failing: Record<string, (point: HookPointName) => HookHandler<HookPointName>> = {
  throws: () => () => {
    throw new Error('broken on purpose')
  },
  rejects: () => () => Promise.reject(new Error('broken on purpose')) as never,
  'never answers': () => () => new Promise<never>(() => {}) as never,
  'answers nonsense': () => () => ({ ok: 42 }) as never,
}

for (const [name, handler] of Object.entries(failing)) {
  testVersions(
    currentVersions,
    `a hook on every point that ${name}, ignored: everything goes on`,
    async (t, version) => {
      const broker = await startBroker(t)
      const publisher = await broker.connect({ version, clientId: 'p' })
      for (const point of hookPointNames) {
        broker.hook(point, handler(point), { failedAction: 'ignore', timeout: 20 })
      }
      const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
      const settings = { version, clientId: 'c', clean: false, ...keep }
      const client = await broker.connect(settings)
      assert.deepEqual(await subscribe(client, 'a', { qos: 2 }), [2])
      for (const qos of [0, 1, 2] as const) {
        const answers = publishThrough(publisher, 'a', `${qos}`, { qos })
        const received = await client.expect('publish', { payload: `${qos}`, qos })
        await acknowledge(client, received)
        await answers
      }
      await unsubscribe(client, 'a')
      await client.disconnect()
      const again = await broker.connect(settings)
      await again.settle()
    },
  )
}

test('a notification that never answers holds up nobody, and what waits is bounded and counted', async (t) => {
  const broker = await startBroker(t, { hookQueueLimit: 10 })
  let calls = 0
  broker.hook(
    'message.acked',
    () => {
      calls++
      return new Promise<void>(() => {})
    },
    { timeout: 0, name: 'stuck' },
  )
  const client = await broker.connect()
  await subscribe(client, 'a', { qos: 1 })
  const publisher = await broker.connect()
  for (let index = 0; index < 100; index++) {
    publish(publisher, 'a', `${index}`, { qos: 1 })
    await publisher.expect('puback')
    await acknowledge(client, await client.expect('publish', { payload: `${index}` }))
  }
  await client.settle()
  assert.ok(calls >= 1 && calls <= 100)
  const described = JSON.stringify(broker.broker.hooks.describe())
  assert.match(described, /stuck/)
})

test('a slow hook holds up only its client, and the broker stops within a bounded time', async (t) => {
  const broker = await startBroker(t)
  broker.hook(
    'message.publish',
    ({ client }) => {
      return client?.clientId === 'stuck' ? new Promise<never>(() => {}) : undefined
    },
    { timeout: 0 },
  )
  const stuck = await broker.connect({ clientId: 'stuck' })
  publish(stuck, 'a', 'x', { qos: 1 })
  await until(() => broker.broker.hooks.waiting().length === 1, 'the waiting call')
  const other = await broker.connect()
  await publishThrough(other, 'a', 'x', { qos: 1 })
  await broker.stop()
})
