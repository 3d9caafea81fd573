import { fstatSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger, LogHandlerView } from '@hookmq/api'
import pino from 'pino'
import pretty from 'pino-pretty'
import { HookmqError, messageOf } from '../errors.ts'
import { LogHandlers } from './handlers.ts'
import { type LogLevel, logLevels, thresholds } from './levels.ts'

// Nothing in the broker hands these to a logger; the list is the second lock on the same door.
const secretFields = ['password', '*.password', 'payload', '*.payload', 'authenticationData', '*.authenticationData']

export interface LoggerOptions {
  /** Default 'info'. */
  level?: LogLevel
  /** 'auto' (default): 'pretty' on a terminal, JSON lines elsewhere. */
  format?: 'auto' | 'pretty' | 'json'
  /** File descriptor to write to; false: none. Default 2, standard error. */
  fd?: number | false
  /** A file to append to, as JSON lines unless the format is 'pretty'. Its folder is created. */
  file?: string
}

/** A logger whose level, and that of all its children, can be changed while it runs. */
export interface AdjustableLogger extends Logger {
  level: LogLevel
  /** Where the log goes; each place has a level of its own beside the one above. */
  handlers(): readonly LogHandlerView[]
  /** false: no such handler. Throws for a level that there is not. */
  setHandler(id: string, change: { readonly level?: string; readonly running?: boolean }): boolean
  /**
   * Resolves when what is buffered has been written; call it last, before the process exits. Gives up after half a second, and on
   * that output for good: a reader who stands still or is gone must not keep the process.
   */
  flush(): Promise<void>
}

interface Shared {
  level: LogLevel
  threshold: number
  readonly handlers: LogHandlers
  flush(): Promise<void>
}

class PinoLogger implements AdjustableLogger {
  readonly #pino: pino.Logger
  // Shared with all children: pino's own levels are copied at child(), so a later change would not reach them.
  readonly #shared: Shared

  constructor(inner: pino.Logger, shared: Shared) {
    this.#pino = inner
    this.#shared = shared
  }

  get level(): LogLevel {
    return this.#shared.level
  }

  set level(level: LogLevel) {
    if (thresholds[level] === undefined)
      throw new TypeError(`log level must be one of ${logLevels.join(', ')}, got '${String(level)}'`)
    this.#shared.level = level
    this.#shared.threshold = thresholds[level]
  }

  debug(message: string, fields?: Record<string, unknown>): void {
    if (this.#shared.threshold <= 20) this.#pino.debug(fields ?? {}, message)
  }

  info(message: string, fields?: Record<string, unknown>): void {
    if (this.#shared.threshold <= 30) this.#pino.info(fields ?? {}, message)
  }

  warn(message: string, fields?: Record<string, unknown>): void {
    if (this.#shared.threshold <= 40) this.#pino.warn(fields ?? {}, message)
  }

  error(message: string, fields?: Record<string, unknown>): void {
    if (this.#shared.threshold <= 50) this.#pino.error(fields ?? {}, message)
  }

  child(fields: Record<string, unknown>): PinoLogger {
    return new PinoLogger(this.#pino.child(fields), this.#shared)
  }

  handlers(): readonly LogHandlerView[] {
    return this.#shared.handlers.list()
  }

  setHandler(id: string, change: { readonly level?: string; readonly running?: boolean }): boolean {
    return this.#shared.handlers.set(id, change)
  }

  flush(): Promise<void> {
    return this.#shared.flush()
  }
}

/**
 * A logger on standard error: readable text on a terminal, one JSON object per line elsewhere. Throws a HookmqError when the
 * file cannot be opened.
 */
export function createLogger(options: LoggerOptions = {}): AdjustableLogger {
  const { fd = 2, format = 'auto', file } = options
  const outputs: SonicBoom[] = []
  const handlers = new LogHandlers()
  const add = (id: string, destination: string, dest: number, terminal: boolean): void => {
    // A reader of our log who stands still must not stop the broker: asynchronous, and beyond this many bytes lines are dropped. A file
    // has no such reader; written at once, its lines stay in order up to the last one before the process exits.
    const output = pino.destination({ dest, sync: isFile(dest), maxLength: 8 * 1024 * 1024 })
    // A closed terminal or pipe is no reason to die.
    output.on('error', () => {})
    outputs.push(output)
    const readable = format === 'pretty' || (format === 'auto' && terminal)
    const stream = readable
      ? pretty({ destination: output, colorize: terminal, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
      : output
    handlers.add(id, destination, stream)
  }
  if (fd !== false)
    add('console', fd === 2 ? 'standard error' : `descriptor ${fd}`, fd, fd === 2 && process.stderr.isTTY === true)
  if (file !== undefined) add('file', file, openLogFile(file), false)
  const inner = pino(
    {
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
      redact: { paths: secretFields, censor: '[hidden]' },
    },
    handlers,
  )
  const shared: Shared = {
    level: 'info',
    threshold: thresholds.info,
    handlers,
    flush: () => flushAll(outputs),
  }
  const logger = new PinoLogger(inner, shared)
  logger.level = options.level ?? 'info'
  return logger
}

type SonicBoom = ReturnType<typeof pino.destination>

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile()
  } catch {
    return false
  }
}

/** Milliseconds. */
const flushTimeout = 500

async function flushAll(outputs: readonly SonicBoom[]): Promise<void> {
  // What makes lines readable hands them on in a later turn.
  await new Promise((resolve) => setImmediate(resolve))
  const unwritten = new Set(outputs)
  const written = outputs.map(
    (output) =>
      new Promise<void>((resolve) =>
        output.flush(() => {
          unwritten.delete(output)
          resolve()
        }),
      ),
  )
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, flushTimeout)
    void Promise.all(written).then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
  // At exit the library would try again, without end when the reader is gone.
  for (const output of unwritten) output.destroy()
}

function openLogFile(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true })
    return openSync(file, 'a')
  } catch (error) {
    throw new HookmqError('CONFIG_INVALID', `log.file: cannot write to ${file}: ${messageOf(error)}`)
  }
}
