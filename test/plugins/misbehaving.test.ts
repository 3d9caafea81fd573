import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PluginContext } from '@hookmq/api'
import { hookPointNames } from '@hookmq/api'
import { publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { collectLog } from '../support/log.ts'
import { plugin, traces } from './support.ts'

const fail = (): never => {
  throw new Error('on purpose')
}

test('a plugin that throws in every callback: each is logged with its name, and the broker serves on', async (scope) => {
  const log = collectLog()
  const clock = new ManualClock()
  const { broker, connect } = await startBroker(scope, { log, allowAnonymous: true }, { record: false, clock })
  await broker.plugins.load(
    plugin('thrower', (ctx: PluginContext) => {
      for (const point of hookPointNames) {
        // Those two refuse when they fail, which is meant; they have tests of their own.
        if (point === 'client.authenticate' || point === 'client.authorize') continue
        ctx.hook(point, () => fail())
        ctx.hook(point, () => Promise.reject(new Error('on purpose, later')) as never)
      }
      ctx.broker.subscribe('#', fail)
      ctx.every(1000, fail)
      ctx.every(1000, () => Promise.reject(new Error('a timer on purpose')))
      ctx.onTeardown(fail)
    }),
  )
  const left = traces(broker)
  const client = await connect({ clientId: 'c', version: 5 })
  await subscribe(client, 'a', { qos: 1 })
  await publishThrough(client, 'a', 'x', { qos: 1 })
  const { payload } = await client.expect('publish')
  assert.equal(String(payload), 'x')
  clock.advance(1000)
  await new Promise(setImmediate)
  assert.match(log.text, /hook failed: threw .*"owner":"thrower"/)
  assert.match(log.text, /hook failed: rejected .*"owner":"thrower"/)
  assert.match(log.text, /a timer threw .*on purpose/)
  assert.match(log.text, /a timer threw .*a timer on purpose/)
  assert.match(log.text, /a subscription of the broker threw/)
  await broker.plugins.unload('thrower')
  assert.match(log.text, /plugin failed while being unloaded/)
  assert.ok(traces(broker).hooks < left.hooks)
  await publishThrough(client, 'a', 'y', { qos: 1 })
})

test('an access module that throws refuses, and only that', async (scope) => {
  const { broker, open, connect } = await startBroker(scope, { allowAnonymous: true }, { record: false })
  const before = await connect({ clientId: 'before', version: 5 })
  await broker.plugins.load(
    plugin('thrower', (ctx) => {
      ctx.authenticator({ name: 'thrower', authenticate: fail })
      ctx.authorizer({ name: 'thrower', authorize: fail })
    }),
  )
  assert.deepEqual(await subscribe(before, 'a'), [0x87])
  const refused = await open(5)
  refused.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'x', clean: true, keepalive: 0 })
  assert.ok(Number((await refused.expect('connack')).reasonCode) >= 0x80)
  await broker.plugins.unload('thrower')
  assert.deepEqual(await subscribe(before, 'a'), [0])
})

test('timers that a plugin forgets end with it', async (scope) => {
  const clock = new ManualClock()
  const { broker } = await startBroker(scope, {}, { record: false, clock })
  let ticks = 0
  await broker.plugins.load(
    plugin('leaky', (ctx) => {
      for (let index = 0; index < 100; index++) ctx.every(10, () => void ticks++)
      const again = (): void => {
        ticks++
        ctx.after(10, again)
      }
      again()
    }),
  )
  clock.advance(10)
  assert.equal(ticks, 102)
  await broker.plugins.unload('leaky')
  clock.advance(1000)
  assert.equal(ticks, 102)
})
