import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../support/program.ts'

const script = fileURLToPath(new URL('./soak.ts', import.meta.url))

/** Bytes: as for the other memory tests. A long run, `npm run soak`, shows whether it grows with the number of failures. */
const allowance = 6 * 1024 * 1024

interface Outcome {
  readonly sent: number
  readonly delivered: number
  readonly steadySent: number
  readonly steadyAsked: number
  readonly arrived: number
  readonly twice: readonly string[]
  readonly problems: readonly string[]
  readonly streamed: number
  readonly heapBefore: number
  readonly heapAfter: number
  readonly most: { readonly queued: number; readonly inFlight: number; readonly waiting: number }
  readonly numbers: Readonly<Record<string, number | string>>
}

for (const transport of ['unary', 'stream'])
  test(`an ExHook server that hangs, dies, resets, answers garbage and comes back, over ${transport}: nothing is lost, nothing comes twice`, async (t) => {
    const arguments_ = [script, '--quiet', '--times', '10', '--transport', transport]
    const [line] = (await run(t, process.execPath, arguments_)).slice(-1)
    const outcome = JSON.parse(line) as Outcome
    assert.deepEqual(outcome.problems, [], 'each message comes once and in order, and no connection is closed')
    assert.equal(outcome.delivered, outcome.sent)
    assert.equal(outcome.steadyAsked, outcome.steadySent, 'another hook is asked about each of its messages')
    assert.deepEqual(outcome.twice, [], 'no event reaches the server twice')
    assert.ok(outcome.arrived > 200, `${outcome.arrived} events are too few to prove anything`)
    assert.ok(Number(outcome.numbers.failures) > 100, line)
    assert.ok(outcome.most.queued <= 500 && outcome.most.inFlight <= 200 && outcome.most.waiting <= 200, line)
    assert.ok(
      outcome.heapAfter - outcome.heapBefore < allowance,
      `heap grew from ${outcome.heapBefore} to ${outcome.heapAfter}`,
    )
    if (transport === 'unary') return
    assert.ok(outcome.streamed > 1 && Number(outcome.numbers.stream_events) > 100, `events went over streams: ${line}`)
    assert.ok(Number(outcome.numbers.stream_lost) > 0, 'streams broke under events')
  })
