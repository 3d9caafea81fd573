import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger } from './ledger.ts'

function books(): Ledger {
  const ledger = new Ledger()
  ledger.subscriber('one', 1)
  ledger.subscriber('two', 2)
  for (const qos of [1, 2] as const) for (let count = 0; count < 4; count++) ledger.sending(`q${qos}`, qos)
  return ledger
}

test('what is right is found right: QoS 1 again, a message that nobody was promised, other subscribers', () => {
  const ledger = books()
  ledger.acknowledged('q1', 0)
  ledger.acknowledged('q2', 0)
  for (const number of [0, 1, 0, 1, 3]) ledger.received('one', 'q1', number, 1)
  for (const number of [0, 1]) ledger.received('two', 'q1', number, 1)
  for (const number of [0, 0]) ledger.received('one', 'q2', number, 1)
  for (const number of [0, 2, 3]) ledger.received('two', 'q2', number, 2)
  assert.deepEqual([ledger.violations, ledger.missing(10)], [[], []])
  assert.deepEqual(ledger.totals, { sent: 8, acknowledged: 2, delivered: 9, again: 3, refused: 0 })
})

test('what is wrong is found: lost, twice at QoS 2, out of order, invented, another QoS', () => {
  const ledger = books()
  ledger.acknowledged('q2', 1)
  ledger.received('one', 'q2', 1, 1)
  assert.deepEqual(ledger.missing(10), ['two: q2 number 1 was acknowledged and never came'])
  ledger.received('two', 'q2', 2, 2)
  ledger.received('two', 'q2', 2, 2)
  ledger.received('two', 'q2', 1, 2)
  ledger.received('two', 'q2', 4, 2)
  ledger.received('two', 'q1', 0, 2)
  ledger.refused('q1', 3)
  ledger.received('two', 'q1', 3, 1)
  assert.deepEqual(ledger.violations, [
    'two: q2 number 2 came 2 times at QoS 2',
    'two: q2 number 1 came for the first time after number 2',
    'two: q2 number 4 was never sent to it',
    'two: q1 number 0 came at QoS 2, not 1',
    'two: q1 number 3 was refused',
  ])
})
