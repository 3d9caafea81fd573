/**
 * Loaded into the broker's processes with --import when the soak watches them: memory, stalls of the event loop, and how much of each stall was garbage
 * collection or waiting for a core. Once a second one line of JSON for whoever is connected to PID.sock in HOOKMQ_SOAK_FOLDER; a line 'gc' in the
 * other direction has it collect all garbage and tell the heap that is left.
 */
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { constants, type NodeGCPerformanceDetail, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'
import type { Sample, Stall } from './sample.ts'

/** Milliseconds between two looks, and the lateness from which a look is a stall. */
const interval = 10
const late = 30

interface Pause {
  readonly from: number
  readonly to: number
  /** By whoever watches. */
  readonly asked: boolean
}

function watch(folder: string): void {
  let pauses: Pause[] = []
  let collecting = 0
  let longestPause = 0
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { readonly detail?: NodeGCPerformanceDetail })[]) {
      const { startTime, duration } = entry
      const flags = entry.detail?.flags ?? 0
      const asked = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0
      pauses.push({ from: startTime, to: startTime + duration, asked })
      if (asked) continue
      collecting += duration
      longestPause = Math.max(longestPause, duration)
    }
  }).observe({ entryTypes: ['gc'] })

  const listeners = new Set<Socket>()
  const server = createServer((socket) => {
    listeners.add(socket)
    socket.unref()
    socket.on('error', () => socket.destroy())
    socket.on('close', () => listeners.delete(socket))
    socket.on('data', () => tell(sample(true)))
  })
  server.listen(join(folder, `${process.pid}.sock`)).unref()

  let stalls: { readonly from: number; readonly to: number; readonly waited: number }[] = []
  let before = performance.now()
  let waitedBefore = waitedForCore()
  setInterval(() => {
    const now = performance.now()
    const waited = waitedForCore()
    if (now - before - interval > late) stalls.push({ from: before, to: now, waited: waited - waitedBefore })
    before = now
    waitedBefore = waited
  }, interval).unref()

  function sample(collect: boolean): Sample {
    if (collect) collectAll()
    const { rss, heapUsed } = process.memoryUsage()
    // The observer tells a pause a little after it: what has just happened is for the next time.
    const until = performance.now() - 200
    const told = stalls
      .filter(({ from, to }) => to < until && !pauses.some((one) => one.asked && overlap(one, from, to) > 0))
      .map(({ from, to, waited }): Stall => {
        const garbage = pauses.reduce((sum, one) => sum + overlap(one, from, to), 0)
        return { milliseconds: to - from - interval, garbage, waited }
      })
    const answer = {
      pid: process.pid,
      rss,
      heapUsed,
      collected: collect,
      collecting,
      longestPause,
      stalls: told,
    }
    stalls = stalls.filter(({ to }) => to >= until)
    pauses = pauses.filter(({ to }) => to > until - 10_000)
    collecting = 0
    longestPause = 0
    return answer
  }

  function tell(one: Sample): void {
    for (const socket of listeners) socket.write(`${JSON.stringify(one)}\n`)
  }

  setInterval(() => {
    if (listeners.size > 0) tell(sample(false))
  }, 1000).unref()
}

function overlap(pause: Pause, from: number, to: number): number {
  return Math.max(0, Math.min(pause.to, to) - Math.max(pause.from, from))
}

/** Milliseconds that this thread was ready to run and no core was free. 0 where the system does not tell. */
function waitedForCore(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[1]) / 1_000_000
  } catch {
    return 0
  }
}

function collectAll(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What the first one lets go of may hold other things.
  collect()
  collect()
}

const folder = process.env.HOOKMQ_SOAK_FOLDER
if (folder !== undefined && isMainThread) watch(folder)
