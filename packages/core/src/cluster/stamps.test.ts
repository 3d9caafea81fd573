import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Stamps } from './stamps.ts'

test('whatever order changes arrive in, all members let the same one hold', () => {
  const change = fc.record({ member: fc.nat(2), value: fc.string({ maxLength: 3 }), delay: fc.nat(5) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const names = ['a', 'b', 'c']
      const members = names.map((name) => ({ stamps: new Stamps(name), value: '' }))
      // Each pair of members has a queue; it is emptied now and then, so that changes cross each other.
      const queues = new Map<string, { stamp: number; value: string }[]>()
      const arrive = (from: number, to: number): void => {
        for (const { stamp, value } of queues.get(`${from} ${to}`)?.splice(0) ?? []) {
          if (members[to].stamps.accept('topic', stamp, names[from], 1000)) members[to].value = value
        }
      }
      for (const { member, value, delay } of changes) {
        members[member].value = value
        const stamp = members[member].stamps.make('topic', 1000)
        for (const other of [0, 1, 2]) {
          if (other === member) continue
          const key = `${member} ${other}`
          queues.set(key, [...(queues.get(key) ?? []), { stamp, value }])
        }
        if (delay < 3) arrive(delay, (delay + 1) % 3)
      }
      for (const from of [0, 1, 2]) for (const to of [0, 1, 2]) arrive(from, to)
      assert.equal(new Set(members.map(({ value }) => value)).size, 1)
    }),
  )
})

test('a change that was made behind one that was seen holds against it, also when the clock stands still', () => {
  const [one, two] = [new Stamps('one'), new Stamps('two')]
  const first = two.make('a', 5)
  assert.equal(one.accept('a', first, 'two', 5), true)
  const second = one.make('a', 5)
  assert.ok(second > first)
  assert.equal(two.accept('a', second, 'one', 5), true)
  assert.equal(two.accept('a', first, 'one', 5), false)
})

test('what is remembered of changes is bounded', () => {
  const stamps = new Stamps('one')
  const last = stamps.make('first', 0)
  for (let index = 0; index < 250_000; index++) stamps.make(`topic ${index}`, 1)
  assert.equal(stamps.accept('first', last - 1, 'two', 2), true, 'forgotten')
})
