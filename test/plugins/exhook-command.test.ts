import assert from 'node:assert/strict'
import { test } from 'node:test'
import drivers from '@hookmq/provider-driver'
import exhook from '@hookmq/provider-exhook'
import { startTestBroker } from 'hookmq/testing'

test('two plugins share the command exhook: each answers to its own words, the help has both', async (t) => {
  const broker = await startTestBroker(t)
  await broker.load(exhook)
  const usage = () =>
    broker.admin
      .commands()
      .filter(({ name }) => name === 'exhook')
      .flatMap((command) => command.usage.map(([words]) => words.split(' ').slice(0, 3).join(' ')))
  assert.ok(usage().includes('exhook server list'))
  assert.ok(!usage().includes('exhook drivers list'))
  await broker.load(drivers, { 'exhook.drivers': '' })
  for (const words of ['exhook server list', 'exhook cache clean', 'exhook drivers list'])
    assert.ok(usage().includes(words), words)
  assert.deepEqual((await broker.ctl('exhook server list')).lines, [])
  assert.deepEqual((await broker.ctl('exhook drivers list')).lines, [])
  assert.deepEqual((await broker.ctl('exhook cache clean')).lines, ['Cleaned 0 verdicts'])
  assert.equal((await broker.ctl('exhook nonsense')).exitCode, 2)
  await broker.unload('exhook')
  assert.deepEqual((await broker.ctl('exhook drivers list')).lines, [])
  assert.ok(!usage().includes('exhook server list'))
})
