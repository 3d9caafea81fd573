import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Router } from './router.ts'
import type { Receiver, Route, Routes, StoredOptions } from './types.ts'

// The router against a list of subscriptions and the plainest possible matcher. Every Routes that was ever handed out is kept,
// and after each step those that do not say `stale` must still be exactly what the list says.

const level = fc.constantFrom('', 'a', 'b', 'c', '$x')
const filterLevel = fc.oneof({ weight: 3, arbitrary: level }, { weight: 2, arbitrary: fc.constant('+') })
const plainFilter = fc
  .tuple(fc.array(filterLevel, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, hash]) => (hash ? [...levels, '#'] : levels).join('/'))
  .filter((filter) => filter !== '')
const hashAlone = fc.constant('#')
const anyPlain = fc.oneof({ weight: 9, arbitrary: plainFilter }, { weight: 1, arbitrary: hashAlone })
const filter = fc.oneof(
  { weight: 5, arbitrary: anyPlain },
  { weight: 1, arbitrary: anyPlain.map((text) => `$share/g/${text}`) },
  { weight: 1, arbitrary: anyPlain.map((text) => `$share/h/${text}`) },
  { weight: 1, arbitrary: anyPlain.map((text) => `$queue/${text}`) },
)
const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'))
const receiver = fc.integer({ min: 0, max: 3 })
const options: fc.Arbitrary<StoredOptions> = fc.record(
  {
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom(0 as const, 1 as const, 2 as const),
    subscriptionIdentifier: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: ['qos', 'noLocal', 'retainAsPublished', 'retainHandling'], noNullPrototype: true },
)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), filter, receiver, options }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), filter, receiver }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), choice: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('match' as const), topic }) },
)

function matches(filterText: string, name: string): boolean {
  const levels = filterText.split('/')
  const names = name.split('/')
  if (name.startsWith('$') && (levels[0] === '+' || levels[0] === '#')) return false
  const open = levels.at(-1) === '#'
  if (open) levels.pop()
  if (open ? names.length < levels.length : names.length !== levels.length) return false
  return levels.every((one, index) => one === '+' || one === names[index])
}

interface Held {
  filter: string
  receiver: Receiver
  options: StoredOptions
}

function bare(text: string): string {
  if (text.startsWith('$queue/')) return text.slice(7)
  return text.startsWith('$share/') ? text.split('/').slice(2).join('/') : text
}

function directText(routes: readonly Route[]): string[] {
  return routes
    .map((route) =>
      JSON.stringify([
        route.receiver.id,
        route.qos,
        route.noLocal,
        route.retainAsPublished,
        [...(route.subscriptionIdentifiers ?? [])].sort(),
      ]),
    )
    .sort()
}

function expectedDirect(held: readonly Held[], name: string): string[] {
  const byReceiver = new Map<Receiver, StoredOptions[]>()
  for (const one of held) {
    if (bare(one.filter) !== one.filter || !matches(one.filter, name)) continue
    byReceiver.set(one.receiver, [...(byReceiver.get(one.receiver) ?? []), one.options])
  }
  return directText(
    [...byReceiver].map(([owner, all]) => ({
      receiver: owner,
      qos: Math.max(...all.map((one) => one.qos)) as 0 | 1 | 2,
      noLocal: all.every((one) => one.noLocal),
      retainAsPublished: all.some((one) => one.retainAsPublished),
      subscriptionIdentifiers: all.flatMap((one) => one.subscriptionIdentifier ?? []),
    })),
  )
}

function expectedGroups(held: readonly Held[], name: string): Map<string, Set<Receiver>> {
  const groups = new Map<string, Set<Receiver>>()
  for (const one of held) {
    const filter = bare(one.filter)
    if (filter === one.filter || !matches(filter, name)) continue
    groups.set(one.filter, (groups.get(one.filter) ?? new Set()).add(one.receiver))
  }
  return groups
}

