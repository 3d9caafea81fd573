import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKills } from './run.ts'

// `npm run kill` does the same for longer. Twice ten: each test has its limit of time also on a slow machine.
for (const part of [1, 2]) {
  test(`ten times kill -9 at random moments: nothing that was acknowledged is lost (${part})`, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 32)
    t.diagnostic(`seed ${seed}`)
    const { violations, ...report } = await runKills({ kills: 10, seed, longest: 500 })
    assert.deepEqual(violations, [], `npm run kill -- 10 --seed ${seed} --longest 500`)
    assert.ok(report.acknowledged > 100 && report.retained > 0 && report.subscriptions > 0, JSON.stringify(report))
  })
}

test('kill -9 of a broker of two processes: they end with their supervisor, and nothing that was acknowledged is lost', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32)
  t.diagnostic(`seed ${seed}`)
  const { violations } = await runKills({ kills: 4, seed, longest: 500, workers: 2 })
  assert.deepEqual(violations, [], `npm run kill -- 4 --seed ${seed} --longest 500 --workers 2`)
})
