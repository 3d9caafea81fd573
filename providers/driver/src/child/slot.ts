import type { Logger } from '@hookmq/api'
import type { CallbackSpec, Codec, InitReply } from '../codec.ts'
import type { Launch } from '../language.ts'
import { DriverError } from './errors.ts'
import { DriverProcess } from './process.ts'
import type { ProcessSettings } from './settings.ts'

export interface SlotSettings extends ProcessSettings {
  /** Milliseconds before the first start after an end; doubled with each one that fails. */
  readonly restartDelay: number
  readonly maxRestartDelay: number
}

export interface SlotParts {
  readonly log: Logger
  readonly launch: Launch
  readonly codec: () => Codec
  /** After a restart the handler named other callbacks than before: those that are in force do not fit it. */
  readonly changed: () => void
}

/** A place in a pool: one process, started again whenever it ends. */
export class Slot {
  readonly #settings: SlotSettings
  readonly #parts: SlotParts
  #process: DriverProcess | undefined
  #first: readonly CallbackSpec[] | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #stopped = false
  #why = 'has not been started'
  restarts = 0
  #timeouts = 0

  constructor(settings: SlotSettings, parts: SlotParts) {
    this.#settings = settings
    this.#parts = parts
  }

  /** undefined: there is none at the moment, and `absence` says why. */
  get process(): DriverProcess | undefined {
    return this.#process
  }

  get absence(): string {
    return `the process ${this.#why}`
  }

  get timeouts(): number {
    return this.#timeouts + (this.#process?.timeouts ?? 0)
  }

  /** The first start: rejects when it fails, and is not repeated then. */
  async start(): Promise<InitReply> {
    const { process, reply } = await this.#launch()
    this.#first = reply.callbacks
    this.#use(process)
    return reply
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#process?.stop()
  }

  async #launch(): Promise<{ process: DriverProcess; reply: InitReply }> {
    const { log, launch, codec } = this.#parts
    const process = new DriverProcess(this.#settings, {
      log,
      launch,
      codec: codec(),
      ended: (problem) => this.#ended(process, problem),
    })
    const reply = await process.start()
    return { process, reply }
  }

  #use(process: DriverProcess): void {
    this.#process = process
    this.#failures = 0
  }

  #ended(process: DriverProcess, problem: string): void {
    // One that never was in use: `start` of it has failed, and who started it knows.
    if (process !== this.#process) return
    this.#process = undefined
    this.#timeouts += process.timeouts
    this.#why = problem
    if (this.#stopped) return
    const { name } = this.#settings
    const delay = this.#delay()
    this.#parts.log.error(`driver ${name}: the process ${problem}; it is started again in ${delay} ms`, {
      driver: name,
      pid: process.processId,
    })
    this.#later(delay)
  }

  #later(delay: number): void {
    this.#timer = setTimeout(() => void this.#again(), delay)
    this.#timer.unref()
  }

  async #again(): Promise<void> {
    const { name } = this.#settings
    const { log } = this.#parts
    this.restarts++
    try {
      const { process, reply } = await this.#launch()
      if (this.#stopped) {
        await process.stop()
        return
      }
      if (!sameCallbacks(reply.callbacks, this.#first ?? [])) {
        log.warn(`driver ${name}: the handler names other hooks than before its process ended; it is loaded anew`, {
          driver: name,
        })
        await process.stop()
        this.#parts.changed()
        return
      }
      this.#use(process)
      log.info(`driver ${name}: the process runs again`, { driver: name, pid: process.processId })
    } catch (error) {
      if (this.#stopped) return
      this.#failures++
      const delay = this.#delay()
      this.#why = 'could not be started again'
      log.error(`${error instanceof DriverError ? error.message : String(error)}; tried again in ${delay} ms`, {
        driver: name,
      })
      this.#later(delay)
    }
  }

  #delay(): number {
    const { restartDelay, maxRestartDelay } = this.#settings
    return Math.min(maxRestartDelay, restartDelay * 2 ** Math.min(this.#failures, 20))
  }
}

function sameCallbacks(one: readonly CallbackSpec[], other: readonly CallbackSpec[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
