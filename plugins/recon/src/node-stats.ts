import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'
import type { CommandResult } from '@hookmq/api'

interface Sample {
  /** Share of the time in which the event loop had something to do. */
  readonly loop_utilization: number
  /** Milliseconds that a timer came late. */
  readonly loop_delay_p50: number
  readonly loop_delay_p99: number
  readonly loop_delay_max: number
  /** Bytes. */
  readonly heap_used: number
  readonly rss: number
  readonly external: number
  /** Milliseconds of processor time. */
  readonly cpu_user: number
  readonly cpu_system: number
  readonly gc_count: number
  /** Milliseconds. */
  readonly gc_time: number
  /** Sockets, timers and requests that keep the process busy. */
  readonly active_resources: number
}

/** Looks at the process `count` times, each over `interval` milliseconds. Rejects with what `wait` rejects with. */
export async function nodeStats(
  count: number,
  interval: number,
  wait: (milliseconds: number) => Promise<void>,
): Promise<CommandResult> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let collections: number[] = []
  const collector = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collections.push(duration)
  })
  collector.observe({ entryTypes: ['gc'] })
  delay.enable()
  const samples: Sample[] = []
  try {
    for (let index = 0; index < count; index++) {
      delay.reset()
      collections = []
      const cpu = process.cpuUsage()
      const utilization = performance.eventLoopUtilization()
      await wait(interval)
      const { heapUsed, rss, external } = process.memoryUsage()
      const { user, system } = process.cpuUsage(cpu)
      samples.push({
        loop_utilization: round(performance.eventLoopUtilization(utilization).utilization),
        // Nanoseconds; NaN or an absurd number before the first one was taken.
        loop_delay_p50: round(delay.count === 0 ? 0 : delay.percentile(50) / 1e6),
        loop_delay_p99: round(delay.count === 0 ? 0 : delay.percentile(99) / 1e6),
        loop_delay_max: round(delay.count === 0 ? 0 : delay.max / 1e6),
        heap_used: heapUsed,
        rss,
        external,
        cpu_user: round(user / 1000),
        cpu_system: round(system / 1000),
        gc_count: collections.length,
        gc_time: round(collections.reduce((sum, duration) => sum + duration, 0)),
        active_resources: process.getActiveResourcesInfo().length,
      })
    }
  } finally {
    delay.disable()
    collector.disconnect()
  }
  return { lines: samples.map(lineOf), json: samples }
}

function lineOf(sample: Sample): string {
  return Object.entries(sample)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
