import type { ExHookVersion } from '@hookmq/exhook-proto'

/** What the recording provider does with one call. Plain data: it crosses to another process. */
export interface Answer {
  /** The reply message in base64; absent: EmptySuccess, or IGNORE where a value is expected. */
  readonly reply?: string
  /** A gRPC status instead of a reply. */
  readonly status?: { readonly code: number; readonly details: string }
  /** Milliseconds before it answers. */
  readonly delay?: number
  /** Answers only after `release`. */
  readonly hold?: boolean
  readonly metadata?: Readonly<Record<string, string>>
}

export interface Script {
  /** Services that are there; the others are UNIMPLEMENTED. Default: both. */
  readonly versions?: readonly ExHookVersion[]
  /** Default: 127.0.0.1:0. */
  readonly address?: string
  /** Hooks that it registers. Default: all 19, no topics. */
  readonly hooks?: readonly { readonly name: string; readonly topics?: readonly string[] }[]
  /** By name of the call, such as OnMessagePublish. */
  readonly answers?: Readonly<Record<string, Answer>>
  /** Decides as EMQX's own test server does: by user name and by sender (baduser, gooduser, normaluser). */
  readonly convention?: boolean
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string }
}

/** A call as it arrived. */
export interface Recorded {
  readonly version: ExHookVersion
  readonly call: string
  /** The request in base64. */
  readonly request: string
  readonly metadata: Readonly<Record<string, string>>
  /** Milliseconds that the caller gives it, at arrival; undefined: no deadline. */
  readonly deadline?: number
  /** Number of the connection that it came over, in the order of their first calls. */
  readonly connection: number
}

export type Order =
  | { readonly do: 'start' | 'script'; readonly script: Script }
  | { readonly do: 'calls' | 'release' | 'stop' | 'cancelled' }

/** One process has several servers; `id` says which one, `number` which question this is. */
export type Command = Order & { readonly id: number; readonly number: number }

export type Answered = { readonly port: number } | readonly Recorded[] | number | { readonly failed: string }

export interface Report {
  readonly number: number
  readonly report: Answered
}
