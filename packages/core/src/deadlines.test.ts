import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Deadlines } from './deadlines.ts'

const failed = (error: unknown): void => {
  throw error
}

let ran: number[] = []

test('what is due runs in the order of its time, what was cancelled does not, and what is not due waits', () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), at: fc.nat(100) }),
    fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }),
    fc.record({ kind: fc.constant('run' as const), now: fc.nat(100) }),
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const deadlines = new Deadlines(failed)
      let waiting: { readonly at: number; readonly cancel: () => void }[] = []
      for (const step of commands) {
        if (step.kind === 'add') {
          const entry = { at: step.at, cancel: deadlines.add(step.at, () => ran.push(entry.at)) }
          waiting.push(entry)
        } else if (step.kind === 'cancel') {
          const [entry] = waiting.splice(step.which % Math.max(1, waiting.length), 1)
          entry?.cancel()
          entry?.cancel()
        } else {
          ran = []
          deadlines.runDue(step.now)
          const due = waiting.filter(({ at }) => at <= step.now).map(({ at }) => at)
          assert.deepEqual(
            ran,
            due.sort((a, b) => a - b),
          )
          waiting = waiting.filter(({ at }) => at > step.now)
        }
        assert.equal(deadlines.size, waiting.length)
      }
    }),
  )
})
test('many things that are due at once leave others their turn', async () => {
  const deadlines = new Deadlines(failed)
  let done = 0
  const count = 10_000
  const work = (): void => {
    for (const end = performance.now() + 0.01; performance.now() < end; );
    done++
  }
  for (let index = 0; index < count; index++) deadlines.add(index, work)
  deadlines.runDue(count)
  assert.ok(done > 0)
  let turns = 0
  while (done < count) {
    await new Promise((resolve) => setImmediate(resolve))
    turns++
  }
  assert.ok(turns > 2, `${turns} turns`)
  assert.equal(deadlines.size, 0)
})

test('one that fails does not keep the others from running', () => {
  const errors: unknown[] = []
  const deadlines = new Deadlines((error) => errors.push(error))
  let ran = false
  deadlines.add(1, () => {
    throw new Error('no')
  })
  deadlines.add(2, () => {
    ran = true
  })
  deadlines.runDue(2)
  assert.ok(ran)
  assert.equal(errors.length, 1)
})
