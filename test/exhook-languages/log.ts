import type { Logger } from 'hookmq'

/** A log that is kept as text, one line per entry. */
export function collectingLog(): { log: Logger; text(): string } {
  let text = ''
  const write =
    (level: string) =>
    (message: string, fields?: object): void => {
      text += `${level} ${message} ${JSON.stringify(fields ?? {})}\n`
    }
  const log: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  return { log, text: () => text }
}
