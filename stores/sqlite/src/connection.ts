import { Worker } from 'node:worker_threads'
import type { EngineInit } from './engine.ts'
import { StoreError } from './errors.ts'
import type { AnyResult, Operation } from './operations.ts'
import type { Answer, Request } from './serve.ts'
import { post } from './wire.ts'

/** The thread is gone, and nobody knows how far it came. */
export class ThreadEnded extends Error {
  override readonly name = 'ThreadEnded'
}

interface Waiting {
  readonly resolve: (results: readonly unknown[]) => void
  readonly reject: (error: Error) => void
}

/** One thread with an open database. It keeps the process alive only while an answer is awaited. */
export class Connection {
  /** Of this thread, as of its last answer. */
  transactions = 0
  readonly #worker: Worker
  /** Who asked, in the order in which the thread answers. */
  readonly #waiting: Waiting[] = []
  #ended: Error | undefined

  /** Rejects with a StoreError when the database cannot be opened. */
  static async open(thread: URL, init: EngineInit): Promise<Connection> {
    const connection = new Connection(new Worker(thread, { workerData: init, name: 'store', execArgv: [] }))
    await connection.#answer()
    return connection
  }

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (answer: Answer) => {
      const waiting = this.#take()
      if ('failure' in answer) waiting?.reject(new StoreError(answer.failure.code, answer.failure.message))
      else {
        this.transactions = answer.transactions
        waiting?.resolve(answer.results)
      }
    })
    worker.on('error', (error) => this.#end(new ThreadEnded(error.message, { cause: error })))
    worker.on('exit', (code) => this.#end(new ThreadEnded(`it exited with ${code}`)))
  }

  get ended(): boolean {
    return this.#ended !== undefined
  }

  /** Rejects with a StoreError when nothing of it was done, a ThreadEnded when nobody knows. */
  run(operations: readonly Operation[]): Promise<readonly AnyResult[]> {
    return this.request(post(operations)) as Promise<readonly AnyResult[]>
  }

  /** As `run`, for whatever the thread knows. `given`: memory that goes to it. */
  request(request: Exclude<Request, 'close'>, given: readonly ArrayBuffer[] = []): Promise<readonly unknown[]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    this.#worker.ref()
    this.#worker.postMessage(request, given)
    return this.#answer()
  }

  /**
   * Ends the thread, in good order when it does not wait for the disk for more than `patience` milliseconds. Else it is left to end when
   * the disk answers, and nobody waits for that.
   */
  async close(patience: number): Promise<void> {
    if (this.#ended !== undefined) return
    this.#worker.ref()
    this.#worker.postMessage('close')
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#worker.unref()
        void this.#worker.terminate()
        this.#end(new ThreadEnded('it did not end in time'))
        resolve()
      }, patience)
      this.#worker.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #answer(): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting.shift()
    if (this.#waiting.length === 0) this.#worker.unref()
    return waiting
  }

  #end(error: Error): void {
    this.#ended ??= error
    while (this.#waiting.length > 0) this.#take()?.reject(error)
  }
}
