import { workerData } from 'node:worker_threads'
import { importPlugin } from '../load.ts'
import { Bridge } from './bridge.ts'
import { Peer } from './peer.ts'
import { SET_UP, TEAR_DOWN, type WorkerStart } from './protocol.ts'
import { beat } from './shared.ts'
import { WorkerContext } from './worker-context.ts'

// The thread of one plugin: it answers what the broker asks until the broker ends it.

/** Milliseconds after which answers that are there do not wait for the rest of their turn. */
const longestHold = 2

const start = workerData as WorkerStart
const { shared } = start
let turnBegan = 0

const peer = new Peer(start.port, {
  limit: start.limit,
  limitBytes: start.limitBytes,
  run(target, first, second) {
    beat(shared)
    if (target >= 2) return context.functions.run(target, first, second)
    return target === SET_UP ? setUp() : target === TEAR_DOWN ? context.end() : undefined
  },
  began: () => {
    turnBegan = performance.now()
  },
  ran: () => {
    const now = performance.now()
    if (now - turnBegan < longestHold) return
    turnBegan = now
    peer.flush()
  },
  beforeFlush: () => context.sendCounts(),
  broken(error) {
    throw error
  },
})
const context = new WorkerContext(new Bridge(peer, start), start)

async function setUp(): Promise<void> {
  const plugin = await importPlugin(start.file)
  await plugin.setup(context)
}

setInterval(() => beat(shared), start.beatInterval).unref()
