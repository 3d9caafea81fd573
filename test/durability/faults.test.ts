import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workerCount } from '../support/workers.ts'
import { type Fault, FaultyBroker, scenario } from './faults.ts'

const skip = workerCount > 1 ? 'the store of one process' : false

/** One more than a scenario makes without a fault: some faults make more of them. */
async function transactions(faulty: FaultyBroker): Promise<number> {
  const before = faulty.transactions
  assert.deepEqual(await scenario(faulty), [])
  const count = faulty.transactions - before
  assert.ok(count > 20, `${count} transactions`)
  return count + 1
}

const faults: readonly (readonly [string, Fault])[] = [
  ['the first statement fails', { statement: 1 }],
  ['a statement in the middle fails', { statement: 2 }],
  ['COMMIT fails', { statement: 0 }],
  ['it is written and said to have failed', { answer: true }],
]

for (const [what, fault] of faults) {
  test(`at every write: ${what}`, { skip }, async (t) => {
    const faulty = await FaultyBroker.start(t)
    const count = await transactions(faulty)
    for (let at = 1; at <= count; at++) {
      faulty.plan({ at, ...fault })
      assert.deepEqual(await scenario(faulty), [], `${JSON.stringify(fault)} at transaction ${at}`)
    }
  })
}

for (const [what, torn, step] of [
  ['the process dies in the middle of it', 0.5, 1],
  ['the process dies when it is written and nobody knows', 1, 2],
] as const) {
  test(`at ${step === 1 ? 'every' : 'every second'} write: ${what}`, { skip }, async (t) => {
    const faulty = await FaultyBroker.start(t)
    const count = await transactions(faulty)
    for (let at = 1; at <= count; at += step) {
      faulty.plan({ at, torn })
      assert.deepEqual(await scenario(faulty), [], `torn at transaction ${at}`)
    }
    assert.ok(faulty.crashes > count / step / 2, `${faulty.crashes} crashes`)
  })
}

test('a store that is slow at every write', { skip }, async (t) => {
  const faulty = await FaultyBroker.start(t)
  faulty.plan({ slow: 10 })
  for (let round = 0; round < 2; round++) assert.deepEqual(await scenario(faulty), [])
})
