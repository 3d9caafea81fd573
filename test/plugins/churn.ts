/**
 * Loads and unloads a plugin that registers one of everything, a thousand times under traffic, and prints as JSON what is left: run by churn.test.ts
 * with --expose-gc.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { PluginContext } from '@hookmq/api'
import { Broker } from '@hookmq/core'
import { MemoryRetainedStore } from '@hookmq/store-memory'
import { collectLog } from '../support/log.ts'
import { plugin, traces } from './support.ts'

const rounds = 1000
const broker = new Broker(
  { sysInterval: 0, sysHeartbeat: 0, log: collectLog() },
  { retained: new MemoryRetainedStore() },
)
await broker.start()

const received = new Map<number, number>()
broker.link.subscribe('traffic', ({ payload }) => {
  const number = Number(payload.toString())
  received.set(number, (received.get(number) ?? 0) + 1)
})

let twice = 0
let afterwards = 0
function setup(ctx: PluginContext): void {
  const handled = new Set<string>()
  let gone = false
  const once = (what: string, payload: Uint8Array): void => {
    const key = what + Buffer.from(payload).toString()
    if (handled.has(key)) twice++
    if (gone) afterwards++
    handled.add(key)
  }
  ctx.hook('message.publish', (_, { payload }) => once('mutate', payload))
  ctx.hook('message.publish', async (_, { payload }) => {
    await undefined
    once('later', payload)
  })
  ctx.hook('message.publish', (_, { payload }) => once('sink', payload), { phase: 'sink' })
  ctx.authenticator({ name: 'churn', authenticate: () => ({ result: 'ignore' }) })
  ctx.authorizer({ name: 'churn', authorize: () => 'ignore' })
  ctx.broker.subscribe('traffic', ({ payload }) => once('heard', payload))
  ctx.command({ name: 'churn', usage: [], run: () => ({ lines: [] }) })
  ctx.route({ method: 'GET', path: '/churn', summary: '', handle: () => ({ status: 200 }) })
  ctx.counter('loads').add()
  ctx.every(60_000, () => {})
  ctx.after(60_000, () => {})
  ctx.onTeardown(() => {
    gone = true
  })
}

const before = traces(broker)
let running = true
let sent = 0
async function traffic(): Promise<void> {
  while (running) {
    await broker.publish({ topic: 'traffic', payload: Buffer.from(String(sent++)) })
    await turn()
  }
}

function heap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const loops = [traffic(), traffic()]
let early = 0
for (let round = 0; round < rounds; round++) {
  await broker.plugins.load(plugin('churn', setup))
  await turn()
  await broker.plugins.unload('churn')
  if (round === 199) early = heap()
}
const late = heap()
running = false
await Promise.all(loops)
const lost = Array.from({ length: sent }, (_, number) => received.get(number)).filter((count) => count !== 1).length
console.log(
  JSON.stringify({
    before,
    after: traces(broker),
    sent,
    lost,
    twice,
    afterwards,

    grown: late - early,
    loads: broker.metrics.snapshot()['plugins.churn.loads'],
  }),
)
await broker.stop()
