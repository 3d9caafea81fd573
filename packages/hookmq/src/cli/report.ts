import { HookmqError, messageOf } from '../errors.ts'

/** One line per fault. A stack only for what nobody foresaw: that is a bug, and the stack is its report. */
export function report(error: unknown): void {
  if (error instanceof HookmqError || (error instanceof Error && error.name === 'ConfigError')) {
    const all = (error as { all?: readonly Error[] }).all ?? [error]
    for (const one of all) process.stderr.write(`hookmq: ${messageOf(one)}\n`)
    return
  }
  process.stderr.write(`hookmq: internal error: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`)
}
