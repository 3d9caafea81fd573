import type { PeerCertificate } from '@hookmq/api'
import type { Endpoints } from '@hookmq/kit'
import type { StartSettings } from '../cli/assemble.ts'

/** What a worker is told first. */
export interface WorkerInit {
  readonly kind: 'init'
  readonly flags: StartSettings
  readonly name: string
  /** Of all workers, in the same order for each; the first one leads. */
  readonly names: readonly string[]
  /** For the sockets between them. */
  readonly folder: string
  /** Others that run: it waits for these. */
  readonly expected: readonly string[]
  /** Of the broker, milliseconds since the epoch. */
  readonly startedAt: number
}

/** A connection that one worker has accepted and another one owns; its handle comes with it. */
export interface HandedConnection {
  readonly kind: 'connection'
  readonly owner: string
  readonly listener: string
  readonly endpoints: Endpoints
  readonly certificate: PeerCertificate | undefined
  /** What was read of it. */
  readonly bytes: Uint8Array
  /** See `Cluster.handOver`. */
  readonly admission: unknown
}

/** From the supervisor. */
export type ToWorker = WorkerInit | HandedConnection | { readonly kind: 'bind' } | { readonly kind: 'watch' }

/** To the supervisor. `prepared`: everything runs but the listeners. */
export type FromWorker =
  | HandedConnection
  | { readonly kind: 'prepared' }
  | { readonly kind: 'ready'; readonly listeners: readonly { readonly id: string; readonly address: string }[] }
  | { readonly kind: 'failed' }
