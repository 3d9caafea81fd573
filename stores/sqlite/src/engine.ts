import type { AnyResult, Operation } from './operations.ts'
import type { Query } from './sessions/change.ts'

/** What a promise that settled stands for. docs/store.md says what each can lose. */
export type Durability = 'fsync' | 'os' | 'none'

/** What an engine is opened with. */
export interface EngineInit {
  /** Absolute path of the database file. */
  readonly file: string
  readonly durability: Durability
}

/** The adapter: all that knows a database. Lives in the thread of the store and may wait for the disk. */
export interface Engine {
  /** Write transactions that were committed since it was opened. */
  readonly transactions: number
  /**
   * Does all operations, in their order, in one transaction: all or none. Returns when they are as safe as the durability
   * says.
   * @throws StoreError nothing of the batch was done
   */
  run(operations: readonly Operation[]): AnyResult[]
  /**
   * Makes the changes of a batch that a BatchWriter wrote, in one transaction. One that was made before is left as it is.
   * @throws StoreError nothing of the batch was done
   */
  apply(batch: Uint8Array): void
  /**
   * `unwritten`: batches that could not be written; what is read is as if they were.
   * @throws StoreError
   */
  read(query: Query, unwritten?: readonly Uint8Array[]): unknown
  close(): void
}

/** @throws StoreError says what is in the way, where, and what to do */
export type OpenEngine = (init: EngineInit) => Engine
