import type { Logger } from '@hookmq/api'

/** A logger that keeps what it is given, one line each: message, then fields as JSON. */
export interface CollectedLog extends Logger {
  readonly text: string
}

export function collectLog(): CollectedLog {
  const lines: string[] = []
  const take = (message: string, fields?: Record<string, unknown>): void => {
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`)
  }
  const log: CollectedLog = {
    debug: take,
    info: take,
    warn: take,
    error: take,
    child: () => log,
    get text() {
      return lines.join('\n')
    },
  }
  return log
}
