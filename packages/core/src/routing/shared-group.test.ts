import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SharedStrategy } from '../options.ts'
import { Router } from './router.ts'
import type { Receiver, SharedGroup, StoredOptions } from './types.ts'

const options: StoredOptions = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }
const strategies: SharedStrategy[] = ['random', 'round_robin', 'sticky', 'hash_clientid', 'hash_topic']

class Member implements Receiver {
  readonly id: string
  available = true
  constructor(id: string) {
    this.id = id
  }
}

function members(count: number): Member[] {
  return Array.from({ length: count }, (_, index) => new Member(`m${index}`))
}

/** The same numbers in each run, in [0, 1). */
function seeded(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function join(strategy: SharedStrategy, all: readonly Receiver[]): { router: Router; group: SharedGroup } {
  const router = new Router({ cacheSize: 10, sharedStrategy: strategy, sharedStrategyOfGroup: {}, random: seeded() })
  for (const one of all) assert.equal(router.subscribe('$share/g/t', one, options), true)
  const [group] = router.match('t').shared
  return { router, group }
}

function picks(group: SharedGroup, count: number, from = 'publisher', topic = 't'): string[] {
  return Array.from({ length: count }, () => group.pick(from, topic)?.receiver.id ?? 'nobody')
}

for (const strategy of strategies) {
  describe(`shared subscriptions, ${strategy}`, () => {
    test('each message goes to one member, with the options of its subscription [MQTT-4.8.2-4]', () => {
      const { router, group } = join(strategy, members(3))
      const late = new Member('late')
      router.subscribe('$share/g/t', late, { ...options, qos: 2, subscriptionIdentifier: 9 })
      for (let count = 0; count < 50; count++) {
        const route = group.pick(`publisher-${count}`, 't')
        assert.ok(route)
        assert.equal(route.qos, route.receiver === late ? 2 : 1)
        assert.deepEqual(route.subscriptionIdentifiers, route.receiver === late ? [9] : undefined)
      }
    })

    test('a member that cannot take messages is passed over while another can', () => {
      const all = members(20)
      const { group } = join(strategy, all)
      for (const one of all) one.available = one.id === 'm7'
      assert.deepEqual(new Set(picks(group, 50)), new Set(['m7']))
      for (let index = 0; index < 50; index++) assert.equal(group.pick(`p${index}`, `t${index}`)?.receiver.id, 'm7')
    })

    test('when none can, one of them keeps the message until it can', () => {
      const all = members(3)
      const { group } = join(strategy, all)
      for (const one of all) one.available = false
      assert.ok(all.some((one) => one.id === group.pick('p', 't')?.receiver.id))
    })

    test('who is excluded is not picked, until nobody is left', () => {
      const all = members(12)
      const { group } = join(strategy, all)
      all[3].available = false
      const tried = new Set<Receiver>()
      for (let count = 0; count < 12; count++) {
        const route = group.pick('p', 't', tried)
        assert.ok(route)
        assert.ok(!tried.has(route.receiver))
        if (count < 11) assert.notEqual(route.receiver, all[3], 'the absent one is the last resort')
        tried.add(route.receiver)
      }
      assert.equal(group.pick('p', 't', tried), undefined)
    })

    test('members come and go in the group that a publisher already holds', () => {
      const all = members(30)
      const { router, group } = join(strategy, all)
      for (const one of all.slice(1)) assert.ok(router.unsubscribe('$share/g/t', one))
      assert.deepEqual(new Set(picks(group, 20)), new Set(['m0']))
      const late = new Member('late')
      router.subscribe('$share/g/t', late, options)
      router.unsubscribe('$share/g/t', all[0])
      assert.deepEqual(new Set(picks(group, 20)), new Set(['late']))
      assert.equal(router.match('t').shared[0], group)
    })

    test('a member that subscribes again is still one member, with its new options', () => {
      const all = members(1)
      const { router, group } = join(strategy, all)
      group.pick('p', 't')
      assert.equal(router.subscribe('$share/g/t', all[0], { ...options, qos: 0 }), false)
      assert.equal(group.pick('p', 't')?.qos, 0)
      assert.equal(router.sharedSubscriptionCount, 1)
      assert.equal(router.unsubscribe('$share/g/t', all[0])?.qos, 0)
      assert.equal(router.unsubscribe('$share/g/t', all[0]), undefined)
    })

    test('the group is gone with its last member, and a new one begins anew', () => {
      const all = members(2)
      const { router } = join(strategy, all)
      const before = router.match('t')
      for (const one of all) router.unsubscribe('$share/g/t', one)
      assert.equal(before.stale, true)
      assert.deepEqual(router.match('t').shared, [])
      assert.equal(router.sharedGroupCount, 0)
      assert.equal(router.hasSubscribers('t'), false)
      router.subscribe('$share/g/t', all[0], options)
      assert.equal(router.match('t').shared.length, 1)
    })
  })
}

describe('who is picked', () => {
  test('random: everybody gets about as much', () => {
    const { group } = join('random', members(4))
    const counts = new Map<string, number>()
    for (const id of picks(group, 4000)) counts.set(id, (counts.get(id) ?? 0) + 1)
    assert.deepEqual([...counts.keys()].sort(), ['m0', 'm1', 'm2', 'm3'])
    for (const [id, count] of counts) assert.ok(count > 800 && count < 1200, `${id} got ${count}`)
  })

  test('random: the neighbour of absent members does not get all of theirs', () => {
    const all = members(10)
    const { group } = join('random', all)
    for (const one of all.slice(0, 5)) one.available = false
    const share = picks(group, 5000).filter((id) => id === 'm5').length
    assert.ok(share < 1500, `m5 got ${share} of 5000, a fifth would be fair`)
  })

  test('round_robin: one after the other', () => {
    const { group } = join('round_robin', members(3))
    assert.deepEqual(picks(group, 7), ['m0', 'm1', 'm2', 'm0', 'm1', 'm2', 'm0'])
  })

  test('round_robin: goes on behind an absent member', () => {
    const all = members(4)
    const { group } = join('round_robin', all)
    all[1].available = false
    assert.deepEqual(picks(group, 6), ['m0', 'm2', 'm3', 'm0', 'm2', 'm3'])
  })

  test('round_robin: absent members take turns when nobody is there', () => {
    const all = members(3)
    const { group } = join('round_robin', all)
    for (const one of all) one.available = false
    assert.deepEqual(picks(group, 4), ['m0', 'm1', 'm2', 'm0'])
  })

  test('sticky: stays with one, and moves on when that one leaves or is away', () => {
    const all = members(5)
    const { router, group } = join('sticky', all)
    const [first] = picks(group, 1)
    assert.deepEqual(new Set(picks(group, 20)), new Set([first]))
    const gone = all.find((one) => one.id === first)
    assert.ok(gone)
    router.unsubscribe('$share/g/t', gone)
    const [second] = picks(group, 1)
    assert.notEqual(second, first)
    assert.deepEqual(new Set(picks(group, 20)), new Set([second]))
    const away = all.find((one) => one.id === second)
    assert.ok(away)
    away.available = false
    const [third] = picks(group, 1)
    assert.notEqual(third, second)
    away.available = true
    assert.deepEqual(new Set(picks(group, 20)), new Set([third]))
  })

  test('sticky: a single message that goes elsewhere does not take the rest with it', () => {
    const all = members(5)
    const { group } = join('sticky', all)
    const first = group.pick('p', 't')?.receiver
    assert.ok(first)
    assert.notEqual(group.pick('p', 't', new Set([first]))?.receiver, first)
    assert.equal(group.pick('p', 't')?.receiver, first)
  })

  test('hash_clientid: one publisher always reaches the same member, many reach all', () => {
    const { group } = join('hash_clientid', members(5))
    for (const from of ['a', 'b', 'c']) {
      const chosen = new Set(Array.from({ length: 10 }, (_, index) => group.pick(from, `t${index}`)?.receiver.id))
      assert.equal(chosen.size, 1)
    }
    const all = new Set(Array.from({ length: 200 }, (_, index) => group.pick(`client-${index}`, 't')?.receiver.id))
    assert.equal(all.size, 5)
  })

  test('hash_topic: one topic always reaches the same member, many reach all', () => {
    const { group } = join('hash_topic', members(5))
    for (const topic of ['a', 'b', 'c']) {
      const chosen = new Set(Array.from({ length: 10 }, (_, index) => group.pick(`p${index}`, topic)?.receiver.id))
      assert.equal(chosen.size, 1)
    }
    const all = new Set(Array.from({ length: 200 }, (_, index) => group.pick('p', `t/${index}`)?.receiver.id))
    assert.equal(all.size, 5)
  })
})

test('a group may have its own strategy', () => {
  const router = new Router({
    cacheSize: 10,
    sharedStrategy: 'sticky',
    sharedStrategyOfGroup: { turns: 'round_robin' },
  })
  for (const one of members(3)) {
    router.subscribe('$share/turns/t', one, options)
    router.subscribe('$share/constructor/t', one, options)
  }
  const byName = new Map(router.match('t').shared.map((group) => [group.name, group]))
  const turns = byName.get('turns')
  const other = byName.get('constructor')
  assert.ok(turns && other)
  assert.deepEqual(picks(turns, 3), ['m0', 'm1', 'm2'])
  assert.equal(new Set(picks(other, 20)).size, 1)
})

test('groups are told apart by name and filter, and stand beside ordinary subscriptions', () => {
  const router = new Router({ cacheSize: 10, sharedStrategy: 'random', sharedStrategyOfGroup: {} })
  const [one, two] = members(2)
  for (const filter of ['$share/g/a/+', '$share/g/a/b', '$share/h/a/b', '$queue/a/b', '$share/$queue/a/b', 'a/b']) {
    assert.equal(router.subscribe(filter, one, options), true, filter)
    assert.equal(router.subscribe(filter, two, options), true, filter)
  }
  const routes = router.match('a/b')
  assert.equal(routes.direct.length, 2)
  assert.deepEqual(routes.shared.map((group) => `${group.name} ${group.filter}`).sort(), [
    '$queue a/b',
    '$queue a/b',
    'g a/+',
    'g a/b',
    'h a/b',
  ])
  router.unsubscribe('$queue/a/b', one)
  assert.equal(router.unsubscribe('$queue/a/b', one), undefined)
  assert.ok(router.unsubscribe('$share/$queue/a/b', one))
})

test('a share prefix without group or filter is an error of the caller', () => {
  const router = new Router({ cacheSize: 10, sharedStrategy: 'random', sharedStrategyOfGroup: {} })
  for (const filter of ['$share/g', '$share//t', '$share/g/', '$queue/']) {
    assert.throws(() => router.subscribe(filter, new Member('m'), options), /topic filter/, filter)
  }
})
