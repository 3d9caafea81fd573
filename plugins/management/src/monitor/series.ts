/** One look at the broker: gauges as they are, counters as what was added since the look before. */
export interface Sample {
  /** Milliseconds since the epoch. */
  readonly time_stamp: number
  readonly connections: number
  readonly live_connections: number
  readonly topics: number
  readonly subscriptions: number
  readonly received: number
  readonly sent: number
  readonly dropped: number
}

const counters = ['received', 'sent', 'dropped'] as const

interface Ring {
  /** Milliseconds between two samples. */
  readonly step: number
  readonly limit: number
  readonly samples: Sample[]
}

/** Samples of the last seven days, the older the coarser: 10 s for an hour, 1 min for a day, 10 min for a week. */
export class Series {
  readonly #rings: readonly Ring[] = [
    { step: 10_000, limit: 360, samples: [] },
    { step: 60_000, limit: 1440, samples: [] },
    { step: 600_000, limit: 1008, samples: [] },
  ]

  add(sample: Sample): void {
    for (const { step, limit, samples } of this.#rings) {
      const last = samples.at(-1)
      if (last !== undefined && Math.floor(last.time_stamp / step) === Math.floor(sample.time_stamp / step)) {
        // The same stretch of time: gauges are replaced, counters add up.
        const sums = Object.fromEntries(counters.map((name) => [name, last[name] + sample[name]]))
        samples[samples.length - 1] = { ...sample, ...sums, time_stamp: last.time_stamp }
      } else {
        samples.push(sample)
        if (samples.length > limit) samples.shift()
      }
    }
  }

  /** Those since then, as fine as they were kept for so long. */
  since(time: number, now: number): readonly Sample[] {
    const fits = this.#rings.find(({ step, limit }) => now - time <= step * limit) ?? this.#rings.at(-1)
    return fits?.samples.filter(({ time_stamp }) => time_stamp >= time) ?? []
  }

  get latest(): Sample | undefined {
    return this.#rings[0]?.samples.at(-1)
  }
}
