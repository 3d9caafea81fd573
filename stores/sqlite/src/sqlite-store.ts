import { extname, resolve } from 'node:path'
import type { KeyValueStore, Logger, SessionStore } from '@hookmq/api'
import type { Durability } from './engine.ts'
import { StoreError } from './errors.ts'
import { GroupCommit, type GroupLimits } from './group-commit.ts'
import { Namespace } from './namespace.ts'
import type { Operation, ResultsOf } from './operations.ts'
import { SqliteSessionStore } from './sessions/session-store.ts'
import { Supervisor } from './supervisor.ts'

export interface SqliteStoreOptions extends Partial<GroupLimits> {
  /** The database file; it and its folder are made when they are not there. */
  readonly file: string
  /** Default: fsync. */
  readonly durability?: Durability
  /** Hears when the thread of the store had to be started again. */
  readonly log?: Logger
  /** The module that runs in the thread. Default: node:sqlite. */
  readonly thread?: URL
}

export interface StoreStats {
  /** Operations that were asked for and not answered. */
  readonly waiting: number
  /** Batches that went to the thread. */
  readonly batches: number
  /** Write transactions that were committed. */
  readonly transactions: number
}

const defaultLimits: GroupLimits = {
  maxWaiting: 65_536,
  maxWaitingBytes: 128 * 1024 * 1024,
  batchOperations: 4096,
  batchBytes: 8 * 1024 * 1024,
}

const sqliteThread = new URL(`./thread${extname(import.meta.url)}`, import.meta.url)

/** The durable store: one file, one thread that writes it, and many who wait for it together. */
export class SqliteStore {
  readonly file: string
  readonly #supervisor: Supervisor
  readonly #commits: GroupCommit
  readonly #namespaces = new Map<string, Namespace>()
  #sessions: SqliteSessionStore | undefined
  #closing: Promise<void> | undefined

  /** Rejects with a StoreError when the file cannot be used: one line that says what, where and what to do. */
  static async open(options: SqliteStoreOptions): Promise<SqliteStore> {
    const store = new SqliteStore(options)
    await store.#supervisor.open()
    try {
      store.#sessions = await SqliteSessionStore.open(store.#supervisor, store.file, options.log)
    } catch (error) {
      await store.#supervisor.close(0)
      throw error
    }
    return store
  }

  private constructor({ file, durability = 'fsync', log, thread = sqliteThread, ...limits }: SqliteStoreOptions) {
    this.file = resolve(file)
    this.#supervisor = new Supervisor({ file: this.file, durability, log, thread })
    this.#commits = new GroupCommit((batch) => this.#supervisor.run(batch), { ...defaultLimits, ...limits })
  }

  /** A plugin's corner. */
  namespace(name: string): KeyValueStore {
    let namespace = this.#namespaces.get(name)
    if (namespace === undefined) {
      namespace = new Namespace(this.#commits, name)
      this.#namespaces.set(name, namespace)
    }
    return namespace
  }

  /** Where sessions and retained messages are kept. */
  get sessions(): SessionStore {
    if (this.#sessions === undefined) throw new StoreError('STORE_CLOSED', 'the store is not open')
    return this.#sessions
  }

  /** Does the operations in one transaction: all or none. Resolves to their results when it is committed, else rejects with a StoreError. */
  commit<const Asked extends readonly Operation[]>(operations: Asked): Promise<ResultsOf<Asked>> {
    return this.#commits.commit(operations)
  }

  get stats(): StoreStats {
    const { waiting, batches } = this.#commits
    return { waiting, batches, transactions: this.#supervisor.transactions }
  }

  /**
   * Writes what waits, takes no more, and ends the thread. A disk that does not answer within `patience` milliseconds is left alone;
   * what it has not answered is rejected then. Safe to call again.
   */
  close(patience = 5000): Promise<void> {
    this.#closing ??= this.#close(patience)
    return this.#closing
  }

  async #close(patience: number): Promise<void> {
    const end = performance.now() + patience
    const drained = this.#commits.drain()
    const timer = setTimeout(() => {
      this.#commits.abandon(new StoreError('STORE_CLOSED', `${this.file}: closed before it was written`))
      void this.#supervisor.close(0)
    }, patience)
    await Promise.all([drained, this.#sessions?.close(patience)])
    clearTimeout(timer)
    await this.#supervisor.close(Math.max(0, end - performance.now()))
  }
}
