/** What the process of the load is told first. */
export interface LoadSettings {
  readonly port: number
  readonly connections: number
  readonly publishers: number
  /** Seconds between two messages of one publisher. */
  readonly period: number
  /** Clients that come, go or change something, a second. */
  readonly changes: number
}

export interface Progress {
  readonly connected: number
  readonly published: number
  readonly delivered: number
  /** Actions that ended, by name. */
  readonly changes: Readonly<Record<string, number>>
  readonly failures: number
  readonly firstFailures: readonly string[]
  /** Published, acknowledged or at QoS 0, and not delivered yet. */
  readonly missing: number
  /** The longest delay of the load's own loop since the last time, milliseconds. */
  readonly ownDelay: number
}

/** 'run': messages and changes begin. 'finish': they end, and what is under way arrives. */
export type ToLoad = { readonly kind: 'open'; readonly settings: LoadSettings } | { readonly kind: 'run' | 'finish' }

export type FromLoad =
  | { readonly kind: 'opened' | 'finished' }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'progress'; readonly progress: Progress }
