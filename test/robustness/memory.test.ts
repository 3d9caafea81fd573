import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../support/program.ts'

interface Measured {
  scenario: string
  before: number
  after: number
  leftovers: Record<string, number>
}

const script = fileURLToPath(new URL('./memory-process.ts', import.meta.url))

/** Bytes. What a process may have grown by: caches, compiled code, buffers of the pool; a leak of 10,000 is far above. */
const allowance = 6 * 1024 * 1024

for (const [scenario, title] of [
  ['connections', '10,000 connects and disconnects'],
  ['sessions', '10,000 sessions with a subscription, a queue and a will that end'],
  ['hooks', '10,000 calls of hooks that throw, reject and never answer'],
  ['takeovers', '5,000 takeovers of one session'],
]) {
  test(`${title}: memory is back where it was`, { timeout: 200_000 }, async (t) => {
    const [line] = (await run(t, process.execPath, ['--expose-gc', script, scenario])).slice(-1)
    const measured = JSON.parse(line) as Measured
    assert.deepEqual(
      Object.values(measured.leftovers).filter((count) => count !== 0),
      [],
      line,
    )
    assert.ok(
      measured.after - measured.before < allowance,
      `heap grew from ${measured.before} to ${measured.after} bytes`,
    )
  })
}

test('1,000 clients that stay, each with a topic, a password, a will and a retained message: buffers of some bytes each', {
  timeout: 200_000,
}, async (t) => {
  const [line] = (await run(t, process.execPath, ['--expose-gc', script, 'lasting'])).slice(-1)
  const { before, after } = JSON.parse(line) as Measured
  assert.ok(after - before < allowance, `buffers grew from ${before} to ${after} bytes`)
})
