import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('a plugin that comes and goes a thousand times under traffic leaves nothing, loses nothing and repeats nothing', () => {
  const script = fileURLToPath(new URL('./churn.ts', import.meta.url))
  const run = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8', timeout: 120_000 })
  assert.equal(run.status, 0, run.stderr)
  const result = JSON.parse(run.stdout) as Record<string, number> & { before: object; after: object }
  assert.deepEqual(result.after, result.before)
  assert.equal(result.loads, 1000)
  assert.ok(result.sent > 1000, `${result.sent} messages are too few to prove anything`)
  assert.deepEqual([result.lost, result.twice, result.afterwards], [0, 0, 0])
  // 800 rounds with one of everything: a leak of one closure for each would be more than this.
  assert.ok(result.grown < 4_000_000, `the heap has grown by ${result.grown} bytes in 800 rounds`)
})
