import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Load } from '../../bench/load/scenario.ts'
import { publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { startTwo } from './support.ts'

// The load generator of the benchmark looks at every message: none may be missing, twice, damaged or out of order.
const what = { publishers: 6, subscribers: 6, size: 200, outstanding: 100, version: 5 } as const

test('under load between two processes nothing is lost, doubled or out of order', async (t) => {
  const broker = await startTwo(t)
  for (const qos of [0, 1, 2] as const) {
    for (const pairs of [true, false]) {
      const load = new Load({ ...what, name: `QoS ${qos}`, pairs, qos })
      try {
        await load.open(broker.port)
        load.start()
        await new Promise((resolve) => setTimeout(resolve, 400))
        await load.finish(20_000)
        assert.ok(load.delivered > 100, `QoS ${qos}: ${load.delivered} delivered`)
      } finally {
        load.close()
      }
    }
  }
  const forwarded = /^messages\.forward +: (\d+)$/m.exec(await broker.ctl('broker', 'metrics'))?.[1]
  assert.ok(Number(forwarded) > 0, `forwarded ${forwarded}`)
})

test('messages go to another worker only if somebody there wants them, once for all of them', async (t) => {
  const broker = await startTwo(t)
  const forwarded = async (): Promise<number> =>
    Number(/^messages\.forward +: (\d+)$/m.exec(await broker.ctl('broker', 'metrics'))?.[1])
  const publisher = await broker.connect(1)
  const here = await broker.connect(1)
  await subscribe(here, 'counted/#')
  for (let index = 0; index < 10; index++) await publishThrough(publisher, 'counted/a', 'x', { qos: 1 })
  assert.equal(await forwarded(), 0, 'nobody is there')
  const there = [await broker.connect(2), await broker.connect(2), await broker.connect(2)]
  for (const client of there) await subscribe(client, ['counted/a', 'counted/+'])
  for (let index = 0; index < 10; index++) await publishThrough(publisher, 'counted/a', 'x', { qos: 1 })
  for (let index = 0; index < 10; index++) await publishThrough(publisher, 'counted/a/b', 'x', { qos: 1 })
  assert.equal(await forwarded(), 10, 'each once, and only what matches')
  for (const client of there) {
    await client.settle()
    await unsubscribe(client, 'counted/a', 'counted/+')
  }
  for (let index = 0; index < 10; index++) await publishThrough(publisher, 'counted/a', 'x', { qos: 1 })
  assert.equal(await forwarded(), 10, 'nobody is there any more')
})
