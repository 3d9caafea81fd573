/**
 * npm run bench -- soak: the broker for ten minutes with as many connections as this machine allows, while clients come and go and every delivery
 * is checked. Fails when a message is missing, doubled or out of order, when a client is cut off, when the broker grows, or when its event loop
 * stands still for more than 100 ms that are neither garbage collection nor the want of a core. Linux only.
 */
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { processorTime } from '../load/processor-time.ts'
import { SoakedBroker } from './broker.ts'
import { lowest, slope } from './growth.ts'
import type { FromLoad, Progress, ToLoad } from './orders.ts'
import { Record } from './record.ts'
import { Watcher } from './watcher.ts'

const usage = `Usage: npm run bench -- soak [MINUTES] [--connections N] [--publishers 2000] [--period 2] [--changes 40] [--workers 1]

MINUTES: 10. Connections: all but 500 of the files that a process may open. Each publisher sends a message every --period seconds;
--changes clients a second come, go, take over, subscribe, sleep, or set something retained.`

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    connections: { type: 'string' },
    publishers: { type: 'string', default: '2000' },
    period: { type: 'string', default: '2' },
    changes: { type: 'string', default: '40' },
    workers: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})

const mebibyte = 1024 * 1024
const longestStall = 100

/** What may be more at the end than at the beginning: a tenth and so many bytes, which the noise of a short run needs. */
const slack = 16 * mebibyte

function openFiles(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return Number(limit ?? 1024)
}

/** The other process; resolves what it has been told to do. */
class LoadProcess {
  readonly #child = fork(fileURLToPath(new URL('load.ts', import.meta.url)), { serialization: 'advanced' })
  progress: Progress | undefined
  ownDelay = 0
  #settled: { resolve: () => void; reject: (error: Error) => void } | undefined

  constructor() {
    this.#child.on('message', (message: FromLoad) => {
      if (message.kind === 'progress') {
        this.progress = message.progress
        this.ownDelay = Math.max(this.ownDelay, message.progress.ownDelay)
      } else if (message.kind === 'failed') this.#settled?.reject(new Error(message.error))
      else this.#settled?.resolve()
    })
    this.#child.on('exit', () => this.#settled?.reject(new Error('the process of the load has ended')))
  }

  tell(message: ToLoad): void {
    this.#child.send(message)
  }

  done(message: ToLoad): Promise<void> {
    this.tell(message)
    return new Promise((resolve, reject) => {
      this.#settled = { resolve, reject }
    })
  }

  end(): void {
    this.#settled = undefined
    this.#child.kill()
  }
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}

function inMebibytes(bytes: number): string {
  return (bytes / mebibyte).toFixed(1)
}

async function soak(minutes: number, connections: number, publishers: number): Promise<readonly string[]> {
  const record = new Record()
  const broker = await SoakedBroker.start(Number(options.workers))
  const watcher = new Watcher(broker.folder, (sample) => record.add(sample))
  const load = new LoadProcess()
  try {
    watcher.open()
    const began = performance.now()
    const settings = {
      port: broker.port,
      connections,
      publishers,
      period: Number(options.period),
      changes: Number(options.changes),
    }
    await load.done({ kind: 'open', settings })
    const opened = (performance.now() - began) / 1000
    console.log(`${connections} connections, ${publishers} of them publishing, opened in ${opened.toFixed(1)} s`)
    load.tell({ kind: 'run' })
    const seconds = minutes * 60
    // Until everybody has sent something once, there is less in memory than later.
    await wait(Math.min(90, seconds / 4))

    const before = await watcher.live()
    record.begin()
    load.ownDelay = 0
    const start = { at: performance.now(), time: processorTime(broker.pid), ...load.progress }
    console.log(
      '\n| minute | RSS, MiB | heap, MiB | messages/s | longest stall, ms | failures |\n|---|---|---|---|---|---|',
    )
    const rows = Math.max(1, Math.min(20, Math.round(seconds / 15)))
    let last = { delivered: start.delivered ?? 0, stalls: 0 }
    for (let row = 1; row <= rows; row++) {
      await wait(seconds / rows)
      const { delivered = 0, failures = 0 } = load.progress ?? {}
      const longest = Math.max(0, ...record.stalls.slice(last.stalls).map(({ milliseconds }) => milliseconds))
      const rate = Math.round((delivered - last.delivered) / (seconds / rows))
      const heap = record
        .points('heap')
        .slice(-Math.ceil(seconds / rows))
        .map(({ value }) => value)
      console.log(
        `| ${((row * minutes) / rows).toFixed(1)} | ${inMebibytes(record.points('rss').at(-1)?.value ?? 0)} | ${inMebibytes(Math.min(...heap))} | ${rate} | ${longest.toFixed(0)} | ${failures} |`,
      )
      last = { delivered, stalls: record.stalls.length }
    }
    const elapsed = performance.now() - start.at
    const time = processorTime(broker.pid) - start.time
    const measured = load.progress
    const after = await watcher.live()
    await load.done({ kind: 'finish' })
    return report({
      record,
      load,
      before,
      after,
      elapsed,
      time,
      seconds,
      delivered: (measured?.delivered ?? 0) - (start.delivered ?? 0),
    })
  } finally {
    load.end()
    watcher.close()
    await broker.stop()
  }
}

