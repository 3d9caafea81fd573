import { HookmqError } from '../errors.ts'

/** What a client of the control socket sends: one line of JSON per connection. */
export interface ControlRequest {
  /** The words after `ctl`. */
  readonly args: readonly string[]
  readonly json: boolean
  /** Wanted are the words that could stand where the last of `args` stands, instead of running anything. */
  readonly complete?: boolean
}

/** One line of the answer. Lines come in portions; the last one has the exit code. */
export type ControlAnswer =
  | { readonly lines: readonly string[] }
  | { readonly exitCode: number; readonly json?: unknown }

/** Bytes of a request. A command line of this length does not fit into most shells either. */
export const maxRequestBytes = 64 * 1024
/** Milliseconds that a client may take to send its request. */
export const requestTimeout = 5000
/** Milliseconds that a command may take. Loading a plugin can wait for a database. */
export const commandTimeout = 120_000
/** Lines of one portion of the answer. */
export const portion = 1000

export const exitCodes = {
  ok: 0,
  /** The broker does not answer, or the command failed in a way that nobody foresaw. */
  failed: 1,
  /** An unknown command, or words that the command does not understand. */
  usage: 2,
} as const

/** Reads a request. Throws a HookmqError that says what is wrong with it. */
export function parseRequest(line: string): ControlRequest {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw invalid('expected one line of JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('expected an object')
  const { args, json = false, complete = false } = value as Record<string, unknown>
  if (!Array.isArray(args) || !args.every((word): word is string => typeof word === 'string'))
    throw invalid('args: expected a list of strings')
  if (typeof json !== 'boolean') throw invalid('json: expected true or false')
  if (typeof complete !== 'boolean') throw invalid('complete: expected true or false')
  return { args, json, complete }
}

function invalid(what: string): HookmqError {
  return new HookmqError('REQUEST_INVALID', `control request: ${what}`)
}
