import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FoldPointName, hookPointNames, hookPointTable } from '@hookmq/api'
import { isReasonCodeAllowed } from '@hookmq/mqtt'
import { Refusal } from '../refusal.ts'
import { publishRefusalOutcome, verdictTable, type Wire } from './verdict-table.ts'

const foldPoints = hookPointNames.filter((name) => hookPointTable[name].kind === 'fold') as FoldPointName[]

describe('publishRefusalOutcome', () => {
  const rows = [
    // kind, version, QoS: acknowledge, code, disconnect, PUBREL to come
    ['drop', 5, 0, false, 0, false, false],
    ['drop', 5, 1, true, 0x10, false, false],
    ['drop', 5, 2, true, 0x10, false, true],
    ['drop', 4, 0, false, 0, false, false],
    ['drop', 4, 1, true, 0, false, false],
    ['drop', 4, 2, true, 0, false, true],
    ['reject', 5, 0, false, 0, false, false],
    ['reject', 5, 1, true, 0x99, false, false],
    ['reject', 5, 2, true, 0x99, false, false],
    ['reject', 4, 0, false, 0, false, false],
    ['reject', 4, 1, true, 0, false, false],
    ['reject', 4, 2, true, 0, false, true],
    ['reject', 3, 2, true, 0, false, true],
    ['disconnect', 5, 0, false, 0x99, true, false],
    ['disconnect', 5, 1, false, 0x99, true, false],
    ['disconnect', 5, 2, false, 0x99, true, false],
    ['disconnect', 4, 0, false, 0x99, true, false],
    ['disconnect', 4, 1, false, 0x99, true, false],
    ['disconnect', 4, 2, false, 0x99, true, false],
  ] as const
  for (const [kind, version, qos, acknowledge, reasonCode, disconnect, expectRelease] of rows)
    it(`${kind}, version ${version}, QoS ${qos}`, () => {
      assert.deepEqual(publishRefusalOutcome(new Refusal(kind, 0x99, 'test'), version, qos), {
        acknowledge,
        reasonCode,
        disconnect,
        expectRelease,
      })
    })
})

describe('the verdict table', () => {
  const cellsOf = (wire: Wire | readonly Wire[]): readonly Wire[] => ('length' in wire ? wire : [wire])

  it('has a row for every refusal that a point takes, and for no other', () => {
    for (const point of foldPoints)
      for (const refusal of ['drop', 'reject', 'disconnect'])
        assert.equal(
          verdictTable[point].some(({ verdict }) => verdict.includes(`{ ${refusal}:`)),
          refusal in hookPointTable[point].refusals,
          `${point}: ${refusal}`,
        )
  })

  it('has a row for failure on every point', () => {
    for (const point of foldPoints)
      assert.ok(
        verdictTable[point].some(({ verdict }) => verdict.startsWith('failure')),
        point,
      )
  })

  it('names only reason codes that their packet may carry, and sends no DISCONNECT before MQTT 5', () => {
    for (const point of foldPoints)
      for (const { wire, verdict } of verdictTable[point]) {
        for (const { packet, code } of cellsOf(wire.v5))
          if (packet !== undefined && typeof code === 'number')
            assert.ok(isReasonCodeAllowed(packet, code), `${point} ${verdict}: ${packet} ${code}`)
        for (const { packet } of cellsOf(wire.v3)) {
          assert.notEqual(packet, 'disconnect', `${point} ${verdict}`)
          assert.notEqual(packet, 'auth', `${point} ${verdict}`)
        }
      }
  })
})
