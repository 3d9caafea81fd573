import type { RecordedEvent } from '../record/format.ts'

/** What the events of one hook came to. Times in milliseconds. */
export interface HookStatistics {
  readonly hook: string
  readonly events: number
  /** Verdicts by their result, the most frequent first. */
  readonly results: Readonly<Record<string, number>>
  /** Events for which the target was not asked. */
  readonly notAsked: number
  readonly p50: number | undefined
  readonly p99: number | undefined
}

/** Times of one hook that are kept; beyond that, each new one takes the place of some other. */
const mostTimes = 10_000

class Tally {
  events = 0
  notAsked = 0
  readonly results = new Map<string, number>()
  readonly #times: number[] = []
  #timed = 0

  add({ verdict, took }: RecordedEvent): void {
    this.events++
    const result = verdict?.result ?? 'told'
    this.results.set(result, (this.results.get(result) ?? 0) + 1)
    if (verdict?.answer === 'not asked') this.notAsked++
    else if (took !== undefined) this.#keep(took)
  }

  /** Reservoir sampling: each time has the same chance to be among those that are kept. */
  #keep(took: number): void {
    const place = this.#timed++ < mostTimes ? this.#times.length : Math.floor(Math.random() * this.#timed)
    if (place < mostTimes) this.#times[place] = took
  }

  quantile(share: number): number | undefined {
    const sorted = this.#times.toSorted((one, other) => one - other)
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  }
}

export class Statistics {
  readonly #tallies = new Map<string, Tally>()

  add(event: RecordedEvent): void {
    let tally = this.#tallies.get(event.hook)
    if (tally === undefined) {
      tally = new Tally()
      this.#tallies.set(event.hook, tally)
    }
    tally.add(event)
  }

  get hooks(): HookStatistics[] {
    return [...this.#tallies].map(([hook, tally]) => ({
      hook,
      events: tally.events,
      results: Object.fromEntries([...tally.results].sort(([, one], [, other]) => other - one)),
      notAsked: tally.notAsked,
      p50: tally.quantile(0.5),
      p99: tally.quantile(0.99),
    }))
  }

  get events(): number {
    return this.hooks.reduce((sum, { events }) => sum + events, 0)
  }

  get errors(): number {
    return this.hooks.reduce((sum, { results }) => sum + (results.error ?? 0), 0)
  }
}

export function statisticsLines(hooks: readonly HookStatistics[]): string[] {
  const rows = hooks.map(({ hook, events, results, notAsked, p50, p99 }) => [
    hook,
    String(events),
    Object.entries(results)
      .map(([result, count]) => `${result} ${count}`)
      .join(', ') + (notAsked > 0 ? ` (not asked ${notAsked})` : ''),
    time(p50),
    time(p99),
  ])
  const all = [['HOOK', 'EVENTS', 'VERDICTS', 'P50 MS', 'P99 MS'], ...rows]
  const widths = all[0].map((_, column) => Math.max(...all.map((cells) => cells[column].length)))
  return all.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 || column === 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      )
      .join('  ')
      .trimEnd(),
  )
}

function time(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : milliseconds.toFixed(milliseconds < 10 ? 2 : 0)
}
