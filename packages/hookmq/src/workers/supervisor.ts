import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@hookmq/api'
import type { StartSettings } from '../cli/assemble.ts'
import type { EffectiveConfig } from '../config/read.ts'
import { maxSocketPath } from '../control/path.ts'
import { type ConnectionHandle, sendHandle } from './hand-over.ts'
import type { FromWorker, HandedConnection, ToWorker } from './messages.ts'
import { type ReservedPorts, reservePorts } from './ports.ts'

const entry = fileURLToPath(new URL('./main.ts', import.meta.url))

/** Milliseconds until a worker that ended is started again: doubled each time, back to the first when it has run for a while. */
const firstDelay = 100
const longestDelay = 10_000
const steady = 60_000

/** Milliseconds that the workers get to stop; more than each of them takes for itself. */
const stopTimeout = 7000

/** Connections that wait for a worker which is just starting. */
const mostWaiting = 1000

interface Worker {
  readonly name: string
  child: ChildProcess | undefined
  state: 'away' | 'starting' | 'prepared' | 'ready'
  startedAt: number
  delay: number
  readonly waiting: { readonly message: HandedConnection; readonly handle: ConnectionHandle }[]
}

export interface SupervisorOptions {
  readonly flags: StartSettings
  readonly config: EffectiveConfig
  readonly log: Logger
  readonly count: number
}

/** Starts the workers of a broker, starts them again when they end, carries connections between them, and stops them. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #workers: readonly Worker[]
  readonly #names: readonly string[]
  readonly #folder: string
  readonly #startedAt = Date.now()
  #settings: readonly string[] = []
  #ports: ReservedPorts | undefined
  #booted = false
  #stopping: Promise<void> | undefined
  #changed = (): void => {}
  #listeners: readonly { readonly id: string; readonly address: string }[] = []

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#names = Array.from({ length: options.count }, (_, index) => `worker${index + 1}`)
    this.#workers = this.#names.map((name) => ({
      name,
      child: undefined,
      state: 'away',
      startedAt: 0,
      delay: firstDelay,
      waiting: [],
    }))
    this.#folder = socketFolder(options.config.dataDir)
  }

  get names(): readonly string[] {
    return this.#names
  }

  /** Resolves to the listeners once all workers serve; rejects when one of them cannot start, which has said why. */
  async start(): Promise<readonly { readonly id: string; readonly address: string }[]> {
    this.#ports = await reservePorts(this.#options.config.listeners)
    this.#settings = this.#ports.settings
    // The first one makes what is new in a data folder, and says what is wrong with a plugin once instead of several times.
    const [first, ...others] = this.#workers
    this.#spawn(first, [])
    await this.#until(() => first.state === 'prepared')
    for (const worker of others) this.#spawn(worker, this.#names)
    await this.#until(() => this.#workers.every(({ state }) => state === 'prepared'))
    for (const worker of this.#workers) this.#send(worker, { kind: 'bind' })
    await this.#until(() => this.#workers.every(({ state }) => state === 'ready'))
    this.#booted = true
    this.#ports.release()
    return this.#listeners
  }

  /** Ends all workers in good order; those that do not end are killed. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  signal(signal: 'SIGHUP' | 'SIGUSR2'): void {
    for (const { child } of this.#workers) child?.kill(signal)
  }

  /** At once. */
  kill(): void {
    for (const { child } of this.#workers) child?.kill('SIGKILL')
  }

  async #stop(): Promise<void> {
    this.#ports?.release()
    this.#changed()
    const ended = this.#workers.map(({ child }) => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return undefined
      child.kill('SIGTERM')
      return new Promise<void>((resolve) => child.once('exit', () => resolve()))
    })
    const timer = setTimeout(() => this.kill(), stopTimeout)
    await Promise.all(ended)
    clearTimeout(timer)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #spawn(worker: Worker, expected: readonly string[]): void {
    const { flags } = this.#options
    const child = fork(entry, [], {
      // Ctrl-C on the terminal is for the supervisor, which tells the workers.
      detached: true,
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    worker.child = child
    worker.state = 'starting'
    worker.startedAt = performance.now()
    child.on('message', (message: FromWorker, handle?: unknown) =>
      this.#take(worker, message, handle as ConnectionHandle),
    )
    child.on('error', (error) => this.#options.log.error('a worker cannot be reached', { worker: worker.name, error }))
    child.on('exit', (code, signal) => this.#ended(worker, code, signal))
    this.#send(worker, {
      kind: 'init',
      flags: { ...flags, set: [...(flags.set ?? []), ...this.#settings] },
      name: worker.name,
      names: this.#names,
      folder: this.#folder,
      expected,
      startedAt: this.#startedAt,
    })
  }

  #take(worker: Worker, message: FromWorker, handle: ConnectionHandle | undefined): void {
    switch (message.kind) {
      case 'connection':
        if (handle !== undefined) this.#carry(message, handle)
        return
      case 'prepared':
        worker.state = 'prepared'
        if (this.#booted) this.#send(worker, { kind: 'bind' })
        break
      case 'ready':
        worker.state = 'ready'
        this.#listeners = message.listeners
        for (const { message: connection, handle: waiting } of worker.waiting.splice(0))
          this.#carry(connection, waiting)
        if (this.#booted) this.#options.log.info('a worker is back', { worker: worker.name })
    }
    this.#changed()
  }

  #carry(message: HandedConnection, handle: ConnectionHandle): void {
    const worker = this.#workers.find(({ name }) => name === message.owner)
    if (worker?.state === 'ready' && worker.child !== undefined) return sendHandle(worker.child, message, handle)
    if (worker === undefined || worker.state === 'away' || worker.waiting.length >= mostWaiting) handle.close()
    else worker.waiting.push({ message, handle })
  }

  #ended(worker: Worker, code: number | null, signal: NodeJS.Signals | null): void {
    worker.child = undefined
    worker.state = 'away'
    for (const { handle } of worker.waiting.splice(0)) handle.close()
    this.#changed()
    if (this.#stopping !== undefined || !this.#booted) return
    if (performance.now() - worker.startedAt > steady) worker.delay = firstDelay
    const { delay } = worker
    worker.delay = Math.min(2 * delay, longestDelay)
    this.#options.log.error('a worker has ended; it is started again', {
      worker: worker.name,
      ...(signal === null ? { exitCode: code } : { signal }),
      milliseconds: delay,
    })
    setTimeout(() => {
      if (this.#stopping !== undefined) return
      const expected = this.#workers.filter(({ state }) => state === 'ready').map(({ name }) => name)
      this.#spawn(worker, expected)
    }, delay)
  }

  #send(worker: Worker, message: ToWorker): void {
    if (worker.child?.connected === true) worker.child.send(message, () => {})
  }

  /** Rejects when a worker ends before. */
  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (condition()) {
          this.#changed = () => {}
          resolve()
        } else if (
          this.#stopping !== undefined ||
          this.#workers.some((one) => one.startedAt > 0 && one.state === 'away')
        ) {
          this.#changed = () => {}
          reject(new WorkerFailed())
        }
      }
      this.#changed = look
      look()
    })
  }
}

/** A worker could not start; it has said why. */
export class WorkerFailed extends Error {}

/** In the data folder, unless its path is too long for a socket. */
function socketFolder(dataDir: string): string {
  const folder = join(dataDir, 'workers')
  if (Buffer.byteLength(join(folder, 'worker64.relay')) > maxSocketPath) return mkdtempSync(join(tmpdir(), 'hookmq-'))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
