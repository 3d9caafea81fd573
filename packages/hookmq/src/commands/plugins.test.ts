import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

/** A plugin given to the broker stays known after it was unloaded. */
function noting(loaded: string[]) {
  return {
    name: 'noting',
    version: '0.1.0',
    description: 'Notes that it is there',
    setup() {
      loaded.push('setup')
    },
  }
}

test('2.x: list, load twice, unload twice', async (scope) => {
  const { broker, lines } = await startOperated(scope, '2.x')
  const loaded: string[] = []
  await broker.loadPlugin(noting(loaded))
  const printed = await lines('plugins', 'list')
  for (const line of printed) assert.match(line, /^Plugin\(\S+, version=\S+, description=.+, active=(true|false)\)$/)
  assert.ok(printed.includes('Plugin(noting, version=0.1.0, description=Notes that it is there, active=true)'))
  assert.deepEqual(await lines('plugins', 'load', 'noting'), ['load plugin error: already_started'])
  assert.deepEqual(await lines('plugins', 'unload', 'noting'), ['Plugin noting unloaded successfully.'])
  assert.deepEqual(await lines('plugins', 'unload', 'noting'), ['unload plugin error: not_started'])
  assert.deepEqual(await lines('plugins', 'load', 'nowhere'), ['load plugin error: not_found'])
})

test('4.x: other words for the same', async (scope) => {
  const { broker, lines, run } = await startOperated(scope)
  await broker.loadPlugin(noting([]))
  assert.ok(
    (await lines('plugins', 'list')).includes('Plugin(noting, description=Notes that it is there, active=true)'),
  )
  assert.ok(
    (await lines('modules', 'list')).includes('Module(noting, description=Notes that it is there, active=true)'),
  )
  assert.deepEqual(await lines('plugins', 'load', 'noting'), ['Load plugin noting error: already_started.'])
  assert.deepEqual(await lines('modules', 'load', 'nowhere'), ['Load module nowhere error: not_found.'])
  assert.deepEqual(await lines('plugins', 'reload', 'nowhere'), [
    "Reload plugin nowhere error: The plugin doesn't exist.",
  ])
  assert.deepEqual(await lines('modules', 'unload', 'noting'), ['Module noting unloaded successfully.'])
  assert.deepEqual((await run('plugins', 'unload', 'noting')).json, { ok: false, error: 'not_started' })
  assert.equal((await run('plugins', 'load')).exitCode, 2)
})
