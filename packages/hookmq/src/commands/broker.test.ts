import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

test('about the broker', async (scope) => {
  const { lines } = await startOperated(scope)
  const printed = await lines('broker')
  assert.deepEqual(
    printed.map((line) => line.slice(0, 12)),
    ['sysdescr  : ', 'version   : ', 'uptime    : ', 'datetime  : '],
  )
  assert.equal(printed[1], 'version   : 1.2.3')
  assert.match(printed[3], /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
})

for (const [profile, statWidth, metricWidth, stat, metric] of [
  ['4.x', 30, 30, 'connections.count', 'messages.received'],
  ['2.x', 20, 24, 'clients/count', 'messages/received'],
] as const) {
  test(`${profile}: stats and metrics under its names and columns`, async (scope) => {
    const { connect, lines, run } = await startOperated(scope, profile)
    await connect('one')
    const stats = await lines('broker', 'stats')
    assert.ok(stats.includes(`${stat.padEnd(statWidth)}: 1`), stats.join('\n'))
    const metrics = await lines('broker', 'metrics')
    assert.ok(metrics.some((line) => line.startsWith(`${metric.padEnd(metricWidth)}: `)))
    const names = metrics.map((line) => line.slice(0, line.indexOf(':')).trimEnd())
    assert.deepEqual(names, names.toSorted())
    assert.equal(((await run('broker', 'stats')).json as Record<string, number>)[stat], 1)
  })
}

test('cluster status, as Erlang writes it', async (scope) => {
  const four = await startOperated(scope)
  assert.deepEqual(await four.lines('cluster', 'status'), [
    "Cluster status: #{running_nodes => ['test@127.0.0.1'],stopped_nodes => []}",
  ])
  const two = await startOperated(scope, '2.x')
  assert.deepEqual(await two.lines('cluster', 'status'), ["Cluster status: [{running_nodes,['test@127.0.0.1']}]"])
  assert.deepEqual((await two.run('cluster', 'status')).json, { running_nodes: ['test@127.0.0.1'], stopped_nodes: [] })
})
