import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createBroker, type HookmqBroker, type Message } from 'hookmq'
import { until } from '../support/wait.ts'

const pathOf = (name: string): string => fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url))

/** A broker that has the plugin in a thread of its own. */
async function startWith(
  scope: { after(run: () => Promise<void>): void },
  name: string,
  config: Record<string, string> = {},
): Promise<{ broker: HookmqBroker; got: Message[]; topics(): string[] }> {
  const broker = await createBroker({
    plugins: [{ plugin: pathOf(name), config: { ...config, placement: 'worker' } }],
    sysInterval: 0,
    sysHeartbeat: 0,
  })
  scope.after(() => broker.stop(0))
  await broker.start()
  assert.equal(broker.admin.plugins().find((plugin) => plugin.name === name)?.placement, 'worker')
  const got: Message[] = []
  broker.subscribe('#', (message) => void got.push(message))
  return { broker, got, topics: () => got.map(({ topic }) => topic) }
}

test('rewrite: the topics of PUBLISH and SUBSCRIBE', async (scope) => {
  const { broker, topics } = await startWith(scope, 'rewrite', { 'module.rewrite.rule.1': 'x/# ^x/y/(.+)$ z/y/$1' })
  await broker.publish({ topic: 'x/y/1', payload: 'm' })
  const client = broker.link({ clientId: 'one' })
  await client.connect()
  await client.subscribe('x/y/2')
  assert.deepEqual(topics(), ['z/y/1'])
  assert.deepEqual(
    [...broker.admin.subscriptions()].filter(({ clientId }) => clientId === 'one').map(({ filter }) => filter),
    ['z/y/2'],
  )
})

test('delayed: not at once, with the topic and nothing of the delay later', async (scope) => {
  const { broker, got, topics } = await startWith(scope, 'delayed')
  await broker.publish({ topic: '$delayed/1/lamp', payload: 'off', qos: 1 })
  await broker.publish({ topic: 'mark', payload: 'm' })
  assert.deepEqual(topics(), ['mark'])
  // A worker's figures arrive a moment later.
  await until(() => broker.stats()['delayed.count'] === 1, 'the figure')
  await until(() => got.length > 1, 'the delayed message', 20_000)
  assert.deepEqual(topics(), ['mark', 'lamp'])
  assert.equal(Buffer.from(got[1].payload).toString(), 'off')
  assert.equal('delayedUntil' in got[1].headers, false)
})

test('retainer: limits, and its command', async (scope) => {
  const { broker } = await startWith(scope, 'retainer', { 'retainer.max_retained_messages': '2' })
  for (const name of ['1', '2', '3']) await broker.publish({ topic: `r/${name}`, payload: 'm', retain: true })
  const command = broker.admin.commands().find(({ name }) => name === 'retainer')
  assert.deepEqual((await command?.run(['topics']))?.lines, ['r/1', 'r/2'])
  assert.deepEqual((await command?.run(['clean']))?.lines, ['Cleaned 2 retained messages'])
})

test('presence and subscription: what a client causes by connecting', async (scope) => {
  const presence = await startWith(scope, 'presence')
  const subscription = await startWith(scope, 'subscription', { 'module.subscription.1.topic': 'own/%c' })
  const announced: string[] = []
  presence.broker.subscribe('$SYS/brokers/+/clients/#', ({ topic }) => void announced.push(topic))
  for (const { broker } of [presence, subscription]) await broker.link({ clientId: 'one' }).connect()
  await until(() => announced.some((topic) => topic.endsWith('/clients/one/connected')), 'the announcement')
  await until(
    () => [...subscription.broker.admin.subscriptions()].some(({ filter }) => filter === 'own/one'),
    'the subscription',
  )
})