/** All members, found by excluding each one that was picked. */
function membersOf(group: Routes['shared'][number], name: string): Set<Receiver> {
  const members = new Set<Receiver>()
  for (let route = group.pick('x', name, members); route !== undefined; route = group.pick('x', name, members)) {
    assert.ok(!members.has(route.receiver), 'an excluded member was picked')
    members.add(route.receiver)
  }
  return members
}

function check(routes: Routes, held: readonly Held[]): void {
  assert.deepEqual(directText(routes.direct), expectedDirect(held, routes.topic), `direct routes of ${routes.topic}`)
  const groups = expectedGroups(held, routes.topic)
  assert.equal(routes.shared.length, groups.size, `number of groups of ${routes.topic}`)
  for (const group of routes.shared) {
    const filter = group.name === '$queue' ? `$queue/${group.filter}` : `$share/${group.name}/${group.filter}`
    assert.deepEqual(membersOf(group, routes.topic), groups.get(filter), `members of ${filter}`)
  }
}

function run(cacheSize: number, steps: fc.Arbitrary<(typeof step extends fc.Arbitrary<infer S> ? S : never)[]>) {
  fc.assert(
    fc.property(steps, (all) => {
      const receivers = [0, 1, 2, 3].map((id) => ({ id: `r${id}`, available: id !== 3 }))
      const router = new Router({ cacheSize, sharedStrategy: 'random', sharedStrategyOfGroup: { h: 'sticky' } })
      const held: Held[] = []
      const kept = new Set<Routes>()
      for (const one of all) {
        if (one.kind === 'match') {
          const routes = router.match(one.topic)
          check(routes, held)
          kept.add(routes)
        } else if (one.kind === 'subscribe') {
          const owner = receivers[one.receiver]
          const before = held.findIndex((other) => other.filter === one.filter && other.receiver === owner)
          if (before !== -1) held.splice(before, 1)
          held.push({ filter: one.filter, receiver: owner, options: one.options })
          assert.equal(router.subscribe(one.filter, owner, one.options), before === -1)
        } else if (one.kind === 'unsubscribe') {
          const owner = receivers[one.receiver]
          const before = held.findIndex((other) => other.filter === one.filter && other.receiver === owner)
          const [gone] = before === -1 ? [] : held.splice(before, 1)
          assert.deepEqual(router.unsubscribe(one.filter, owner), gone?.options)
        } else if (held.length !== 0) {
          const [gone] = held.splice(one.choice % held.length, 1)
          assert.deepEqual(router.unsubscribe(gone.filter, gone.receiver), gone.options)
        }
        for (const routes of kept) {
          if (routes.stale) kept.delete(routes)
          else check(routes, held)
        }
        assert.deepEqual([...router.filters()].sort(), [...new Set(held.map((other) => bare(other.filter)))].sort())
        assert.equal(router.topicCount, new Set(held.map((other) => bare(other.filter))).size)
        assert.equal(router.subscriptionCount, held.length)
        assert.equal(router.sharedSubscriptionCount, held.filter((other) => bare(other.filter) !== other.filter).length)
      }
      for (const one of held) router.unsubscribe(one.filter, one.receiver)
      assert.equal(router.topicCount, 0)
      assert.equal(router.sharedGroupCount, 0)
      assert.deepEqual([...router.filters()], [])
    }),
    { numRuns: 300 },
  )
}

const sequence = fc.array(step, { maxLength: 60, size: 'max' })

test('routes equal those of a plain list of subscriptions, and are stale when they do not', () => run(1000, sequence))
test('the same with a cache that is too small for the topics', () => run(6, sequence))
test('the same without a cache', () => run(0, sequence))
test('a cache that is too big to be looked through is dropped by a wildcard subscription', () => {
  const router = new Router({ cacheSize: 1000, sharedStrategy: 'random', sharedStrategyOfGroup: {} })
  const all = Array.from({ length: 200 }, (_, index) => router.match(`a/${index}`))
  const client = { id: 'one', available: true }
  router.subscribe('a/7/#', client, { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 })
  assert.equal(all[7].stale, true)
  assert.equal(router.match('a/7').direct[0].receiver, client)
})
