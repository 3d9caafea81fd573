import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Load } from '../../bench/load/scenario.ts'
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
