// Values stored per second, and what that leaves of the event loop. `node stores/sqlite/bench/puts.bench.ts [FOLDER]`
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { SqliteStore } from '../src/index.ts'

/** Milliseconds that each case runs. */
const duration = 1500
const value = { payload: 'x'.repeat(100), qos: 1 }

const parent = resolve(process.argv[2] ?? tmpdir())
console.log(`node ${process.version}, values of 125 bytes, each writer waits for its own; folder ${parent}`)
console.log('durability  writers    puts/s  batches/s   us CPU/put   event loop late at most, ms')
for (const durability of ['fsync', 'os', 'none'] as const) {
  for (const writers of [1, 16, 256, 1024]) {
    const folder = mkdtempSync(join(parent, 'hookmq-bench-'))
    const store = await SqliteStore.open({ file: join(folder, 'hookmq.db'), durability })
    const values = store.namespace('bench')
    let count = 0
    let running = true
    const writer = async (name: number): Promise<void> => {
      for (let index = 0; running; index++) {
        await values.put(`${name}/${index}`, value)
        count++
      }
    }
    const late = monitorEventLoopDelay({ resolution: 1 })
    late.enable()
    const start = performance.now()
    const cpu = process.cpuUsage()
    const all = Promise.all(Array.from({ length: writers }, (_, name) => writer(name)))
    await new Promise((done) => setTimeout(done, duration))
    running = false
    await all
    const seconds = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(cpu)
    late.disable()
    const cells = [
      durability.padEnd(10),
      String(writers).padStart(8),
      (count / seconds).toFixed(0).padStart(9),
      (store.stats.batches / seconds).toFixed(0).padStart(10),
      ((user + system) / count).toFixed(1).padStart(12),
      (late.max / 1e6 - 1).toFixed(1).padStart(12),
    ]
    console.log(cells.join(' '))
    await store.close()
    rmSync(folder, { recursive: true })
  }
}
