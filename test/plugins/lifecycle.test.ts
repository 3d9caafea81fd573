import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PluginContext } from '@hookmq/api'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { collectLog } from '../support/log.ts'
import { plugin, traces } from './support.ts'

/** One of everything that can be registered. */
function registerAll(ctx: PluginContext, seen: string[]): void {
  ctx.hook('message.publish', () => void seen.push('hook'))
  ctx.hook('client.connected', () => void seen.push('connected'))
  ctx.authenticator({ name: 'all', authenticate: () => ({ result: 'ignore' }) })
  ctx.authorizer({ name: 'all', authorize: () => 'ignore' })
  ctx.broker.subscribe('#', () => void seen.push('subscription'))
  ctx.command({ name: 'all', usage: [], run: () => ({ lines: [] }) })
  ctx.route({ method: 'GET', path: '/all', summary: '', handle: () => ({ status: 200 }) })
  ctx.every(1000, () => void seen.push('every'))
  ctx.after(1500, () => void seen.push('after'))
}

test('what is registered during setup takes effect when setup has succeeded, and goes with the plugin', async (scope) => {
  const clock = new ManualClock()
  const { broker } = await startBroker(scope, {}, { record: false, clock })
  const before = traces(broker)
  const seen: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const loading = broker.plugins.load(
    plugin('all', async (ctx) => {
      registerAll(ctx, seen)
      await promise
    }),
  )
  await broker.publish({ topic: 'a', payload: Buffer.from('1') })
  clock.advance(3000)
  assert.deepEqual(seen, [])
  assert.deepEqual(traces(broker), before)

  resolve()
  await loading
  await broker.publish({ topic: 'a', payload: Buffer.from('2') })
  assert.deepEqual(seen, ['hook', 'subscription'])
  clock.advance(2000)
  assert.deepEqual(seen.splice(0).sort(), ['after', 'every', 'every', 'hook', 'subscription'])

  assert.equal(await broker.plugins.unload('all'), true)
  assert.deepEqual(traces(broker), before)
  await broker.publish({ topic: 'a', payload: Buffer.from('3') })
  clock.advance(5000)
  assert.deepEqual(seen, [])
  assert.equal(await broker.plugins.unload('all'), false)
})

test('teardown steps run in reverse, after the signal, and one that throws does not keep the others', async (scope) => {
  const log = collectLog()
  const { broker } = await startBroker(scope, { log }, { record: false })
  const steps: string[] = []
  await broker.plugins.load(
    plugin('steps', (ctx) => {
      ctx.onTeardown(() => void steps.push(`first, aborted: ${ctx.signal.aborted}`))
      ctx.onTeardown(() => {
        throw new Error('on purpose')
      })
      ctx.hook('message.publish', () => {})
      ctx.onTeardown(async () => void steps.push(`last, hooks left: ${traces(broker).hooks}`))
    }),
  )
  const { hooks } = traces(broker)
  await broker.plugins.unload('steps')
  assert.deepEqual(steps, [`last, hooks left: ${hooks - 1}`, 'first, aborted: true'])
  assert.match(log.text, /plugin failed while being unloaded .*on purpose/)
})

test('a setup that throws half-way leaves nothing, also when its teardown throws', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const before = traces(broker)
  let torn = 0
  for (const asynchronous of [false, true]) {
    const failing = plugin('half', (ctx) => {
      registerAll(ctx, [])
      ctx.onTeardown(() => {
        torn++
        throw new Error('teardown as well')
      })
      if (asynchronous) return Promise.reject(new Error('half-way'))
      throw new Error('half-way')
    })
    await assert.rejects(broker.plugins.load(failing), { message: 'half-way' })
    assert.deepEqual(traces(broker), before)
  }
  assert.equal(torn, 2)
  await broker.plugins.load(plugin('half', (ctx) => registerAll(ctx, [])))
})

test('what cannot be registered is an error where it is registered; nothing else is changed', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  await broker.plugins.load(plugin('one', (ctx) => registerAll(ctx, [])))
  const before = traces(broker)
  const handler = (): void => {}
  const wrong: [RegExp, (ctx: PluginContext) => void][] = [
    [/there is no hook point 'message.published'/, (ctx) => ctx.hook('message.published' as never, handler as never)],
    [
      /this handler is already on/,
      (ctx) => {
        ctx.hook('message.publish', handler)
        ctx.hook('message.publish', handler)
      },
    ],
    [
      /an authenticator named 'all' is registered already/,
      (ctx) => ctx.authenticator({ name: 'all', authenticate: () => ({ result: 'ignore' }) }),
    ],
    [
      /an authorizer named 'all' is registered already/,
      (ctx) => ctx.authorizer({ name: 'all', authorize: () => 'ignore' }),
    ],
    [
      /there already is a route GET \/all/,
      (ctx) => ctx.route({ method: 'GET', path: '/all', summary: '', handle: () => ({ status: 200 }) }),
    ],
    [/command name 'two words'/, (ctx) => ctx.command({ name: 'two words', usage: [], run: () => undefined })],
    [/subscribe: /, (ctx) => void ctx.broker.subscribe('a/#/b', () => {})],
  ]
  for (const [message, register] of wrong) {
    const setup = (ctx: PluginContext): void => {
      ctx.hook('client.connected', () => {})
      register(ctx)
    }
    await assert.rejects(broker.plugins.load(plugin('two', setup)), message)
    assert.deepEqual(traces(broker), before)
  }
})

