import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

test('the colon stands in column 25, for ports in column 23', async (scope) => {
  const { lines } = await startOperated(scope)
  for (const [section, column, names] of [
    ['load', 25, ['cpu/load1', 'cpu/load5', 'cpu/load15']],
    [
      'memory',
      25,
      'total processes processes_used system atom atom_used binary code ets'.split(' ').map((name) => `memory/${name}`),
    ],
    ['process', 25, ['process/limit', 'process/count']],
    ['io', 25, ['io/max_fds', 'io/active_fds']],
    ['ports', 23, ['ports/count', 'ports/limit']],
  ] as const) {
    const printed = await lines('vm', section)
    assert.deepEqual(
      printed.map((line) => line.slice(0, column - 1).trimEnd()),
      names,
    )
    for (const line of printed) assert.match(line.slice(column - 1), section === 'load' ? /^: \d+\.\d\d$/ : /^: \d+$/)
  }
})

test('all of them in order, with and without the word; unknown sections print the usage', async (scope) => {
  const { lines, run } = await startOperated(scope)
  const sections = (printed: readonly string[]): string[] => [...new Set(printed.map((line) => line.split('/')[0]))]
  assert.deepEqual(sections(await lines('vm')), ['cpu', 'memory', 'process', 'io', 'ports'])
  assert.deepEqual(sections(await lines('vm', 'all')), ['cpu', 'memory', 'process', 'io', 'ports'])
  assert.equal((await run('vm', 'everything')).exitCode, 2)
  const { memory } = (await run('vm', 'memory')).json as { memory: { total: number } }
  assert.ok(memory.total > 1_000_000)
})
