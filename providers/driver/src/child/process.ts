import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import type { Call, Incoming, InitReply } from '../codec.ts'
import { Pairs, type Value } from '../value.ts'
import { DriverError, failureText } from './errors.ts'
import { FrameReader, frame } from './frames.ts'
import { Lines } from './lines.ts'
import type { ProcessEvents, ProcessSettings, Request } from './settings.ts'

/** Calls in one frame: enough to make the frame cheap, few enough that the first answer does not wait for the last. */
const maxCallsPerFrame = 64

/** Bytes of payloads that may be collected for the next write. */
const maxCollected = 256 * 1024

/** How long a process that was asked to end may take, before it is asked less politely. Milliseconds. */
const patience = 1000

interface Pending {
  readonly hook: string
  readonly key: string
  readonly deadline: number
  readonly settle: (outcome: Value | DriverError) => void
}

/**
 * One process of a driver: frames over file descriptor 3, lines from its output to the log. Calls of one turn of the event loop leave in one write, and
 * any number may be in flight.
 */
export class DriverProcess {
  readonly #settings: ProcessSettings
  readonly #events: ProcessEvents
  readonly #child: ChildProcess
  readonly #socket: Duplex
  readonly #lines: readonly Lines[]
  readonly #pending = new Map<number, Pending>()
  readonly #hello = Promise.withResolvers<void>()
  readonly #gone = Promise.withResolvers<void>()
  #init: { readonly id: number; readonly settle: (outcome: InitReply | DriverError) => void } | undefined
  #queue: Call[] = []
  #collected = 0
  #flushing = false
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
    const reader = new FrameReader(settings.maxFrame, (body) => events.codec.decode(body, (one) => this.#receive(one)))
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
    this.#sweep = setInterval(() => this.#expire(), Math.max(5, Math.min(100, settings.callTimeout / 4))).unref()
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
        () => `driver ${name}: the process did not answer within ${startTimeout} ms`,
      )
      const reply = await this.#within(
        callTimeout,
        new Promise<InitReply>((resolve, reject) => {
          const id = ++this.#lastId
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

  /** Resolves to what the callback returned; rejects with a DriverError. */
  call(request: Request): Promise<Value> {
    return new Promise((resolve, reject) => {
      const refused = this.send(request, (outcome) =>
        outcome instanceof DriverError ? reject(outcome) : resolve(outcome),
      )
      if (refused !== undefined) reject(refused)
    })
  }

  /** The same without a promise. Returns why it cannot be sent; `settle` is not called then. */
  send(request: Request, settle: (outcome: Value | DriverError) => void): DriverError | undefined {
    const { hook, key } = request
    if (this.#problem !== undefined || this.#ending)
      return this.#error(hook, `the process ${this.#problem ?? 'is being ended'}`)
    const buffered = this.#socket.writableLength
    if (buffered > this.#settings.maxBuffered)
      return this.#error(hook, `the process does not read: ${buffered} bytes wait for it`)
    const id = ++this.#lastId
    this.#pending.set(id, { hook, key, deadline: performance.now() + this.#settings.callTimeout, settle })
    this.#queue.push({ id, ...request })
    this.#collected += payloadBytes(request.args)
    if (this.#collected > maxCollected) this.#flush()
    else if (!this.#flushing) {
      this.#flushing = true
      setImmediate(this.#flush)
    }
    return undefined
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
      const id = ++this.#lastId
      await this.#within(
        callTimeout,
        new Promise<void>((resolve) => {
          this.#pending.set(id, { hook: 'deinit', key: '', deadline: Infinity, settle: () => resolve() })
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

  readonly #flush = (): void => {
    this.#flushing = false
    const calls = this.#queue
    if (calls.length === 0) return
    this.#queue = []
    this.#collected = 0
    if (this.#problem !== undefined) return
    this.#socket.cork()
    for (let from = 0; from < calls.length; from += maxCallsPerFrame)
      this.#write(
        this.#events.codec.calls(calls.length <= maxCallsPerFrame ? calls : calls.slice(from, from + maxCallsPerFrame)),
      )
    this.#socket.uncork()
  }

  #write(body: Uint8Array): void {
    this.#socket.write(frame(body))
  }

  #receive(incoming: Incoming): void {
    switch (incoming.kind) {
      case 'hello':
        this.runtime = incoming.runtime
        this.#hello.resolve()
        return
      case 'init':
        if (this.#init?.id === incoming.id) this.#init.settle(incoming.reply)
        return
      case 'log':
        this.#events.log[incoming.level](incoming.text, { driver: this.#settings.name })
        return
      case 'ok':
        this.#settle(incoming.id, incoming.value)
        return
      case 'error': {
        const { id, failure } = incoming
        if (this.#init?.id === id)
          this.#init.settle(
            new DriverError(`driver ${this.#settings.name}: init: ${failureText(failure)}`, failure.traceback),
          )
        else this.#settle(id, this.#error(this.#pending.get(id)?.hook ?? '', failureText(failure), failure.traceback))
      }
    }
  }

  #settle(id: number, outcome: Value | DriverError): void {
    const pending = this.#pending.get(id)
    // Too late: whoever waited has gone on.
    if (pending === undefined) return
    this.#timeoutsInRow = 0
    this.#pending.delete(id)
    pending.settle(outcome)
  }

  /** Deadlines come in the order of the calls, because all have the same timeout. */
  #expire(): void {
    const now = performance.now()
    const { callTimeout, restartAfterTimeouts } = this.#settings
    for (const [id, pending] of this.#pending) {
      if (pending.deadline > now) break
      this.#pending.delete(id)
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
    this.#queue = []
    const left = [...this.#pending.values()]
    this.#pending.clear()
    for (const { hook, settle } of left) settle(this.#error(hook, `the process ${this.#problem}`))
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

function payloadBytes(args: readonly Value[]): number {
  let size = 0
  for (const arg of args)
    if (arg instanceof Pairs) for (const value of arg.values) if (value instanceof Uint8Array) size += value.length
  return size
}
