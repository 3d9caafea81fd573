// Topic tree against a plain list of filters. Run: node packages/core/bench/routing.bench.ts [sizes, such as 1000,100000]
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { topicMatches } from '@hookmq/mqtt'
import { type Receiver, Router, type StoredOptions } from '../src/routing/index.ts'

const sizes = (process.argv[2] ?? '1000,100000').split(',').map(Number)
const options: StoredOptions = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Wildcard filters that overlap: four match each topic below. */
function filterOf(index: number): string {
  const unit = index - (index % 4)
  const site = unit % 50
  switch (index % 4) {
    case 0:
      return `site/${site}/+/unit-${unit}/temperature`
    case 1:
      return `site/${site}/line/unit-${unit}/#`
    case 2:
      return `site/+/line/unit-${unit}/+`
    default:
      return `+/+/line/unit-${unit}/#`
  }
}

function topicOf(index: number): string {
  const unit = index - (index % 4)
  return `site/${unit % 50}/line/unit-${unit}/temperature`
}

function makeRouter(cacheSize: number): Router {
  return new Router({ cacheSize, sharedStrategy: 'random', sharedStrategyOfGroup: {} })
}

/** Heap bytes that are in use after two collections. */
function heapUsed(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

/** Nanoseconds per call, the best of several runs. */
function time(calls: number, run: (call: number) => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const start = process.hrtime.bigint()
    for (let call = 0; call < calls; call++) run(call)
    best = Math.min(best, Number(process.hrtime.bigint() - start) / calls)
  }
  return best
}

function measure(size: number): Record<string, string> {
  const filters = Array.from({ length: size }, (_, index) => filterOf(index))
  // Flat strings, as a parser makes them.
  const topics = Array.from({ length: Math.min(size, 20_000) }, (_, index) =>
    Buffer.from(topicOf((index * 4 * 7919) % size)).toString(),
  )
  const receivers: Receiver[] = filters.map((_, index) => ({ id: `client-${index}`, available: true }))
  const uncached = makeRouter(0)

  const before = heapUsed()
  const start = process.hrtime.bigint()
  for (let index = 0; index < size; index++) uncached.subscribe(filters[index], receivers[index], options)
  const subscribe = Number(process.hrtime.bigint() - start) / size
  const memory = (heapUsed() - before) / size

  const cached = makeRouter(65_536)
  for (let index = 0; index < size; index++) cached.subscribe(filters[index], receivers[index], options)

  let matched = 0
  for (const topic of topics) matched += uncached.match(topic).direct.length
  const matchUncached = time(topics.length, (call) => uncached.match(topics[call]))
  const matchCached = time(topics.length, (call) => cached.match(topics[call]))
  const few = Math.max(10, Math.floor(2_000_000 / size))
  const naive = time(few, (call) => {
    const found: Receiver[] = []
    for (let index = 0; index < size; index++) {
      if (topicMatches(filters[index], topics[call % topics.length])) found.push(receivers[index])
    }
  })

  const churnRouter = makeRouter(65_536)
  const storm = process.hrtime.bigint()
  for (let index = 0; index < size; index++) {
    churnRouter.subscribe(filters[index], receivers[index], options)
    churnRouter.match(topics[index % topics.length])
  }
  const churn = Number(process.hrtime.bigint() - storm) / size

  const end = process.hrtime.bigint()
  for (let index = 0; index < size; index++) uncached.unsubscribe(filters[index], receivers[index])
  const unsubscribe = Number(process.hrtime.bigint() - end) / size

  return {
    'wildcard filters': size.toLocaleString('en'),
    'receivers per topic': (matched / topics.length).toFixed(1),
    'subscribe, ns': subscribe.toFixed(0),
    'unsubscribe, ns': unsubscribe.toFixed(0),
    'match, not cached, ns': matchUncached.toFixed(0),
    'match, cached, ns': matchCached.toFixed(0),
    'plain list, ns': naive.toFixed(0),
    'subscribe + match, ns': churn.toFixed(0),
    'bytes per subscription': memory.toFixed(0),
  }
}

function fanOut(count: number): Record<string, string> {
  const receivers: Receiver[] = Array.from({ length: count }, (_, index) => ({
    id: `client-${index}`,
    available: true,
  }))
  const router = makeRouter(65_536)
  const before = heapUsed()
  const start = process.hrtime.bigint()
  for (const receiver of receivers) router.subscribe('news/+', receiver, options)
  const subscribe = Number(process.hrtime.bigint() - start) / count
  const memory = (heapUsed() - before) / count
  const build = time(20, (call) => router.match(`news/${call}-${Math.random()}`))
  const again = time(1000, () => router.match('news/sport'))
  const end = process.hrtime.bigint()
  for (const receiver of receivers) router.unsubscribe('news/+', receiver)
  const unsubscribe = Number(process.hrtime.bigint() - end) / count
  return {
    'receivers of one filter': count.toLocaleString('en'),
    'subscribe, ns': subscribe.toFixed(0),
    'unsubscribe, ns': unsubscribe.toFixed(0),
    'match, not cached, ns per receiver': (build / count).toFixed(2),
    'match, cached, ns': again.toFixed(0),
    'bytes per subscription': memory.toFixed(0),
  }
}

measure(1000) // Warms the compiler.
console.log(`Node ${process.version}`)
console.table(sizes.map(measure))
console.table(sizes.map(fanOut))
