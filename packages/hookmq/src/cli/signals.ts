import type { HookmqBroker } from '../broker/hookmq.ts'
import type { LogLevel } from '../log/levels.ts'
import type { AdjustableLogger } from '../log/logger.ts'
import type { Reloaded } from './assemble.ts'

/** Milliseconds that clients and plugins get to end in good order, and how much later the process ends without them. */
const stopTimeout = 3000
const hardTimeout = stopTimeout + 2000

export interface Supervision {
  readonly stopping: boolean
  /** Signals act as if this had never been. */
  release(): void
}

/** Ties the process to its broker: signals stop it, reload it, change its log level; a stray error does not go unseen. */
export function superviseSignals(
  broker: HookmqBroker,
  log: AdjustableLogger,
  reload: () => Promise<Reloaded>,
): Supervision {
  let stopping = false

  const exit = (code: number): void => {
    void log.flush().finally(() => process.exit(code))
  }

  const stop = (signal: string, code: number): void => {
    if (stopping) {
      log.warn('stopped at once', { signal })
      exit(1)
      return
    }
    stopping = true
    log.info('stopping', { signal })
    setTimeout(() => {
      log.warn('clients or plugins did not end in time; stopped without them', { milliseconds: hardTimeout })
      exit(code)
    }, hardTimeout).unref()
    broker.stop(stopTimeout).then(
      () => {
        log.info('stopped')
        exit(code)
      },
      (error: unknown) => {
        log.error('stopping failed', { error })
        exit(1)
      },
    )
  }

  let before: LogLevel = log.level === 'debug' ? 'info' : log.level
  const toggleDebug = (): void => {
    if (log.level === 'debug') {
      log.level = before
    } else {
      before = log.level
      log.level = 'debug'
    }
    log.info('log level changed', { level: log.level })
  }

  const hangUp = (): void => {
    void reload().then(({ done, failed }) => {
      log.info('reloaded', { what: done.join(', ') || 'nothing' })
      for (const reason of failed) log.error('not reloaded; what was there before stays', { reason })
    })
  }

  const rejected = (error: unknown): void => log.error('a promise was rejected and nobody handled it', { error })
  const thrown = (error: unknown): void => {
    log.error('an exception that nobody caught; the broker stops', { error })
    stop('exception', 1)
  }

  const handlers: readonly (readonly [string, (argument: never) => void])[] = [
    ['SIGTERM', () => stop('SIGTERM', 0)],
    ['SIGINT', () => stop('SIGINT', 0)],
    ['SIGHUP', hangUp],
    ['SIGUSR2', toggleDebug],
    ['unhandledRejection', rejected],
    ['uncaughtException', thrown],
  ]
  for (const [event, handler] of handlers) process.on(event, handler as (...args: unknown[]) => void)

  return {
    get stopping() {
      return stopping
    },
    release() {
      for (const [event, handler] of handlers) process.off(event, handler as (...args: unknown[]) => void)
    },
  }
}
