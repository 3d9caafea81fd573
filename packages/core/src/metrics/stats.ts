import { type StatName, statTable } from './stat-table.ts'

/** Gauges: what there is now, and the highest value since the start. The values come from whoever owns them. */
export class Stats {
  readonly #gauges = new Map<StatName, { read: () => number; max: number }>()

  /** Says where a gauge's value comes from; the last one said holds. Returns what takes it back. */
  provide(name: StatName, read: () => number): () => void {
    const gauge = this.#gauges.get(name) ?? { read, max: 0 }
    const before = gauge.read
    gauge.read = read
    gauge.max = Math.max(gauge.max, read())
    this.#gauges.set(name, gauge)
    return () => {
      if (gauge.read === read) gauge.read = before === read ? () => 0 : before
    }
  }

  /**
   * Takes the present values into account for the maxima. Call it where a gauge may have peaked and on a timer: a maximum is
   * the highest of the values that were looked at.
   */
  sample(): void {
    for (const gauge of this.#gauges.values()) gauge.max = Math.max(gauge.max, gauge.read())
  }

  /** `NAME.count` and `NAME.max` of every gauge, in the table's order; 0 for those that nobody provides. */
  snapshot(): Record<string, number> {
    const values: Record<string, number> = {}
    for (const [name] of statTable) {
      const gauge = this.#gauges.get(name)
      const count = gauge?.read() ?? 0
      if (gauge !== undefined) gauge.max = Math.max(gauge.max, count)
      values[`${name}.count`] = count
      values[`${name}.max`] = gauge?.max ?? 0
    }
    return values
  }
}
