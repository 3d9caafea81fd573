import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import type { Failure, Incoming, InitReply } from '../codec.ts'
import type { Value } from '../value.ts'
import { DriverError, failureText } from './errors.ts'
import { FrameReader, frame } from './frames.ts'
import { Lines } from './lines.ts'
import { type Asked, idAfter, type Question } from './question.ts'
import type { ProcessEvents, ProcessSettings } from './settings.ts'

/** Calls in one frame: enough to make the frame cheap, few enough that the first answer does not wait for the last. */
const maxCallsPerFrame = 256

/** Bytes after which a frame is written before the turn ends. */
const maxCollected = 256 * 1024

/** How long a process that was asked to end may take, before it is asked less politely. Milliseconds. */
const patience = 1000

const noArgs: readonly Value[] = []

/**
 * One process of a driver: frames over file descriptor 3, lines from its output to the log. Calls of one turn of the event loop leave together, and
 * any number may be in flight. Their time is measured in ticks of one timer.
 */
export class DriverProcess implements Asked {
  readonly #settings: ProcessSettings
  readonly #events: ProcessEvents
  readonly #child: ChildProcess
  readonly #socket: Duplex
  readonly #lines: readonly Lines[]
  readonly #pending = new Map<number, Pick<Question, 'hook' | 'key' | 'tick' | 'settle'>>()
  readonly #hello = Promise.withResolvers<void>()
  readonly #gone = Promise.withResolvers<void>()
  #init: { readonly id: number; readonly settle: (outcome: InitReply | DriverError) => void } | undefined
  /** Calls in the frame that is being made. */
  #collected = 0
  #abandoned: number[] = []
  #flushing = false
  #tick = 0
  /** Ticks that a call may take. */
  readonly #patience: number
  #givesUp = false
  #lastId = 0
  #timeoutsInRow = 0
  #ending = false
  #problem: string | undefined
  #sweep: NodeJS.Timeout | undefined
  /** Such as `CPython 3.13.0`, once it has said so. */
  runtime = ''
  timeouts = 0