interface Outcome {
  readonly record: Record
  readonly load: LoadProcess
  /** Bytes in use, garbage collected. */
  readonly before: number
  readonly after: number
  /** Milliseconds. */
  readonly elapsed: number
  /** Microseconds of processor time of the broker. */
  readonly time: number
  readonly seconds: number
  readonly delivered: number
}

/** Prints what was measured, and returns what is wrong with it. */
function report({ record, load, before, after, elapsed, time, seconds, delivered }: Outcome): string[] {
  const { changes = {}, failures = 0, firstFailures = [] } = load.progress ?? {}
  const stretch = Math.max(2, seconds / 30)
  const rss = record.points('rss')
  const growth = (what: 'rss' | 'heap'): number =>
    slope(what === 'heap' ? lowest(record.points('heap'), stretch) : lowest(rss, stretch)) * seconds
  const own = record.longest('own')
  const rows: [string, string][] = [
    ['deliveries checked', `${delivered} (${Math.round(delivered / (elapsed / 1000))} per second)`],
    [
      'clients that came, went or changed',
      Object.entries(changes)
        .map(([name, count]) => `${count} × ${name}`)
        .join(', '),
    ],
    ['lost, doubled, out of order, cut off', `${failures}`],
    ['processor time of the broker', `${(time / elapsed / 10).toFixed(1)} % of a core`],
    [
      'heap after a full collection, at the beginning and at the end',
      `${inMebibytes(before)} and ${inMebibytes(after)} MiB`,
    ],
    [
      'growth of the heap, of RSS (lowest values, fitted)',
      `${inMebibytes(growth('heap'))}, ${inMebibytes(growth('rss'))} MiB`,
    ],
    ['RSS at most', `${inMebibytes(Math.max(...rss.map(({ value }) => value)))} MiB`],
    [
      'garbage collection',
      `${((record.collecting / elapsed) * 100).toFixed(2)} % of the time, at most ${record.longestPause.toFixed(0)} ms`,
    ],
    ['longest stall of the loop', `${record.longest('milliseconds').toFixed(0)} ms`],
    ['the same without garbage collection', `${record.longest('notGarbage').toFixed(0)} ms`],
    ['the same without waiting for a core', `${own.toFixed(0)} ms`],
    ["longest delay of the load's own loop", `${load.ownDelay.toFixed(0)} ms`],
  ]
  console.log(`\n| ${(seconds / 60).toFixed(1)} minutes | |\n|---|---|`)
  for (const [name, value] of rows) console.log(`| ${name} | ${value} |`)
  const wrong = [...firstFailures]
  if (failures > firstFailures.length) wrong.push(`and ${failures - firstFailures.length} more`)
  if (own > longestStall) wrong.push(`the loop stood still for ${own.toFixed(0)} ms`)
  const grown = (name: string, by: number, of: number): void => {
    if (by > of / 10 + slack) wrong.push(`${name} grew by ${inMebibytes(by)} MiB`)
  }
  grown('the heap', after - before, before)
  grown('RSS', growth('rss'), rss[0]?.value ?? 0)
  return wrong
}

if (options.help) console.log(usage)
else {
  const connections = Number(options.connections ?? openFiles() - 500)
  const publishers = Math.min(Number(options.publishers), Math.floor(connections / 5))
  const wrong = await soak(Number(positionals[0] ?? 10), connections, publishers)
  for (const line of wrong) console.log(`\n✖ ${line}`)
  if (wrong.length === 0) console.log('\n✔ no growth, no stall, nothing lost')
  process.exitCode = wrong.length === 0 ? 0 : 1
}
