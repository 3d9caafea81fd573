import type { StartSettings } from '../cli/assemble.ts'
import { type EffectiveConfig, loggerOptions } from '../config/read.ts'
import { lockDataDir } from '../control/lock.ts'
import { createLogger } from '../log/logger.ts'
import { Supervisor, WorkerFailed } from './supervisor.ts'

/** `hookmq start` with several workers: this process holds the data folder and looks after them; it serves nobody itself. */
export async function startWorkers(flags: StartSettings, config: EffectiveConfig): Promise<void> {
  const log = createLogger(loggerOptions(config))
  const lock = lockDataDir(config.dataDir)
  process.on('exit', () => lock.release())
  const supervisor = new Supervisor({ flags, config, log, count: config.workers.count })
  let stopping = false
  const stop = (signal: string): void => {
    if (stopping) {
      log.warn('stopped at once', { signal })
      supervisor.kill()
      return
    }
    stopping = true
    log.info('stopping', { signal })
    void supervisor.stop().then(async () => {
      log.info('stopped')
      await log.flush()
      process.exit(0)
    })
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGHUP', () => supervisor.signal('SIGHUP'))
  process.on('SIGUSR2', () => supervisor.signal('SIGUSR2'))
  process.on('exit', () => supervisor.kill())
  try {
    const listeners = await supervisor.start()
    for (const { id, address } of listeners) process.stdout.write(`listening ${id} on ${address}\n`)
    const places = listeners.map(({ id, address }) => `${address} (${id})`)
    process.stdout.write(`ready${places.length === 0 ? ' without listeners' : ` on ${places.join(', ')}`}\n`)
    log.info('all workers started', { workers: supervisor.names.length, pid: process.pid })
  } catch (error) {
    if (stopping) return
    await supervisor.stop()
    await log.flush()
    if (!(error instanceof WorkerFailed)) throw error
    process.exit(1)
  }
}