  constructor(settings: ProcessSettings, events: ProcessEvents) {
    this.#settings = settings
    this.#events = events
    const { command, args, environment } = events.launch
    this.#child = spawn(command, args, {
      cwd: settings.workingDirectory,
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // A process group of its own: what the handler starts ends with it.
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    this.#hello.promise.catch(() => {})
    this.#socket = this.#child.stdio[3] as Duplex
    const reader = new FrameReader(settings.maxFrame, (body) => events.codec.decode(body, this.#receiver))
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk)
      } catch (error) {
        this.kill(`sent what is no answer: ${error instanceof Error ? error.message : String(error)}`)
      }
    })
    // Told by 'exit' as well, and better.
    this.#socket.on('error', () => {})
    this.#lines = (['stdout', 'stderr'] as const).map((stream) => this.#read(stream))
    this.#child.on('error', (error) => this.#ended(`could not be started: ${error.message}`))
    this.#child.on('exit', (code, signal) =>
      this.#ended(signal !== null ? `was ended by ${signal}` : `ended with exit code ${code}`),
    )
    const tick = Math.max(5, Math.min(100, settings.callTimeout / 4))
    this.#patience = Math.ceil(settings.callTimeout / tick)
    this.#sweep = setInterval(() => this.#expire(), tick).unref()
  }

  get processId(): number | undefined {
    return this.#child.pid
  }

  get inFlight(): number {
    return this.#pending.size
  }

  /** Resolves when it has ended. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** Client keys with calls in flight. */
  keysInFlight(): Set<string> {
    return new Set([...this.#pending.values()].map(({ key }) => key))
  }

  /** Waits for its first frame and has the handler initialised. Rejects with a DriverError; the process is ended then. */
  async start(): Promise<InitReply> {
    const { name, startTimeout, callTimeout, initModule } = this.#settings
    try {
      await this.#within(
        startTimeout,
        this.#hello.promise,
        () =>
          `driver ${name}: the process did not answer within ${startTimeout} ms (exhook.drivers.${name}.start_timeout)`,
      )
      const reply = await this.#within(
        callTimeout,
        new Promise<InitReply>((resolve, reject) => {
          const id = this.#nextId()
          this.#init = {
            id,
            settle: (outcome) => (outcome instanceof DriverError ? reject(outcome) : resolve(outcome)),
          }
          this.#write(this.#events.codec.init({ id, module: initModule }))
        }),
        () =>
          `driver ${name}: init() of ${initModule} did not return within ${callTimeout} ms (exhook.drivers.${name}.call_timeout)`,
      )
      return reply
    } catch (error) {
      this.#ending = true
      this.#kill('SIGKILL')
      await this.#gone.promise
      throw error
    } finally {
      this.#init = undefined
    }
  }

  /** Asks it. Returns why it cannot be asked; the question is not settled then. */
  send(question: Question): DriverError | undefined {
    if (this.#problem !== undefined || this.#ending)
      return this.#error(question.hook, `the process ${this.#problem ?? 'is being ended'}`)
    const buffered = this.#socket.writableLength
    if (buffered > this.#settings.maxBuffered)
      return this.#error(question.hook, `the process does not read: ${buffered} bytes wait for it`)
    const id = this.#nextId()
    question.id = id
    question.tick = this.#tick
    question.asked = this
    const size = this.#events.codec.addCall(question)
    question.args = noArgs
    this.#pending.set(id, question)
    if (++this.#collected >= maxCallsPerFrame || size > maxCollected) this.#writeCalls()
    else this.#soon()
    return undefined
  }

  /** Nobody waits for the answer any more: the handler may stop to work on it. It still counts as a call that has to be answered in time. */
  abandon({ id }: Question): void {
    if (!this.#givesUp || this.#ending || !this.#pending.has(id)) return
    this.#abandoned.push(id)
    this.#soon()
  }

  /** Resolves when no call is in flight, or after so many milliseconds. */
  async drained(timeout: number): Promise<void> {
    const end = performance.now() + timeout
    while (this.#pending.size > 0 && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 5).unref())
  }

  /** Lets the handler clean up, then ends the process and all that it has started. */
  async stop(): Promise<void> {
    if (this.#problem === undefined && !this.#ending) {
      this.#flush()
      this.#ending = true
      const { callTimeout } = this.#settings
      const id = this.#nextId()
      await this.#within(
        callTimeout,
        new Promise<void>((resolve) => {
          this.#pending.set(id, { hook: 'deinit', key: '', tick: Infinity, settle: () => resolve() })
          this.#write(this.#events.codec.deinit(id))
        }),
        () => `driver ${this.#settings.name}: deinit() did not return within ${callTimeout} ms`,
      ).catch((error: Error) => this.#events.log.warn(error.message))
      this.#socket.end()
      if (!(await this.#goneWithin(patience))) this.#kill('SIGTERM')
      if (!(await this.#goneWithin(patience))) this.#kill('SIGKILL')
    }
    await this.#gone.promise
  }

  /** Ends it at once; `problem` is the reason that calls in flight are told. */
  kill(problem: string): void {
    this.#fail(problem)
    this.#kill('SIGKILL')
  }

  #nextId(): number {
    do this.#lastId = idAfter(this.#lastId)
    while (this.#pending.has(this.#lastId))
    return this.#lastId
  }

  /** Writes at the end of this turn of the event loop. */
  #soon(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushing = false
    this.#writeCalls()
    if (this.#abandoned.length === 0) return
    const ids = this.#abandoned
    this.#abandoned = []
    if (this.#problem === undefined && !this.#ending) this.#write(this.#events.codec.abandon(ids))
  }

  #writeCalls(): void {
    if (this.#collected === 0) return
    this.#collected = 0
    const body = this.#events.codec.takeCalls()
    if (this.#problem === undefined) this.#write(body)
  }

  #write(body: Uint8Array): void {
    this.#socket.write(frame(body))
  }

  readonly #receiver = {
    answered: (id: number, value: Value): void => this.#settle(id, value),
    failed: (id: number, failure: Failure): void => {
      const text = failureText(failure)
      if (this.#init?.id === id)
        this.#init.settle(new DriverError(`driver ${this.#settings.name}: init: ${text}`, failure.traceback))
      else this.#settle(id, this.#error(this.#pending.get(id)?.hook ?? '', text, failure.traceback))
    },
    received: (incoming: Incoming): void => this.#receive(incoming),
  }

  #receive(incoming: Incoming): void {
    switch (incoming.kind) {
      case 'hello':
        this.runtime = incoming.runtime
        this.#hello.resolve()
        return
      case 'init':
        if (this.#init?.id !== incoming.id) return
        this.#givesUp = incoming.reply.givesUp
        this.#init.settle(incoming.reply)
        return
      case 'log':
        this.#events.log[incoming.level](incoming.text, { driver: this.#settings.name })
    }
  }

  #settle(id: number, outcome: Value | DriverError): void {
    const pending = this.#pending.get(id)
    // Too late: whoever waited has gone on.
    if (pending === undefined) return
    this.#timeoutsInRow = 0
    this.#pending.delete(id)
    try {
      pending.settle(outcome)
    } catch (error) {
      // The broker goes on from here; what goes wrong there is not the fault of the process.
      queueMicrotask(() => {
        throw error
      })
    }
  }

  /** Calls are due in their order, because all have the same timeout. */
  #expire(): void {
    const due = this.#tick++ - this.#patience
    const { callTimeout, restartAfterTimeouts } = this.#settings
    for (const [id, pending] of this.#pending) {
      if (pending.tick > due) break
      this.#pending.delete(id)
      if (this.#givesUp && !this.#ending) {
        this.#abandoned.push(id)
        this.#soon()
      }
      this.timeouts++
      this.#timeoutsInRow++
      pending.settle(this.#error(pending.hook, `no answer within ${callTimeout} ms`))
    }
    if (restartAfterTimeouts > 0 && this.#timeoutsInRow >= restartAfterTimeouts && !this.#ending)
      this.kill(`left ${this.#timeoutsInRow} calls one after the other without an answer`)
  }

  #error(hook: string, cause: string, traceback?: string): DriverError {
    return new DriverError(`driver ${this.#settings.name}: ${hook}: ${cause}`, traceback)
  }

  #ended(problem: string): void {
    // What the handler has left behind in its group.
    this.#kill('SIGKILL')
    for (const lines of this.#lines) lines.end()
    this.#fail(problem)
    this.#socket.destroy()
    clearInterval(this.#sweep)
    this.#gone.resolve()
    this.#events.ended(this.#problem ?? problem)
  }

  #fail(problem: string): void {
    this.#problem ??= problem
    this.#hello.reject(new DriverError(`driver ${this.#settings.name}: the process ${this.#problem}`))
    this.#init?.settle(
      new DriverError(
        `driver ${this.#settings.name}: init() of ${this.#settings.initModule}: the process ${this.#problem}`,
      ),
    )
    const left = [...this.#pending.values()]
    this.#pending.clear()
    for (const question of left) question.settle(this.#error(question.hook, `the process ${this.#problem}`))
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      if (process.platform === 'win32') this.#child.kill(signal)
      else process.kill(-pid, signal)
    } catch {
      // Nobody left to get it.
    }
  }

  #read(stream: 'stdout' | 'stderr'): Lines {
    const { log } = this.#events
    const { name } = this.#settings
    const lines = new Lines(
      this.#settings.lines,
      (line) => log.info(line, { driver: name, stream }),
      (count) => log.warn(`driver ${name}: ${count} lines of ${stream} were left out`, { driver: name, stream }),
    )
    this.#child[stream]?.on('data', (chunk: Buffer) => lines.push(chunk))
    return lines
  }

  async #within<T>(timeout: number, promise: Promise<T>, text: () => string): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    try {
      return await Promise.race([
        promise,
        new Promise<never>((_resolve, reject) => {
          timer = setTimeout(() => reject(new DriverError(text())), timeout)
        }),
      ])
    } finally {
      clearTimeout(timer)
    }
  }

  async #goneWithin(timeout: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeout)
    })
    const gone = await Promise.race([this.#gone.promise.then(() => true as const), late])
    clearTimeout(timer)
    return gone
  }
}
