import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { checkStream } from './check.ts'
import { stream } from './mutate.ts'

const runs = Number(process.env.HOOKMQ_FUZZ_RUNS ?? 3000)

test('any bytes: packets or an MqttError, however they are cut', () => {
  let packets = 0
  fc.assert(
    fc.property(stream, (one) => {
      packets += checkStream(one)
    }),
    { numRuns: runs },
  )
  // The damage must leave enough alive for the test to mean something.
  assert.ok(packets > runs, `${packets} packets in ${runs} streams`)
})
