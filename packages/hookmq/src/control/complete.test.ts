import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'
import { complete } from './complete.ts'

test('commands, words of their usage, living names', async (scope) => {
  const { broker, connect } = await startOperated(scope, '4.x', { listeners: [{ type: 'tcp', name: 'external' }] })
  const client = await connect('boiler room 1')
  await client.subscribe('plant/+/temperature')
  await broker.loadPlugin({
    name: 'greeter',
    setup: (ctx) =>
      ctx.command({ name: 'greet', usage: [['greet all|<ClientId> [<Topic>]', 'Greets']], run: () => undefined }),
  })
  const offered = (...words: string[]): string[] => complete(broker.admin, words)
  assert.deepEqual(offered('cl'), ['cluster', 'clients'])
  assert.ok(offered('').includes('greet'))
  assert.ok(!offered('').includes('bridges'))
  assert.deepEqual(offered('clients', ''), ['list', 'show', 'kick'])
  assert.deepEqual(offered('clients', 'show', 'boi'), ['boiler room 1'])
  assert.deepEqual(offered('clients', 'list', ''), [])
  assert.deepEqual(offered('hooks', 'explain', 'boiler room 1', ''), ['publish', 'subscribe'])
  assert.deepEqual(offered('hooks', 'explain', 'any', 'publish', 'pl'), ['plant/+/temperature'])
  assert.ok(offered('plugins', 'unload', '').includes('greeter'))
  assert.deepEqual(offered('listeners', 'stop', 'mqtt:t'), ['mqtt:tcp:external'])
  assert.deepEqual(offered('greet', 'a'), ['all'])
  assert.deepEqual(offered('nothing', ''), [])
  assert.deepEqual(offered('greet', 'all', 'x', 'y', ''), [])
})
