import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Router } from './router.ts'
import type { Receiver, StoredOptions } from './types.ts'

const options: StoredOptions = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }

function makeRouter(cacheSize = 1000): Router {
  return new Router({ cacheSize, sharedStrategy: 'random', sharedStrategyOfGroup: {} })
}

function client(id: string): Receiver {
  return { id, available: true }
}

test('overlapping filters of one client make one route [MQTT-3.3.4-2] [MQTT-3.3.4-3]', () => {
  const router = makeRouter()
  const one = client('one')
  router.subscribe('a/b', one, { ...options, qos: 1, noLocal: true, subscriptionIdentifier: 3 })
  router.subscribe('a/+', one, { ...options, qos: 2, noLocal: true })
  router.subscribe('a/#', one, { ...options, qos: 0, retainAsPublished: true, subscriptionIdentifier: 5 })
  const { direct } = router.match('a/b')
  assert.equal(direct.length, 1)
  assert.equal(direct[0].receiver, one)
  assert.equal(direct[0].qos, 2)
  assert.equal(direct[0].noLocal, false)
  assert.equal(direct[0].retainAsPublished, true)
  assert.deepEqual([...(direct[0].subscriptionIdentifiers ?? [])].sort(), [3, 5])
})

test('the same identifier is sent once for each subscription that has it', () => {
  const router = makeRouter()
  router.subscribe('a/b', client('other'), { ...options, subscriptionIdentifier: 7 })
  const one = client('one')
  router.subscribe('a/+', one, { ...options, subscriptionIdentifier: 4 })
  router.subscribe('a/#', one, { ...options, subscriptionIdentifier: 4 })
  const route = router.match('a/b').direct.find((other) => other.receiver === one)
  assert.deepEqual(route?.subscriptionIdentifiers, [4, 4])
})

test('crowds on overlapping filters are merged whatever their size', () => {
  const router = makeRouter()
  const all = Array.from({ length: 500 }, (_, index) => client(`c${index}`))
  for (const one of all) router.subscribe('a/+', one, options)
  for (const one of all.slice(250)) router.subscribe('#', one, { ...options, qos: 1 })
  for (const one of all.slice(490)) router.subscribe('a/b', one, { ...options, qos: 2 })
  const { direct } = router.match('a/b')
  assert.equal(direct.length, 500)
  assert.equal(new Set(direct.map((route) => route.receiver)).size, 500)
  assert.deepEqual(
    [0, 1, 2].map((qos) => direct.filter((route) => route.qos === qos).length),
    [250, 240, 10],
  )
})

test('an exact subscription makes only its topic stale', () => {
  const router = makeRouter()
  const kept = router.match('a/b')
  const changed = router.match('a/c')
  router.subscribe('a/c', client('one'), options)
  assert.equal(kept.stale, false)
  assert.equal(changed.stale, true)
  assert.equal(router.match('a/b'), kept)
})

test('a wildcard subscription makes only matching topics stale, as long as looking at them pays', () => {
  const router = makeRouter(10_000)
  const other = Array.from({ length: 1000 }, (_, index) => router.match(`data/${index}`))
  const matching = router.match('command/7/go')
  router.subscribe('command/7/#', client('one'), options)
  assert.equal(matching.stale, true)
  assert.ok(other.every((routes) => !routes.stale))
})

test('a storm of wildcard subscriptions ends by dropping the cache instead of looking through it each time', () => {
  const router = makeRouter(10_000)
  const cached = Array.from({ length: 1000 }, (_, index) => router.match(`data/${index}`))
  for (let index = 0; index < 100; index++) router.subscribe(`command/${index}/#`, client(`c${index}`), options)
  assert.ok(cached.every((routes) => routes.stale))
  assert.equal(router.cachedTopicCount, 0)
})

test('what a repeated subscription does not change does not make routes stale', () => {
  const router = makeRouter()
  const one = client('one')
  router.subscribe('a', one, { ...options, subscriptionIdentifier: 1 })
  const routes = router.match('a')
  assert.equal(router.subscribe('a', one, { ...options, retainHandling: 2, subscriptionIdentifier: 1 }), false)
  assert.equal(routes.stale, false)
  assert.equal(router.subscribe('a', one, { ...options, qos: 1, subscriptionIdentifier: 1 }), false)
  assert.equal(routes.stale, true)
  assert.deepEqual(router.unsubscribe('a', one), { ...options, qos: 1, subscriptionIdentifier: 1 })
})

test('routes that the cache gave up are stale', () => {
  const router = makeRouter(100)
  const all = Array.from({ length: 1000 }, (_, index) => router.match(`t/${index}`))
  assert.ok(router.cachedTopicCount <= 100)
  assert.equal(all.filter((routes) => !routes.stale).length, router.cachedTopicCount)
})

test('topics that are asked for again and again stay in a cache that others flow through', () => {
  const router = makeRouter(100)
  const busy = router.match('busy')
  for (let index = 0; index < 1000; index++) {
    router.match(`t/${index}`)
    if (index % 10 === 0) router.match('busy')
  }
  assert.equal(busy.stale, false)
  assert.equal(router.match('busy'), busy)
})

test('big entries count for many, so that the cache is bounded in bytes too', () => {
  const router = makeRouter(1000)
  for (let index = 0; index < 1000; index++) router.match(`${'x'.repeat(10_000)}${index}`)
  assert.ok(router.cachedTopicCount <= 30, `${router.cachedTopicCount} topics of 10 KB`)
  const huge = router.match('y'.repeat(200_000))
  assert.equal(huge.stale, true, 'too big to keep: used once')
})

test('filters of 30,000 levels are taken, matched and given back', () => {
  const router = makeRouter()
  const one = client('one')
  const deep = 'a/'.repeat(30_000)
  const filters = [`${deep}#`, `${deep}+`, `${'+/'.repeat(30_000)}b`, `${deep}+/c`]
  for (const filter of filters) router.subscribe(filter, one, options)
  assert.equal(router.match(`${deep}b`).direct.length, 1)
  assert.deepEqual([...router.filters()].sort(), [...filters].sort())
  for (const filter of filters) assert.ok(router.unsubscribe(filter, one))
  assert.equal(router.topicCount, 0)
})

test('counts', () => {
  const router = makeRouter()
  const [one, two] = [client('one'), client('two')]
  router.subscribe('a/+', one, options)
  router.subscribe('a/+', two, options)
  router.subscribe('$share/g/a/+', two, options)
  router.subscribe('$share/g/b', two, options)
  router.subscribe('a/+', one, { ...options, qos: 1 })
  assert.equal(router.topicCount, 2)
  assert.equal(router.subscriptionCount, 4)
  assert.equal(router.sharedSubscriptionCount, 2)
  assert.equal(router.sharedGroupCount, 2)
  assert.equal(router.hasSubscribers('a/+'), true)
  assert.equal(router.hasSubscribers('a/b'), false)
})

test('unsubscribing what is not there changes nothing', () => {
  const router = makeRouter()
  const [one, two] = [client('one'), client('two')]
  router.subscribe('a/+/c', one, options)
  const routes = router.match('a/b/c')
  for (const filter of ['a/+', 'a/+/c/d', 'a/#', '+/+/c', 'x', '#', '$share/g/a/+/c', '$queue/a/+/c']) {
    assert.equal(router.unsubscribe(filter, one), undefined, filter)
  }
  assert.equal(router.unsubscribe('a/+/c', two), undefined)
  assert.equal(routes.stale, false)
  assert.equal(router.subscriptionCount, 1)
})
