import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Schedule, type Waiting } from './schedule.ts'
import { readDelayed } from './topic.ts'

const now = 1_767_225_600_000

test('a number below 4294967 is a delay in seconds', () => {
  assert.deepEqual(readDelayed('$delayed/0/a', now), { due: now, topic: 'a' })
  assert.deepEqual(readDelayed('$delayed/15/a/b//c', now), { due: now + 15_000, topic: 'a/b//c' })
  assert.deepEqual(readDelayed('$delayed/4294966/a', now), { due: now + 4_294_966_000, topic: 'a' })
})

test('from 4294967 on it is a time; what lies behind is due at once', () => {
  const soon = now / 1000 + 60
  assert.deepEqual(readDelayed(`$delayed/${soon}/a`, now), { due: soon * 1000, topic: 'a' })
  assert.deepEqual(readDelayed('$delayed/4294967/a', now), { due: now, topic: 'a' })
  const last = now / 1000 + 4_294_967
  assert.deepEqual(readDelayed(`$delayed/${last}/a`, now), { due: last * 1000, topic: 'a' })
  assert.match(String(readDelayed(`$delayed/${last + 1}/a`, now)), /ahead/)
})

test('everything else is wrong, and says why', () => {
  for (const topic of [
    '$delayed/',
    '$delayed/5',
    '$delayed/5/',
    '$delayed//a',
    '$delayed/x/a',
    '$delayed/-1/a',
    '$delayed/1.5/a',
  ]) {
    assert.equal(typeof readDelayed(topic, now), 'string', topic)
  }
  assert.equal(typeof readDelayed('$delayed/99999999999999999999/a', now), 'string')
  assert.equal(typeof readDelayed('$delayed/1/$delayed/1/a', now), 'string')
  assert.equal(typeof readDelayed('$delayed/1/a/#', now), 'string')
})

test('a schedule gives out what is due in its order, whatever was deleted meanwhile', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ due: fc.nat(50), gone: fc.boolean() }), { maxLength: 100 }),
      fc.nat(60),
      (entries, time) => {
        const schedule = new Schedule()
        const all = entries.map(({ due, gone }, index) => ({ id: String(index).padStart(4, '0'), due, gone }))
        for (const { id, due } of all) schedule.add({ id, due } as Waiting)
        for (const { id, gone } of all) if (gone) assert.equal(schedule.delete(id), true)
        const expected = all
          .filter(({ gone, due }) => !gone && due <= time)
          .sort((one, other) => one.due - other.due || (one.id < other.id ? -1 : 1))
          .map(({ id }) => id)
        const taken: string[] = []
        for (let next = schedule.take(time); next !== undefined; next = schedule.take(time)) taken.push(next.id)
        assert.deepEqual(taken, expected)
        assert.equal(schedule.size, all.filter(({ gone }) => !gone).length)
      },
    ),
  )
})
