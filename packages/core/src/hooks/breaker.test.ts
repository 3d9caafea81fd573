import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { Breaker, type BreakerOptions, type BreakerState } from './breaker.ts'

const never: BreakerOptions = { failures: 0, failureRate: 0, window: 10, openFor: 100 }

function make(options: Partial<BreakerOptions>) {
  const clock = { now: 0 }
  const states: BreakerState[] = []
  const breaker = new Breaker(
    { ...never, ...options },
    () => clock.now,
    (state) => states.push(state),
  )
  return { breaker, clock, states }
}

describe('a circuit breaker', () => {
  it('opens after so many failures one after the other', () => {
    const { breaker, states } = make({ failures: 3 })
    for (const succeeded of [false, false, true, false, false]) breaker.record(succeeded, false)
    assert.equal(breaker.state, 'closed')
    breaker.record(false, false)
    assert.equal(breaker.state, 'open')
    assert.equal(breaker.admit(), undefined)
    assert.deepEqual(states, ['open'])
  })

  it('opens when too many of the last calls failed, not before it has seen enough', () => {
    const { breaker } = make({ failureRate: 0.5, window: 4 })
    for (const succeeded of [false, true, false]) breaker.record(succeeded, false)
    assert.equal(breaker.state, 'closed')
    breaker.record(true, false)
    assert.equal(breaker.state, 'open')
  })

  it('forgets calls that have left the window', () => {
    const { breaker } = make({ failureRate: 0.5, window: 4 })
    for (const succeeded of [true, true, true, false, true, true, true, false, true]) breaker.record(succeeded, false)
    assert.equal(breaker.state, 'closed')
  })

  it('lets one call through when it has been open long enough, and closes when that succeeds', () => {
    const { breaker, clock, states } = make({ failures: 1, openFor: 100 })
    breaker.record(false, false)
    clock.now = 99
    assert.equal(breaker.admit(), undefined)
    clock.now = 100
    assert.equal(breaker.state, 'half-open')
    assert.equal(breaker.admit(), 'probe')
    assert.equal(breaker.admit(), undefined, 'one probe at a time')
    breaker.record(true, true)
    assert.equal(breaker.admit(), 'pass')
    assert.deepEqual(states, ['open', 'half-open', 'closed'])
  })

  it('stays open for another while when the probe fails, and tries again when it came to nothing', () => {
    const { breaker, clock } = make({ failures: 1, openFor: 100 })
    breaker.record(false, false)
    clock.now = 100
    assert.equal(breaker.admit(), 'probe')
    breaker.giveBack()
    assert.equal(breaker.admit(), 'probe')
    breaker.record(false, true)
    clock.now = 199
    assert.equal(breaker.admit(), undefined)
    clock.now = 200
    assert.equal(breaker.admit(), 'probe')
  })

  it('never opens when nothing says so', () => {
    const { breaker } = make({})
    for (let index = 0; index < 1000; index++) breaker.record(false, false)
    assert.equal(breaker.admit(), 'pass')
  })

  it('does as its model does, whatever happens', () => {
    type Step =
      | { readonly do: 'ask' }
      | { readonly do: 'end'; readonly how: boolean | 'cancelled' }
      | { readonly do: 'wait'; readonly for: number }
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.constant({ do: 'ask' } as const),
      fc.record({ do: fc.constant('end' as const), how: fc.constantFrom(true, false, 'cancelled' as const) }),
      fc.record({ do: fc.constant('wait' as const), for: fc.integer({ min: 1, max: 60 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 4 }), (steps, failures) => {
        const { breaker, clock } = make({ failures, openFor: 100 })
        const calls: ('pass' | 'probe')[] = []
        // The model: when it opened, how many failures in a row while closed, whether a probe is out.
        let openedAt: number | undefined
        let row = 0
        let probe = false
        for (const one of steps) {
          if (one.do === 'wait') clock.now += one.for
          else if (one.do === 'ask') {
            const expected: 'pass' | 'probe' | undefined =
              openedAt === undefined ? 'pass' : probe || clock.now < openedAt + 100 ? undefined : 'probe'
            const admitted: 'pass' | 'probe' | undefined = breaker.admit()
            assert.equal(admitted, expected)
            if (admitted === 'probe') probe = true
            if (admitted !== undefined) calls.push(admitted)
          } else {
            const call = calls.shift()
            if (call === undefined) continue
            if (one.how === 'cancelled') {
              if (call === 'probe') {
                probe = false
                breaker.giveBack()
              }
              continue
            }
            breaker.record(one.how, call === 'probe')
            if (call === 'probe') {
              probe = false
              if (one.how) {
                openedAt = undefined
                row = 0
              } else openedAt = clock.now
            } else if (openedAt === undefined) {
              row = one.how ? 0 : row + 1
              if (row >= failures) openedAt = clock.now
            }
          }
          assert.equal(breaker.state === 'closed', openedAt === undefined)
        }
      }),
    )
  })
})
