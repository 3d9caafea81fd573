import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

test('4.x: one line', async (scope) => {
  const { lines, run } = await startOperated(scope)
  assert.deepEqual(await lines('status'), ["Node 'test@127.0.0.1' 1.2.3 is started"])
  assert.deepEqual((await run('status')).json, { node: 'test@127.0.0.1', version: '1.2.3', status: 'started' })
})

test('2.x: two lines, the first as scripts look for it', async (scope) => {
  const { lines } = await startOperated(scope, '2.x')
  const [first, ...rest] = await lines('status')
  assert.match(first, /^Node '.+' is started$/)
  assert.deepEqual(rest, ['emqttd 1.2.3 is running'])
})

test('words too many print the usage, with exit code 2', async (scope) => {
  const { run } = await startOperated(scope)
  const { lines, exitCode } = await run('status', 'please')
  assert.equal(exitCode, 2)
  assert.deepEqual(lines, [`${'status'.padEnd(70)}# Show whether the broker runs`])
})
