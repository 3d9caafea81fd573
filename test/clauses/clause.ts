/** Whom a statement of the specification binds. */
type Binds = 'server' | 'client' | 'both'

export interface Clause {
  /** As it stands in a tag: 'MQTT-3.3.1-5', or 'MQTT-3.3.1-5 v3.1.1'. */
  readonly id: string
  readonly binds: Binds
  /** Our own words. */
  readonly summary: string
  /** Why no test and no line of code can carry it. */
  readonly untaggable?: string
}

export type Row = readonly [number: string, binds: Binds, summary: string, untaggable?: string]

export function clauses(suffix: string, rows: readonly Row[]): readonly Clause[] {
  return rows.map(([number, binds, summary, untaggable]) => ({
    id: `MQTT-${number}${suffix}`,
    binds,
    summary,
    untaggable,
  }))
}
