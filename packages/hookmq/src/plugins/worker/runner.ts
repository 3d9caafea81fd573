import { extname } from 'node:path'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Counter, Logger, Plugin, PluginContext } from '@hookmq/api'
import type { PluginRunner } from '@hookmq/core'
import { messageOf } from '../../errors.ts'
import { BrokerSide } from './broker-side.ts'
import { Encoder } from './codec.ts'
import { defaultLimits, megabyte, type WorkerLimits } from './limits.ts'
import { Peer } from './peer.ts'
import { ASK_AND_WAIT, SET_UP, TEAR_DOWN, type WaitedAnswer, type WorkerStart } from './protocol.ts'
import { makeShared, markSeen, type SharedNumbers, wakeWaiter } from './shared.ts'
import { watchWorker } from './watch.ts'
import { FrameWriter } from './writer.ts'

export interface WorkerRunnerInit {
  readonly plugin: Pick<Plugin, 'name' | 'config'>
  /** The plugin's module: the worker imports it. */
  readonly file: string
  readonly limits?: Partial<WorkerLimits>
  /** false: the broker's time is not the system's, and the worker must ask for it. Default true. */
  readonly systemTime?: boolean
}

/** A worker that has run for so long is well; when it ends after that, the count of restarts begins anew. Milliseconds. */
const wellAfter = 60_000
/** For what the plugin does when it goes: less than the host waits for. One whose setup has failed has little to do. */
const teardownPatience = 4000
const failedTeardownPatience = 1000

const threadFile = new URL(`./thread${extname(import.meta.url)}`, import.meta.url)

/** One generation of a plugin in a thread of its own. */
export class WorkerRunner implements PluginRunner {
  readonly placement = 'worker'
  readonly #init: WorkerRunnerInit
  readonly #limits: WorkerLimits
  readonly #shared: SharedNumbers = makeShared()
  /** Restarts in a row that came before this one. */
  #attempts: number
  #log: Logger | undefined
  #restarts: Counter | undefined
  #worker: Worker | undefined
  #peer: Peer | undefined
  #side: BrokerSide | undefined
  #stopWatching: (() => void) | undefined
  #failSetup: ((error: Error) => void) | undefined
  /** When its setup ended; 0 before. */
  #startedAt = 0
  /** Why the worker has ended. */
  #ended: string | undefined
  #leaving = false
  #replace: ((successor: PluginRunner) => Promise<void>) | undefined
  #restartTimer: NodeJS.Timeout | undefined
  #nextRestart = ''

  constructor(init: WorkerRunnerInit, attempts = 0) {
    this.#init = init
    this.#limits = { ...defaultLimits, ...init.limits }
    this.#attempts = attempts
  }

  get problem(): string | undefined {
    return this.#ended === undefined || this.#leaving
      ? undefined
      : `its worker has ended: ${this.#ended}${this.#nextRestart}`
  }

  async setup(context: PluginContext): Promise<void> {
    this.#log = context.log
    this.#restarts = context.counter('worker.restarts')
    const { promise, reject } = Promise.withResolvers<never>()
    this.#failSetup = reject
    const peer = this.#start(context)
    try {
      await Promise.race([peer.call(SET_UP), promise])
    } finally {
      this.#failSetup = undefined
    }
    this.#startedAt = performance.now()
    this.#worker?.unref()
  }

