import type { ProviderHandle } from '@hookmq/api'

/** Milliseconds between two looks at the counters. */
export const rateInterval = 5000

export interface HookMetrics {
  readonly succeed: number
  readonly failed: number
  /** Calls a second in the last five seconds, rounded up. */
  readonly rate: number
  readonly max_rate: number
}

interface Count {
  /** Of handles that are gone. */
  pastSucceeded: number
  pastFailed: number
  /** At the last look. */
  seen: number
  rate: number
  maxRate: number
}

export const noMetrics: HookMetrics = { succeed: 0, failed: 0, rate: 0, max_rate: 0 }

/** What became of the calls of one server, by hook: totals from its first load on, and rates. */
export class Rates {
  readonly #counts = new Map<string, Count>()

  /** Every `rateInterval`. */
  tick(handle: ProviderHandle | undefined): void {
    for (const { point, succeeded, failures } of handle?.hooks ?? []) {
      const count = this.#count(point)
      const total = count.pastSucceeded + count.pastFailed + succeeded + failures
      count.rate = Math.ceil((total - count.seen) / (rateInterval / 1000))
      count.maxRate = Math.max(count.maxRate, count.rate)
      count.seen = total
    }
  }

  /** The handle is about to be replaced or detached: another one counts from 0. */
  keep(handle: ProviderHandle | undefined): void {
    for (const { point, succeeded, failures } of handle?.hooks ?? []) {
      const count = this.#count(point)
      count.pastSucceeded += succeeded
      count.pastFailed += failures
    }
  }

  of(handle: ProviderHandle | undefined, point: string): HookMetrics {
    const count = this.#counts.get(point)
    const hook = handle?.hooks.find((one) => one.point === point)
    return {
      succeed: (count?.pastSucceeded ?? 0) + (hook?.succeeded ?? 0),
      failed: (count?.pastFailed ?? 0) + (hook?.failures ?? 0),
      rate: count?.rate ?? 0,
      max_rate: count?.maxRate ?? 0,
    }
  }

  /** Of all hooks: totals are sums, rates the integer mean, as in EMQX. */
  total(handle: ProviderHandle | undefined): HookMetrics {
    const points = new Set([...this.#counts.keys(), ...(handle?.points ?? [])])
    return aggregate([...points].map((point) => this.of(handle, point)))
  }

  #count(point: string): Count {
    let count = this.#counts.get(point)
    if (count === undefined) {
      count = { pastSucceeded: 0, pastFailed: 0, seen: 0, rate: 0, maxRate: 0 }
      this.#counts.set(point, count)
    }
    return count
  }
}

function aggregate(list: readonly HookMetrics[]): HookMetrics {
  if (list.length === 0) return noMetrics
  const sum = (field: keyof HookMetrics): number => list.reduce((total, one) => total + one[field], 0)
  return {
    succeed: sum('succeed'),
    failed: sum('failed'),
    rate: Math.trunc(sum('rate') / list.length),
    max_rate: Math.trunc(sum('max_rate') / list.length),
  }
}
