import type { Point } from './growth.ts'
import { ownPart, type Sample, type Stall } from './sample.ts'

interface Second {
  rss: number
  heap: number
}

/** What the probes told while it was measured, all processes together. */
export class Record {
  readonly #seconds: Second[] = []
  readonly #last = new Map<number, Sample>()
  #began = 0
  collecting = 0
  longestPause = 0
  readonly stalls: Stall[] = []

  begin(): void {
    this.#began = performance.now()
    this.#seconds.length = 0
    this.stalls.length = 0
    this.collecting = 0
    this.longestPause = 0
  }

  add(sample: Sample): void {
    this.#last.set(sample.pid, sample)
    // Asked for by the measurement itself.
    if (sample.collected) return
    this.collecting += sample.collecting
    this.longestPause = Math.max(this.longestPause, sample.longestPause)
    this.stalls.push(...sample.stalls)
    const second = Math.floor((performance.now() - this.#began) / 1000)
    const all = [...this.#last.values()]
    this.#seconds[second] = {
      rss: all.reduce((sum, { rss }) => sum + rss, 0),
      heap: all.reduce((sum, { heapUsed }) => sum + heapUsed, 0),
    }
  }

  points(what: keyof Second): Point[] {
    return this.#seconds.flatMap((second, at) => (second === undefined ? [] : [{ at, value: second[what] }]))
  }

  longest(part: 'milliseconds' | 'notGarbage' | 'own'): number {
    const read = (stall: Stall): number => {
      if (part === 'own') return ownPart(stall)
      return part === 'notGarbage' ? Math.max(0, stall.milliseconds - stall.garbage) : stall.milliseconds
    }
    return this.stalls.reduce((longest, stall) => Math.max(longest, read(stall)), 0)
  }
}