  supervise(replace: (successor: PluginRunner) => Promise<void>): void {
    this.#replace = replace
    if (this.#ended !== undefined) this.#scheduleRestart()
  }

  async teardown(): Promise<void> {
    this.#leaving = true
    clearTimeout(this.#restartTimer)
    const peer = this.#peer
    if (this.#ended === undefined && peer !== undefined) {
      this.#worker?.ref()
      const { promise, resolve } = Promise.withResolvers<void>()
      const milliseconds = this.#startedAt === 0 ? failedTeardownPatience : teardownPatience
      const timer = setTimeout(() => {
        this.#log?.error('plugin did not end its teardown; its worker is ended', { milliseconds })
        resolve()
      }, milliseconds)
      await Promise.race([peer.call(TEAR_DOWN).catch(() => {}), promise])
      clearTimeout(timer)
    }
    this.#end('the plugin was unloaded')
    await this.#worker?.terminate()
  }

  #start(context: PluginContext): Peer {
    const calls = new MessageChannel()
    const answers = new MessageChannel()
    const full = context.counter('worker.refused')
    const peer = new Peer(calls.port1, {
      limit: this.#limits.queue,
      limitBytes: this.#limits.queueBytes,
      copies: true,
      run: (target, first, second) =>
        target === ASK_AND_WAIT
          ? this.#answer(answers.port1, side, first as number, second as unknown[])
          : side.run(first as string, second as unknown[]),
      seen: (frames) => markSeen(this.#shared, frames),
      full: () => full.add(),
      broken: (error) => this.#end(`it sent what cannot be read: ${messageOf(error)}`),
    })
    const side = new BrokerSide(context, (id, first, second) => peer.call(id, first, second))
    this.#peer = peer
    this.#side = side
    calls.port1.unref()
    answers.port1.unref()
    this.#worker = this.#spawn(context, calls.port2, answers.port2)
    this.#stopWatching = watchWorker(
      this.#worker,
      this.#shared,
      this.#limits,
      () => this.#startedAt !== 0,
      (reason) => this.#end(reason),
    )
    return peer
  }

  #spawn(context: PluginContext, port: MessagePort, answers: MessagePort): Worker {
    const { plugin, file, systemTime = true } = this.#init
    const { memory, queue, queueBytes, hangTimeout, patience } = this.#limits
    const start: WorkerStart = {
      file,
      name: plugin.name,
      keys: plugin.config,
      config: { ...context.config },
      terms: { ...context.terms },
      node: context.broker.node,
      version: context.broker.version,
      startedAt: context.admin.startedAt,
      systemTime,
      port,
      answers,
      shared: this.#shared,
      limit: queue,
      limitBytes: queueBytes,
      beatInterval: hangTimeout / 20,
      patience,
    }
    const worker = new Worker(threadFile, {
      workerData: start,
      transferList: [port, answers],
      resourceLimits: { maxOldGenerationSizeMb: memory / megabyte },
      name: `plugin ${plugin.name}`,
    })
    worker.on('error', (error: Error & { readonly code?: string }) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') this.#end(`it needed more than ${memory / megabyte} MB of memory`)
      else this.#end(`nobody caught what it threw: ${messageOf(error)}`, error)
    })
    worker.on('exit', (code) => this.#end(`it called process.exit(${code})`))
    return worker
  }

  /** For a worker that waits. */
  #answer(port: MessagePort, side: BrokerSide, number: number, [method, ...args]: readonly unknown[]): void {
    const writer = new FrameWriter(1024)
    const encoder = new Encoder(writer, false)
    try {
      encoder.value([false, side.run(method as string, args)])
    } catch (error) {
      writer.at = 0
      encoder.begin()
      encoder.value([true, error])
    }
    const answer: WaitedAnswer = { number, frame: writer.take() }
    port.postMessage(answer)
    wakeWaiter(this.#shared)
  }

  /** The worker has ended, or must. Calls in flight fail, and so do all that come until there is another one. */
  #end(reason: string, cause?: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#stopWatching?.()
    const error = new Error(`the plugin's worker has ended: ${reason}`, { cause })
    this.#peer?.close(error)
    this.#side?.close()
    void this.#worker?.terminate()
    if (this.#leaving) return
    this.#failSetup?.(cause ?? error)
    if (this.#replace === undefined) return
    if (performance.now() - this.#startedAt > wellAfter) this.#attempts = 0
    this.#log?.error("the plugin's worker has ended", { reason, stack: cause?.stack })
    this.#scheduleRestart()
  }

  #scheduleRestart(): void {
    const [first, most] = this.#limits.restartDelay
    const delay = Math.min(most, first * 2 ** this.#attempts)
    this.#attempts++
    const at = new Date(Date.now() + delay).toISOString()
    this.#nextRestart = `; restart ${this.#attempts} is due at ${at}`
    this.#restartTimer = setTimeout(() => void this.#restart(), delay)
    this.#restartTimer.unref()
  }

  async #restart(): Promise<void> {
    const successor = new WorkerRunner(this.#init, this.#attempts)
    this.#nextRestart = `; restart ${this.#attempts} is under way`
    this.#restarts?.add()
    try {
      await this.#replace?.(successor)
    } catch (error) {
      if (this.#leaving) return
      this.#ended = `it could not be started again: ${messageOf(error)}`
      this.#log?.error("the plugin's worker could not be started again", { reason: messageOf(error) })
      this.#scheduleRestart()
    }
  }
}
