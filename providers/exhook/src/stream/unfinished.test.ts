import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Unfinished } from './unfinished.ts'

test('as a map, also for what stays while many thousands come and go', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 9000 }), keepOneIn: fc.integer({ min: 2, max: 3000 }) }),
      fc.record({ remove: fc.nat() }),
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 2 ** 40 }), (all, first) => {
      const unfinished = new Unfinished<{ readonly id: number }>()
      const model = new Map<number, { readonly id: number }>()
      let id = first
      for (const step of all) {
        if ('add' in step) {
          const from = id
          for (; id < from + step.add; id++) {
            const one = { id }
            unfinished.add(one)
            model.set(id, one)
          }
          for (let gone = from; gone < id; gone++) {
            if (gone % step.keepOneIn === 0) continue
            assert.equal(unfinished.delete(gone), model.delete(gone))
          }
        } else {
          const known = [...model.keys()]
          const gone = known[step.remove % (known.length + 1)] ?? id
          assert.equal(unfinished.delete(gone), model.delete(gone))
        }
        assert.equal(unfinished.size, model.size)
        assert.deepEqual(unfinished.values(), [...model.values()])
        for (const [known, one] of model) assert.equal(unfinished.get(known), one)
        assert.equal(unfinished.get(id), undefined)
      }
      unfinished.clear()
      assert.equal(unfinished.size, 0)
      assert.deepEqual(unfinished.values(), [])
    }),
    { numRuns: 60 },
  )
})
