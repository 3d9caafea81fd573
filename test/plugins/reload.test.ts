import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { PluginContext } from '@hookmq/api'
import { publishThrough } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { plugin, traces } from './support.ts'

const empty = Buffer.alloc(0)

/** Hooks of both kinds, answering at once and later, that note which generation had which message. */
function noting(generation: number, handled: Map<string, string[]>, alive: Set<number>) {
  return (ctx: PluginContext): void => {
    const note = (what: string, topic: string): void => {
      assert.ok(alive.has(generation), `generation ${generation} was called after its teardown`)
      const key = `${what} ${topic}`
      handled.set(key, [...(handled.get(key) ?? []), `${generation}`])
    }
    alive.add(generation)
    ctx.hook('message.publish', (_, { topic }) => note('now', topic))
    ctx.hook('message.publish', async (_, { topic }) => {
      await turn()
      note('later', topic)
    })
    ctx.hook('message.publish', (_, { topic }) => note('sink', topic), { phase: 'sink' })
    ctx.hook('message.dropped', async ({ message }) => {
      await turn()
      note('dropped', message.topic)
    })
    ctx.broker.subscribe('heard/#', ({ topic }) => note('heard', topic))
    ctx.onTeardown(() => void alive.delete(generation))
  }
}

test('100 reloads under traffic: every event is handled by one generation, none after its teardown', async (scope) => {
  const { broker, connect } = await startBroker(scope, {}, { record: false })
  const handled = new Map<string, string[]>()
  const alive = new Set<number>()
  await broker.plugins.load(plugin('noting', noting(0, handled, alive)))
  const left = traces(broker)

  let running = true
  let sent = 0
  const inProcess = async (): Promise<void> => {
    while (running) {
      const number = sent++
      await Promise.all([
        // Each from another client: the notifications of one client wait for each other.
        broker.publish({ topic: `t/${number}`, payload: empty, from: `t${number}` }),
        broker.publish({ topic: `heard/${number}`, payload: empty, from: `h${number}` }),
      ])
    }
  }
  const client = await connect()
  let wired = 0
  const overTheWire = async (): Promise<void> => {
    while (running) {
      await publishThrough(client, `wire/${wired++}`, 'x', { qos: 1 })
    }
  }
  const traffic = [inProcess(), inProcess(), inProcess(), overTheWire()]
  for (let generation = 1; generation <= 100; generation++) {
    await broker.plugins.reload(plugin('noting', noting(generation, handled, alive)))
    assert.deepEqual([...alive], [generation])
    await turn()
  }
  running = false
  await Promise.all(traffic)
  await broker.hooks.idle()

  const topics = [
    ...Array.from({ length: sent }, (_, number) => [`t/${number}`, ['now', 'later', 'sink', 'dropped']] as const),
    ...Array.from({ length: sent }, (_, number) => [`heard/${number}`, ['now', 'later', 'sink', 'heard']] as const),
    ...Array.from({ length: wired }, (_, number) => [`wire/${number}`, ['now', 'later', 'sink', 'dropped']] as const),
  ]
  for (const [topic, kinds] of topics)
    for (const kind of kinds) assert.equal(handled.get(`${kind} ${topic}`)?.length, 1, `${kind} ${topic}`)
  assert.ok(sent > 100, `${sent} messages are too few to prove anything`)
  const generations = new Set([...handled.values()].flat())
  assert.ok(generations.size > 50, `only ${generations.size} generations had something to do`)
  assert.deepEqual(traces(broker), left)
})

test('a run that waits elsewhere in the chain ends with the generation that it began with', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const { promise, resolve } = Promise.withResolvers<void>()
  const order: string[] = []
  await broker.plugins.load(plugin('first', (ctx) => void ctx.hook('message.publish', () => promise, { priority: 10 })))
  const second = (generation: string) =>
    plugin('second', (ctx) => {
      ctx.hook('message.publish', (_, { topic }) => void order.push(`${topic} by ${generation}`))
      ctx.onTeardown(() => void order.push(`${generation} torn down`))
    })
  await broker.plugins.load(second('old'))
  const waiting = broker.publish({ topic: 'a', payload: empty })
  const reloading = broker.plugins.reload(second('new'))
  await turn()
  assert.deepEqual(order, [])
  resolve()
  await Promise.all([waiting, reloading])
  await broker.publish({ topic: 'b', payload: empty })
  assert.deepEqual(order, ['a by old', 'old torn down', 'b by new'])
})

test('access modules: a check that is under way keeps its modules until it ends', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const { promise, resolve } = Promise.withResolvers<void>()
  const order: string[] = []
  await broker.plugins.load(
    plugin('slow', (ctx) =>
      ctx.authorizer(
        {
          name: 'slow',
          authorize: () => promise.then(() => 'ignore' as const),
        },
        1,
      ),
    ),
  )
  const second = (generation: string) =>
    plugin('second', (ctx) => {
      ctx.authorizer({
        name: 'second',
        authorize() {
          order.push(generation)
          return 'allow'
        },
      })
      ctx.onTeardown(() => void order.push(`${generation} torn down`))
    })
  await broker.plugins.load(second('old'))
  const client = { clientId: 'c', superuser: false } as never
  const check = broker.access.authorize({ client, action: 'publish', topic: 't', qos: 0, retain: false })
  const reloading = broker.plugins.reload(second('new'))
  await turn()
  assert.deepEqual(order, [])
  resolve()
  assert.deepEqual(await check, { result: 'allow', from: 'second' })
  await reloading
  assert.deepEqual(order, ['old', 'old torn down'])
})

