import { StoreError } from './errors.ts'
import { type AnyResult, type Operation, type ResultsOf, weightOf } from './operations.ts'

/** What may wait, and how much of it goes into one batch. A unit is never split. */
export interface GroupLimits {
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
  readonly batchOperations: number
  readonly batchBytes: number
}

interface Unit {
  readonly operations: readonly Operation[]
  readonly weight: number
  readonly resolve: (results: readonly AnyResult[]) => void
  readonly reject: (error: unknown) => void
}

type RunBatch = (operations: readonly Operation[]) => Promise<readonly (AnyResult | StoreError)[]>

/**
 * Gathers what many ask for: one batch is on its way, and all that comes meanwhile is the next one. The slower the disk, the
 * bigger the batches.
 */
export class GroupCommit {
  readonly #run: RunBatch
  readonly #limits: GroupLimits
  #queue: Unit[] = []
  /** Where the queue begins; what lies before was taken. */
  #head = 0
  #waiting = 0
  #waitingBytes = 0
  #batches = 0
  #working: Promise<void> | undefined
  #closed = false

  constructor(run: RunBatch, limits: GroupLimits) {
    this.#run = run
    this.#limits = limits
  }

  /** Operations that were asked for and not answered. */
  get waiting(): number {
    return this.#waiting
  }

  get batches(): number {
    return this.#batches
  }

  /** Does the operations in one transaction, behind all that was asked before. Rejects with a StoreError. */
  commit<const Asked extends readonly Operation[]>(operations: Asked): Promise<ResultsOf<Asked>> {
    let weight = 0
    for (const operation of operations) weight += weightOf(operation)
    const refusal = this.#refuse(operations.length, weight)
    if (refusal !== undefined) return Promise.reject(refusal)
    this.#waiting += operations.length
    this.#waitingBytes += weight
    return new Promise((resolve, reject) => {
      const settle = resolve as (results: readonly AnyResult[]) => void
      this.#queue.push({ operations, weight, resolve: settle, reject })
      this.#working ??= this.#work()
    })
  }

  /** Takes no more; resolves when all that waits is answered. */
  async drain(): Promise<void> {
    this.#closed = true
    await this.#working
  }

  /** What is not on its way yet will not be done. */
  abandon(error: StoreError): void {
    this.#closed = true
    const left = this.#queue.slice(this.#head)
    this.#queue = []
    this.#head = 0
    for (const unit of left) {
      this.#forget(unit)
      unit.reject(error)
    }
  }

  #refuse(count: number, weight: number): StoreError | undefined {
    if (this.#closed) return new StoreError('STORE_CLOSED', 'the store is closed')
    const { maxWaiting, maxWaitingBytes } = this.#limits
    // A single one that is larger than all that may wait goes through when nothing else does.
    if (this.#waiting === 0) return undefined
    if (this.#waiting + count <= maxWaiting && this.#waitingBytes + weight <= maxWaitingBytes) return undefined
    return new StoreError(
      'STORE_OVERLOADED',
      `the disk is slower than what it is given: ${this.#waiting} operations (${this.#waitingBytes} bytes) wait for the store, ` +
        `and ${maxWaiting} (${maxWaitingBytes} bytes) may; try again later`,
    )
  }

  async #work(): Promise<void> {
    // What the same piece of code asks for goes along.
    await undefined
    while (this.#head < this.#queue.length) {
      const batch = this.#take()
      this.#batches++
      try {
        const results = await this.#run(
          batch.length === 1 ? batch[0].operations : batch.flatMap((unit) => unit.operations),
        )
        this.#answer(batch, results)
      } catch (error) {
        for (const unit of batch) {
          this.#forget(unit)
          unit.reject(error)
        }
      }
    }
    this.#working = undefined
  }

  #take(): Unit[] {
    const { batchOperations, batchBytes } = this.#limits
    const start = this.#head
    let count = 0
    let bytes = 0
    while (this.#head < this.#queue.length) {
      const { operations, weight } = this.#queue[this.#head]
      count += operations.length
      bytes += weight
      if (this.#head > start && (count > batchOperations || bytes > batchBytes)) break
      this.#head++
    }
    const batch = this.#queue.slice(start, this.#head)
    // Taken units are let go of in one go, not by moving the rest for each.
    if (this.#head === this.#queue.length || this.#head > 4096) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return batch
  }

  #answer(batch: readonly Unit[], results: readonly (AnyResult | StoreError)[]): void {
    let at = 0
    for (const unit of batch) {
      this.#forget(unit)
      const own = results.slice(at, at + unit.operations.length)
      at += unit.operations.length
      const unknown = own.find((result) => result instanceof StoreError)
      if (unknown === undefined) unit.resolve(own as AnyResult[])
      else unit.reject(unknown)
    }
  }

  #forget({ operations, weight }: Unit): void {
    this.#waiting -= operations.length
    this.#waitingBytes -= weight
  }
}
