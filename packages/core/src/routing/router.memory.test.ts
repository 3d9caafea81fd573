import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Router } from './router.ts'
import type { Receiver, StoredOptions } from './types.ts'

const options: StoredOptions = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }
const count = 50_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heapUsed(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

const shapes: Record<string, (index: number) => string> = {
  exact: (index) => `devices/${index}/state`,
  'wildcard below an own level': (index) => `devices/device-${index}/+/attributes/+`,
  'wildcards that overlap': (index) => [`a/${index}/#`, `a/+/${index}`, `+/${index}/c/+`][index % 3],
  'the same for all': () => 'news/+',
  shared: (index) => `$share/group/jobs/${index % 100}/+`,
}

for (const [name, filterOf] of Object.entries(shapes)) {
  test(`a subscription takes well below 500 bytes and gives them back: ${name}`, () => {
    const router = new Router({ cacheSize: 0, sharedStrategy: 'random', sharedStrategyOfGroup: {} })
    const filters = Array.from({ length: count }, (_, index) => filterOf(index))
    const clients: Receiver[] = filters.map((_, index) => ({ id: String(index), available: true }))
    const before = heapUsed()
    for (let index = 0; index < count; index++) router.subscribe(filters[index], clients[index], options)
    const each = (heapUsed() - before) / count
    assert.ok(each < 400, `${each.toFixed()} bytes`)
    for (let index = 0; index < count; index++) assert.ok(router.unsubscribe(filters[index], clients[index]))
    const left = (heapUsed() - before) / count
    assert.ok(left < 15, `${left.toFixed()} bytes of each are left`)
    assert.equal(router.topicCount, 0, 'and the router was there until now')
  })
}

test('filters that share their levels give these back', () => {
  const router = new Router({ cacheSize: 0, sharedStrategy: 'random', sharedStrategyOfGroup: {} })
  const [one, two]: Receiver[] = [
    { id: 'one', available: true },
    { id: 'two', available: true },
  ]
  const before = heapUsed()
  for (let index = 0; index < count; index++) {
    // Two filters, so that the tree has to have a branch for each of their common levels.
    router.subscribe(`a/${index}/b/c/+`, one, options)
    router.subscribe(`a/${index}/b/c/d/#`, two, options)
    router.unsubscribe(`a/${index}/b/c/+`, one)
    router.unsubscribe(`a/${index}/b/c/d/#`, two)
  }
  const left = (heapUsed() - before) / count
  assert.ok(left < 15, `${left.toFixed()} bytes of each are left`)
  assert.equal(router.topicCount, 0, 'and the router was there until now')
})
