import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { inRange, readVersion } from './version-range.ts'

const cases: [range: string, inside: string[], outside: string[]][] = [
  ['^1.2.3', ['1.2.3', '1.9.0'], ['1.2.2', '2.0.0']],
  ['^0.1.0', ['0.1.0', '0.1.9'], ['0.2.0', '1.0.0']],
  ['^0.0.3', ['0.0.3'], ['0.0.4', '0.1.0']],
  ['^0.1', ['0.1.0', '0.1.7'], ['0.2.0']],
  ['^0', ['0.0.0', '0.9.0'], ['1.0.0']],
  ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0']],
  ['~1', ['1.0.0', '1.9.9'], ['2.0.0']],
  ['1.x', ['1.0.0', '1.5.2'], ['2.0.0', '0.9.9']],
  ['1.2', ['1.2.0', '1.2.9'], ['1.3.0']],
  ['*', ['0.0.0', '99.0.0'], []],
  ['', ['1.0.0'], []],
  ['1.2.3', ['1.2.3'], ['1.2.4']],
  ['>=0.1 <2', ['0.1.0', '1.9.9'], ['0.0.9', '2.0.0']],
  ['>= 0.1 < 2', ['0.1.0'], ['2.0.0']],
  ['>1.2', ['1.3.0'], ['1.2.9']],
  ['<=1.2', ['1.2.9'], ['1.3.0']],
  ['^1.0.0 || ^3.0.0', ['1.5.0', '3.0.1'], ['2.0.0']],
]

describe('ranges of versions', () => {
  for (const [range, inside, outside] of cases)
    it(JSON.stringify(range), () => {
      for (const version of inside) assert.equal(inRange(readVersion(version) ?? [0, 0, 0], range), true, version)
      for (const version of outside) assert.equal(inRange(readVersion(version) ?? [0, 0, 0], range), false, version)
    })

  it('what is none is told apart from what does not fit', () => {
    for (const text of ['about 1', '^', '1.2.3.4', 'latest', '>>1', '^1.0.0 || x y z'])
      assert.equal(inRange([1, 0, 0], text), undefined, text)
  })

  it('every version is in its own ranges', () => {
    const number = fc.nat(50)
    fc.assert(
      fc.property(number, number, number, (major, minor, patch) => {
        const version = [major, minor, patch] as const
        const text = version.join('.')
        for (const operator of ['', '^', '~', '>=', '<=', '=']) assert.equal(inRange(version, operator + text), true)
        for (const operator of ['>', '<']) assert.equal(inRange(version, operator + text), false)
      }),
    )
  })
})