test('a setup that does not end is given up, and cannot register anything later', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  broker.plugins.patience = { setup: 20, drain: 20, teardown: 20 }
  const before = traces(broker)
  let late: unknown
  const { promise, resolve } = Promise.withResolvers<void>()
  const slow = plugin('slow', async (ctx) => {
    ctx.hook('message.publish', () => {})
    await promise
    try {
      ctx.every(1, () => {})
    } catch (error) {
      late = error
    }
  })
  await assert.rejects(broker.plugins.load(slow), { name: 'PluginSetupTimeout', message: /did not end within 0\.02 s/ })
  assert.deepEqual(traces(broker), before)
  resolve()
  await promise
  await new Promise(setImmediate)
  assert.match(String(late), /plugin 'slow' is unloaded: nothing can be registered/)
})

test('a teardown that does not end is left behind', async (scope) => {
  const log = collectLog()
  const { broker } = await startBroker(scope, { log }, { record: false })
  broker.plugins.patience = { setup: 1000, drain: 20, teardown: 20 }
  await broker.plugins.load(plugin('stuck', (ctx) => ctx.onTeardown(() => new Promise(() => {}))))
  assert.equal(await broker.plugins.unload('stuck'), true)
  assert.match(log.text, /plugin did not end its teardown/)
  await broker.plugins.load(plugin('stuck', () => {}))
})

test('two things at a time on one plugin are refused, not mixed', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const { promise, resolve } = Promise.withResolvers<void>()
  const slow = plugin('slow', () => promise)
  const loading = broker.plugins.load(slow)
  await assert.rejects(broker.plugins.load(slow), { name: 'PluginBusyError', message: /'slow' is being loaded/ })
  resolve()
  await loading
  await assert.rejects(broker.plugins.load(slow), /'slow' is loaded already/)
})

test('a hook can be taken out by its handle, before and after it is in force', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const seen: string[] = []
  let later: (() => void) | undefined
  await broker.plugins.load(
    plugin('handles', (ctx) => {
      ctx.hook('message.publish', () => void seen.push('never')).remove()
      const handle = ctx.hook('message.publish', () => void seen.push('until removed'))
      const end = ctx.broker.subscribe('#', () => void seen.push('subscription'))
      later = () => {
        handle.remove()
        handle.remove()
        end()
      }
    }),
  )
  await broker.publish({ topic: 'a', payload: Buffer.from('') })
  later?.()
  await broker.publish({ topic: 'a', payload: Buffer.from('') })
  assert.deepEqual(seen, ['until removed', 'subscription'])
})

test('unloading lets calls in flight end, and gives up on those that do not', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  broker.plugins.patience = { setup: 1000, drain: 5000, teardown: 1000 }
  const { promise, resolve } = Promise.withResolvers<void>()
  const order: string[] = []
  await broker.plugins.load(
    plugin('flight', (ctx) => {
      ctx.hook('message.publish', async () => {
        await promise
        order.push(`answered, aborted: ${ctx.signal.aborted}`)
      })
      ctx.onTeardown(() => void order.push('torn down'))
    }),
  )
  const publishing = broker.publish({ topic: 'a', payload: Buffer.from('') })
  const unloading = broker.plugins.unload('flight')
  resolve()
  await unloading
  assert.equal(await publishing, 0)
  assert.deepEqual(order, ['answered, aborted: false', 'torn down'])

  broker.plugins.patience = { setup: 1000, drain: 20, teardown: 20 }
  await broker.plugins.load(
    plugin('never', (ctx) => void ctx.hook('message.publish', () => new Promise(() => {}), { timeout: 200 })),
  )
  const stuck = broker.publish({ topic: 'a', payload: Buffer.from('') })
  await broker.plugins.unload('never')
  assert.equal(await stuck, 0)
})

test('counters stay, and go on counting when the plugin comes back', async (scope) => {
  const { broker } = await startBroker(scope, {}, { record: false })
  const counting = plugin('counting', (ctx) => ctx.counter('loads').add())
  await broker.plugins.load(counting)
  await broker.plugins.unload('counting')
  await broker.plugins.load(counting)
  assert.equal(broker.metrics.snapshot()['plugins.counting.loads'], 2)
})