test('when the new generation cannot be set up, the old one stays as it is', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const seen: string[] = []
  const handler = (): void => void seen.push('old')
  await broker.plugins.load(
    plugin('kept', (ctx) => {
      ctx.hook('message.publish', handler)
      ctx.command({ name: 'kept', usage: [], run: () => ({ lines: [] }) })
      ctx.onTeardown(() => void seen.push('old torn down'))
    }),
  )
  const before = traces(broker)
  const broken = plugin('kept', (ctx) => {
    // The same handler, command and more: none of it may take effect.
    ctx.hook('message.publish', handler)
    ctx.hook('message.publish', () => void seen.push('new'))
    ctx.command({ name: 'kept', usage: [], run: () => ({ lines: ['new'] }) })
    ctx.onTeardown(() => void seen.push('new torn down'))
    throw new Error('on purpose')
  })
  await assert.rejects(broker.plugins.reload(broken), /on purpose/)
  await broker.publish({ topic: 'a', payload: empty })
  assert.deepEqual(seen, ['new torn down', 'old'])
  assert.deepEqual(traces(broker), before)
  await broker.plugins.reload(plugin('kept', (ctx) => void ctx.hook('message.publish', handler)))
  await broker.publish({ topic: 'a', payload: empty })
  assert.deepEqual(seen, ['new torn down', 'old', 'old torn down', 'old'])
})

test('a reload changes no order: hooks, access modules and routes stay where they were', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const make = (name: string) =>
    plugin(name, (ctx) => {
      ctx.hook('message.publish', () => {}, { name: `${name}-1` })
      ctx.hook('message.publish', () => {}, { name: `${name}-2` })
      ctx.authorizer({ name, authorize: () => 'ignore' })
      ctx.authenticator({ name, authenticate: () => ({ result: 'ignore' }) })
      ctx.route({ method: 'GET', path: `/${name}`, summary: '', handle: () => ({ status: 200 }) })
    })
  for (const name of ['a', 'b', 'c']) await broker.plugins.load(make(name))
  const order = () => ({
    hooks: broker.hooks
      .chain('message.publish')
      .hooks()
      .map(({ name }) => name),
    authorizers: broker.access.authorizers.entries.map(({ module }) => module.name),
    authenticators: broker.access.authenticators.entries.map(({ module }) => module.name),
    routes: broker.registrations.routes.map(({ path }) => path),
    plugins: broker.plugins.list().map(({ plugin: { name } }) => name),
  })
  const before = order()
  assert.deepEqual(before.hooks, ['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'c-2'])
  assert.deepEqual(before.authorizers, ['c', 'b', 'a'])
  for (const name of ['b', 'a', 'c', 'b']) await broker.plugins.reload(make(name))
  assert.deepEqual(order(), before)
})

test('an exclusive plugin is restarted, and comes back when the new one fails', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  let held = false
  const order: string[] = []
  const exclusive = (generation: string, fails = false) =>
    plugin(
      'holder',
      (ctx) => {
        assert.equal(held, false, 'two of them at a time')
        held = true
        order.push(generation)
        ctx.onTeardown(() => {
          held = false
        })
        if (fails) throw new Error('on purpose')
      },
      { exclusive: true },
    )
  await broker.plugins.load(exclusive('one'))
  await broker.plugins.reload(exclusive('two'))
  await assert.rejects(broker.plugins.reload(exclusive('three', true)), /on purpose/)
  assert.deepEqual(order, ['one', 'two', 'three', 'two'])
  assert.equal(broker.plugins.list().length, 1)
})

test('notifications that wait for the old generation reach it; new ones go to the new one', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const seen: string[] = []
  const gates = new Map<string, () => void>()
  const slow = (generation: string) =>
    plugin('slow', (ctx) => {
      ctx.hook('message.dropped', async ({ message }) => {
        seen.push(`${message.topic} by ${generation}`)
        await new Promise<void>((resolve) => gates.set(message.topic, resolve))
      })
      ctx.onTeardown(() => void seen.push(`${generation} torn down`))
    })
  await broker.plugins.load(slow('old'))
  const from = 'one client'
  await broker.publish({ topic: '1', payload: empty, from })
  await broker.publish({ topic: '2', payload: empty, from })
  assert.deepEqual(seen, ['1 by old'])
  const reloading = broker.plugins.reload(slow('new'))
  await turn()
  await broker.publish({ topic: '3', payload: empty, from })
  gates.get('1')?.()
  await turn()
  assert.deepEqual(seen, ['1 by old', '2 by old'])
  gates.get('2')?.()
  await reloading
  gates.get('3')?.()
  await broker.hooks.idle()
  assert.deepEqual(
    seen.filter((line) => line.includes('by')),
    ['1 by old', '2 by old', '3 by new'],
  )
  assert.ok(seen.indexOf('old torn down') > seen.indexOf('2 by old'))
})
