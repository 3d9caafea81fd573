import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from '@hookmq/api'
import { Connection, ThreadEnded } from './connection.ts'
import type { EngineInit } from './engine.ts'
import { StoreError } from './errors.ts'
import type { AnyResult, Operation } from './operations.ts'
import type { Asked } from './serve.ts'

/** Times that one batch is tried when the thread ends under it; milliseconds before each. */
const delays = [0, 0, 200] as const

/** Milliseconds for which nobody tries again to open a database that could not be opened. */
const pause = 1000

export interface SupervisorInit extends EngineInit {
  readonly thread: URL
  readonly log: Logger | undefined
}

/** Keeps a thread running: one that ends is followed by the next, which gets the batch that nobody answered. */
export class Supervisor {
  readonly #init: SupervisorInit
  #connection: Connection | undefined
  #connecting: Promise<Connection> | undefined
  /** Transactions of the threads that are gone. */
  #earlier = 0
  #closed = false
  #refusal: { readonly error: unknown; readonly until: number } | undefined

  constructor(init: SupervisorInit) {
    this.#init = init
  }

  get transactions(): number {
    return this.#earlier + (this.#connection?.transactions ?? 0)
  }

  async open(): Promise<void> {
    await this.#connected()
  }

  /**
   * The results of a batch, in its order; in the place of one that cannot be known, what is known. Rejects with a StoreError: nothing of it was
   * done, or, with STORE_INTERRUPTED, nobody knows.
   *
   * To do a batch twice is safe: all of it was asked before any of it was answered, and it ends in the same state.
   */
  async run(operations: readonly Operation[]): Promise<readonly (AnyResult | StoreError)[]> {
    let last: unknown
    for (const [attempt, delay] of delays.entries()) {
      if (delay > 0) await wait(delay)
      const connection = await this.#connected()
      try {
        const results = await connection.run(operations)
        return attempt === 0 ? results : results.map((result, index) => this.#again(operations[index], result))
      } catch (error) {
        if (!(error instanceof ThreadEnded)) throw error
        if (this.#closed) throw this.#closedBefore(error)
        last = error
        this.#init.log?.error('the thread of the store ended; another one takes its place', {
          file: this.#init.file,
          error: error.message,
        })
      }
    }
    throw new StoreError(
      'STORE_INTERRUPTED',
      `${this.#init.file}: the thread of the store ended ${delays.length} times before it answered; what was asked may be done or not`,
      { cause: last },
    )
  }

  /**
   * One request, tried once. Rejects with a StoreError: nothing of it was done; or a ThreadEnded: nobody knows, and the next request gets
   * another thread.
   */
  async request(request: Uint8Array<ArrayBuffer> | Asked): Promise<unknown> {
    const connection = await this.#connected()
    const given = request instanceof Uint8Array ? [request.buffer] : []
    const [result] = await connection.request(request, given)
    return result
  }

  async close(patience: number): Promise<void> {
    this.#closed = true
    await this.#connection?.close(patience)
  }

  #closedBefore(cause: Error): StoreError {
    return new StoreError(
      'STORE_CLOSED',
      `${this.#init.file}: closed before the disk answered; what was asked may be done or not`,
      { cause },
    )
  }

  /** A second run of what the first one may have done: only a delete that finds nothing tells less than it should. */
  #again(operation: Operation, result: AnyResult): AnyResult | StoreError {
    if (operation.kind !== 'delete' || result !== false) return result
    return new StoreError(
      'STORE_INTERRUPTED',
      `${this.#init.file}: the thread of the store ended meanwhile; the key is gone, whether it was there is not known`,
    )
  }

  #connected(): Promise<Connection> {
    if (this.#connection?.ended === false) return Promise.resolve(this.#connection)
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #connect(): Promise<Connection> {
    if (this.#closed) throw new StoreError('STORE_CLOSED', 'the store is closed')
    if (this.#refusal !== undefined && performance.now() < this.#refusal.until) throw this.#refusal.error
    this.#earlier += this.#connection?.transactions ?? 0
    this.#connection = undefined
    const { thread, file, durability } = this.#init
    try {
      this.#connection = await Connection.open(thread, { file, durability })
    } catch (error) {
      const refused = error instanceof ThreadEnded ? notStarted(file, error) : error
      this.#refusal = { error: refused, until: performance.now() + pause }
      throw refused
    }
    this.#refusal = undefined
    return this.#connection
  }
}

function notStarted(file: string, error: Error): StoreError {
  return new StoreError('STORE_INTERRUPTED', `${file}: the thread of the store does not start: ${error.message}`, {
    cause: error,
  })
}
