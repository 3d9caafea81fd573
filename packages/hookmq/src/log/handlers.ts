import type { LogHandlerView } from '@hookmq/api'
import { type LogLevel, logLevels, thresholds } from './levels.ts'

interface Handler {
  readonly id: string
  readonly destination: string
  readonly stream: { write(line: string): unknown }
  level: LogLevel
  running: boolean
}

/** Asks pino to set `lastLevel` before each line. */
const metadata = Symbol.for('pino.metadata')

/** What pino writes to: hands each line to the places that want its level. */
export class LogHandlers {
  readonly [metadata] = true
  lastLevel = 0
  readonly #handlers: Handler[] = []

  add(id: string, destination: string, stream: Handler['stream']): void {
    this.#handlers.push({ id, destination, stream, level: 'debug', running: true })
  }

  write(line: string): void {
    for (const { stream, level, running } of this.#handlers)
      if (running && this.lastLevel >= thresholds[level]) stream.write(line)
  }

  list(): LogHandlerView[] {
    return this.#handlers.map(({ id, level, destination, running }) => ({ id, level, destination, running }))
  }

  set(id: string, change: { readonly level?: string; readonly running?: boolean }): boolean {
    const handler = this.#handlers.find((one) => one.id === id)
    if (handler === undefined) return false
    const level = logLevels.find((one) => one === change.level)
    if (change.level !== undefined && level === undefined)
      throw new TypeError(`log level must be one of ${logLevels.join(', ')}, got '${change.level}'`)
    handler.level = level ?? handler.level
    handler.running = change.running ?? handler.running
    return true
  }
}
