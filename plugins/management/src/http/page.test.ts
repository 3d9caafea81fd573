import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { paginate } from './page.ts'

const same = (item: number): number => item

function* numbers(count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield index
}

test('pages cut a list into what it is', async () => {
  const cases = fc.record({
    count: fc.nat(50),
    limit: fc.integer({ min: 1, max: 20 }),
    page: fc.integer({ min: 1, max: 10 }),
    odd: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(cases, async ({ count, limit, page, odd }) => {
      const keep = odd ? (item: number) => item % 2 === 1 : undefined
      const all = [...numbers(count)].filter(keep ?? (() => true))
      const start = (page - 1) * limit
      const expected = {
        data: all.slice(start, start + limit),
        meta: { page, limit, count: all.length, hasnext: all.length > start + limit },
      }
      assert.deepEqual(await paginate(numbers(count), { page, limit }, same, { keep }), expected)
      const total = odd ? undefined : count
      assert.deepEqual(await paginate(numbers(count), { page, limit }, same, { keep, total }), expected)
    }),
  )
})

test('a long list does not keep the event loop, and is not counted to its end', async () => {
  let turns = 0
  let going = true
  const turn = (): void => {
    turns++
    if (going) setImmediate(turn)
  }
  setImmediate(turn)
  let seen = 0
  const keep = (): boolean => ++seen > 0
  const { meta } = await paginate(numbers(1_000_000), { page: 1, limit: 10 }, same, { keep })
  going = false
  assert.deepEqual(meta, { page: 1, limit: 10, hasnext: true })
  assert.ok(seen <= 100_001, String(seen))
  assert.ok(turns >= 90, String(turns))
})

test('with a known total it stops at the page', async () => {
  let taken = 0
  const items = (function* () {
    for (const item of numbers(1_000_000)) {
      taken++
      yield item
    }
  })()
  const { meta } = await paginate(items, { page: 2, limit: 10 }, same, { total: 1_000_000 })
  assert.deepEqual(meta, { page: 2, limit: 10, count: 1_000_000, hasnext: true })
  assert.equal(taken, 21)
})
