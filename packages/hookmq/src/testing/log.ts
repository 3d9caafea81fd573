import type { Logger } from '@hookmq/api'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  /** What the line says beside its message; lines of a plugin have `plugin`. */
  readonly fields: Readonly<Record<string, unknown>>
}

const limit = 10_000

/** Keeps what is logged, the last 10,000 lines. */
export function createTestLog(lines: LogLine[], bound: Readonly<Record<string, unknown>> = {}): Logger {
  const write = (level: LogLine['level']) => (message: string, fields?: Record<string, unknown>) => {
    lines.push({ level, message, fields: { ...bound, ...fields } })
    if (lines.length > limit) lines.shift()
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => createTestLog(lines, { ...bound, ...fields }),
  }
}
