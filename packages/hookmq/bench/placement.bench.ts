/**
 * What a message.publish hook costs in the broker's thread and in a worker: QoS 0 messages with a payload of 256 bytes from 16 clients without
 * sockets, to nobody. CPU is that of the whole process, both threads and the broker's own work on each message included: compare with the first line.
 */
import { availableParallelism, loadavg } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Plugin, Transport, TransportHandler } from '@hookmq/api'
import { Broker, inProcess, type PluginRunner } from '@hookmq/core'
import { encodeToBuffer } from '@hookmq/mqtt'
import { MemoryRetainedStore } from '@hookmq/store-memory'
import { WorkerRunner } from '../src/plugins/worker/runner.ts'

const clients = 16
const payloadBytes = 256
const packetsPerRead = 16
const seconds = Number(process.env.SECONDS ?? 3)
const rounds = Number(process.env.ROUNDS ?? 3)

/** Ends the wait for a client that may be read from again. */
let awake: (() => void) | undefined

class Feeder {
  readonly #handler: TransportHandler
  readonly #chunk: Buffer
  paused = false

  constructor(broker: Broker, index: number) {
    const feeder = this
    const transport: Transport = {
      socketType: 'link',
      listener: 'link:bench',
      protocol: 'mqtt',
      peerhost: '127.0.0.1',
      peerport: index,
      sockhost: '127.0.0.1',
      sockport: 0,
      bufferedBytes: 0,
      write() {},
      pause() {
        feeder.paused = true
      },
      resume() {
        feeder.paused = false
        awake?.()
      },
      end() {},
      destroy() {},
    }
    this.#handler = broker.accept(transport)
    const clientId = `device-${index}`
    this.#handler.data(
      encodeToBuffer(
        {
          type: 'connect',
          protocolName: 'MQTT',
          protocolVersion: 4,
          bridge: false,
          cleanStart: true,
          keepAlive: 0,
          clientId,
          properties: {},
        },
        4,
      ),
    )
    const publish = encodeToBuffer(
      {
        type: 'publish',
        dup: false,
        qos: 0,
        retain: false,
        topic: `factory/${index}/temperature`,
        payload: Buffer.alloc(payloadBytes, 'x'),
        properties: {},
      },
      4,
    )
    this.#chunk = Buffer.concat(Array.from({ length: packetsPerRead }, () => publish))
  }

  read(): void {
    // A socket's buffer is read into again and again, and so is this one's copy.
    if (!this.paused) this.#handler.data(Buffer.from(this.#chunk))
  }
}

async function measure(name: string, file: string | undefined, placement: 'in-process' | 'worker'): Promise<void> {
  const broker = new Broker({ sysInterval: 0, sysHeartbeat: 0 }, { retained: new MemoryRetainedStore() })
  await broker.start()
  if (file !== undefined) {
    const path = fileURLToPath(new URL(file, import.meta.url))
    const { default: plugin } = (await import(path)) as { readonly default: Plugin }
    const runner: PluginRunner = placement === 'worker' ? new WorkerRunner({ plugin, file: path }) : inProcess(plugin)
    await broker.plugins.load(plugin, { runner })
  } else broker.hooks.add('message.puback', () => {}, { owner: 'bench' })
  const feeders = Array.from({ length: clients }, (_, index) => new Feeder(broker, index))
  await turn()
  const routed = (): number => broker.link.metrics()['messages.publish'] ?? 0
  await feed(feeders, 500)
  const results: { rate: number; cpu: number; thread: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const before = {
      count: routed(),
      cpu: process.cpuUsage(),
      thread: process.threadCpuUsage(),
      time: performance.now(),
    }
    await feed(feeders, seconds * 1000)
    const count = routed() - before.count
    const cpu = process.cpuUsage(before.cpu)
    const thread = process.threadCpuUsage(before.thread)
    const elapsed = performance.now() - before.time
    results.push({
      rate: (count / elapsed) * 1000,
      cpu: (cpu.user + cpu.system) / count,
      thread: (thread.user + thread.system) / count,
    })
  }
  results.sort((a, b) => b.rate - a.rate)
  const [best] = results
  const rates = results.map(({ rate }) => Math.round(rate).toLocaleString('en')).join(', ')
  console.log(
    `${name.padEnd(34)} ${Math.round(best.rate).toLocaleString('en').padStart(9)} messages/s  ${best.cpu.toFixed(2).padStart(6)} us CPU each, ${best.thread.toFixed(2).padStart(5)} of it in the broker's thread  (rounds: ${rates})`,
  )
  await broker.stop(100)
}

/** As sockets do it: each client that is read from has something in each turn of the event loop; when none is, the thread sleeps. */
async function feed(feeders: readonly Feeder[], milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds
  while (performance.now() < end) {
    for (const feeder of feeders) feeder.read()
    if (feeders.some(({ paused }) => !paused)) await turn()
    else {
      await new Promise<void>((resolve) => {
        awake = resolve
      })
    }
  }
}

console.log(
  `${availableParallelism()} cores, load ${loadavg()[0].toFixed(2)}; best of ${rounds} rounds of ${seconds} s`,
)
await measure('no hook', undefined, 'in-process')
await measure('does nothing, in the process', './placement-plugins/nothing.ts', 'in-process')
await measure('does nothing, in a worker', './placement-plugins/nothing.ts', 'worker')
await measure('changes the payload, in the process', './placement-plugins/change.ts', 'in-process')
await measure('changes the payload, in a worker', './placement-plugins/change.ts', 'worker')
