/** A broker in a process of its own. `node broker.ts FOLDER DURABILITY`, or without both: no store. Answers each message with what it has used. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createBroker } from 'hookmq'
import { takeStretches } from './turns.ts'

const [folder, durability] = process.argv.slice(2)
const started = performance.now()
const late = monitorEventLoopDelay({ resolution: 1 })
late.enable()
const broker = await createBroker({
  ...(folder === undefined
    ? {}
    : {
        dataDir: folder,
        set: { 'store.durability': durability, 'mqtt.mqueue.max_length': '0', 'zone.external.max_mqueue_bytes': '0' },
      }),
  listeners: [{ type: 'tcp', port: 0 }],
  sysInterval: 0,
})
await broker.start()
process.send?.({
  port: Number(broker.listeners[0].address.split(':').pop()),
  milliseconds: performance.now() - started,
})
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  const thread = process.threadCpuUsage()
  process.send?.({
    cpu: user + system,
    mainThread: thread.user + thread.system,
    rss: process.memoryUsage.rss(),
    late: late.max / 1e6,
    late99: late.percentile(99) / 1e6,
    ...takeStretches(),
  })
  late.reset()
})
process.on('disconnect', () => process.exit())
