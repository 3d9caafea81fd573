import type {
  Logger,
  QueuePage,
  RetainedPage,
  SessionIndexPage,
  SessionStore,
  SessionStoreObserver,
  StoredDelivery,
  StoredSession,
} from '@hookmq/api'
import { ThreadEnded } from '../connection.ts'
import { StoreError } from '../errors.ts'
import type { Supervisor } from '../supervisor.ts'
import { BatchWriter } from './batch-writer.ts'
import type { Query } from './change.ts'
import { type PackedIndexPage, unpack } from './index-page.ts'

/** Milliseconds before a batch that failed is tried again: the first time, and at most. */
const firstRetry = 100
const lastRetry = 2000

interface Waiting {
  readonly batch: number
  readonly impatient: boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Queries on their way at most: answers that come faster than they are worked at would not let anything else have its turn. */
const readsTogether = 4

/** The sessions' side of the store: gathers changes into batches, and has one of them written at a time. */
export class SqliteSessionStore implements SessionStore {
  readonly run: number
  readonly #supervisor: Supervisor
  readonly #file: string
  readonly #log: Logger | undefined
  #filling = new BatchWriter()
  #writing = new BatchWriter()
  #batch = 1
  #committed = 0
  #changes = 0
  #working: Promise<void> | undefined
  #scheduled = false
  #closed = false
  #problem: string | undefined
  #observer: SessionStoreObserver | undefined
  #waiting: Waiting[] = []
  /** Queries on their way, and who waits for one of them to be answered. */
  #reading = 0
  readonly #readers: (() => void)[] = []
  /** Ends the pause before the next try. */
  #hurry: (() => void) | undefined

  static async open(supervisor: Supervisor, file: string, log: Logger | undefined): Promise<SqliteSessionStore> {
    const run = (await supervisor.request({ query: { kind: 'run' } })) as number
    return new SqliteSessionStore(supervisor, file, log, run)
  }

  private constructor(supervisor: Supervisor, file: string, log: Logger | undefined, run: number) {
    this.#supervisor = supervisor
    this.#file = file
    this.#log = log
    this.run = run
  }

  get batch(): number {
    return this.#batch
  }

  get last(): number {
    return this.#filling.changes > 0 ? this.#batch : this.#batch - 1
  }

  get committed(): number {
    return this.#committed
  }

  get changes(): number {
    return this.#changes
  }

  get waitingBytes(): number {
    return this.#filling.bytes + this.#writing.bytes
  }

  get problem(): string | undefined {
    return this.#problem
  }

  observe(observer: SessionStoreObserver): void {
    this.#observer = observer
  }

  // --- changes -----------------------------------------------------------------------------------------------------

  putSession(session: number, clientId: string, due: number | undefined, record: Uint8Array): void {
    this.#changed().putSession(session, clientId, due, record)
  }

  deleteSession(session: number): void {
    this.#changed().deleteSession(session)
  }

  putSubscription(session: number, filter: string, bits: number, identifier: number): void {
    this.#changed().putSubscription(session, filter, bits, identifier)
  }

  deleteSubscription(session: number, filter: string): void {
    this.#changed().deleteSubscription(session, filter)
  }

  append(session: number, delivery: StoredDelivery): void {
    this.#changed().append(session, delivery)
  }

  advance(session: number, sequence: number, packetId: number, released: boolean): void {
    this.#changed().advance(session, sequence, packetId, released)
  }

  remove(session: number, sequence: number): void {
    this.#changed().remove(session, sequence)
  }

  putAwaiting(session: number, packetId: number, since: number): void {
    this.#changed().putAwaiting(session, packetId, since)
  }

  deleteAwaiting(session: number, packetId: number): void {
    this.#changed().deleteAwaiting(session, packetId)
  }

  putRetained(topic: string, body: Uint8Array): void {
    this.#changed().putRetained(topic, body)
  }

  deleteRetained(topic: string): void {
    this.#changed().deleteRetained(topic)
  }

  clearRetained(): void {
    this.#changed().clearRetained()
  }

  putMark(name: string, text: string): void {
    this.#changed().putMark(name, text)
  }

  #changed(): BatchWriter {
    this.#changes++
    if (!this.#scheduled && this.#working === undefined && !this.#closed) {
      this.#scheduled = true
      // At the end of this turn: all that other sockets brought in it goes along.
      setImmediate(this.#start)
    }
    return this.#filling
  }

  // --- batches -----------------------------------------------------------------------------------------------------

  readonly #start = (): void => {
    this.#scheduled = false
    if (this.#working !== undefined || this.#filling.changes === 0) return
    this.#working = this.#work()
  }

  async #work(): Promise<void> {
    while (this.#filling.changes > 0) {
      const writer = this.#filling
      this.#filling = this.#writing
      this.#writing = writer
      const number = this.#batch++
      const done = await this.#write(writer, number)
      writer.reset()
      if (!done) break
      this.#committed = number
      this.#settle()
      this.#observer?.committed(number)
    }
    // With no step in between: what is changed from here on starts the next one.
    this.#working = undefined
  }

  /** Until it is written. false: closed before. */
  async #write(writer: BatchWriter, number: number): Promise<boolean> {
    for (let delay = firstRetry; ; delay = Math.min(2 * delay, lastRetry)) {
      try {
        await this.#supervisor.request(writer.seal(this.run, number))
        this.#report(undefined)
        return true
      } catch (error) {
        if (this.#closed) return false
        this.#report(
          error instanceof ThreadEnded
            ? `the thread of the store ended: ${error.message}`
            : String((error as Error).message),
        )
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delay)
        this.#hurry = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#hurry = undefined
      if (this.#closed) return false
    }
  }

  #report(problem: string | undefined): void {
    if (problem === this.#problem) return
    const before = this.#problem
    this.#problem = problem
    if (problem === undefined) this.#log?.info('the store works again; what waited is stored', { file: this.#file })
    else this.#log?.error('the store does not work; it is tried again', { problem })
    if (problem !== undefined) {
      const impatient = this.#waiting.filter((waiting) => waiting.impatient)
      this.#waiting = this.#waiting.filter((waiting) => !waiting.impatient)
      for (const { resolve } of impatient) resolve()
    }
    if ((before === undefined) !== (problem === undefined)) this.#observer?.troubled(problem)
  }

  settled(): Promise<void> {
    return this.#settled(false)
  }

  /** `impatient`: resolves also when the store begins to fail. */
  #settled(impatient: boolean): Promise<void> {
    const { last } = this
    if (this.#committed >= last) return Promise.resolve()
    if (this.#closed) return Promise.reject(this.#notWritten())
    return new Promise((resolve, reject) => this.#waiting.push({ batch: last, impatient, resolve, reject }))
  }

  #settle(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ batch }) => batch > this.#committed)
    for (const { batch, resolve } of waiting) if (batch <= this.#committed) resolve()
  }

  #notWritten(): StoreError {
    return new StoreError('STORE_CLOSED', `${this.#file}: closed before it was written`)
  }

  /** Writes what waits, unless the store does not work. */
  async close(patience: number): Promise<void> {
    const timer = setTimeout(() => this.#give(), patience)
    if (this.#problem === undefined) await this.settled().catch(() => {})
    clearTimeout(timer)
    this.#give()
    await this.#working
  }

  #give(): void {
    this.#closed = true
    this.#hurry?.()
    for (const { reject } of this.#waiting.splice(0)) reject(this.#notWritten())
  }

  // --- reading -----------------------------------------------------------------------------------------------------

  async readIndex(after: number, limit: number): Promise<SessionIndexPage> {
    return unpack((await this.#read({ kind: 'index', after, limit })) as PackedIndexPage)
  }

  readSession(session: number): Promise<StoredSession | undefined> {
    return this.#read({ kind: 'session', session }) as Promise<StoredSession | undefined>
  }

  readQueue(session: number, after: number, limit: number, bytes: number): Promise<QueuePage> {
    return this.#read({ kind: 'queue', session, after, limit, bytes }) as Promise<QueuePage>
  }

  readDue(from: number, to: number, limit: number): Promise<readonly string[]> {
    return this.#read({ kind: 'due', from, to, limit }) as Promise<readonly string[]>
  }

  readRetained(after: string, limit: number): Promise<RetainedPage> {
    return this.#read({ kind: 'retained', after, limit }) as Promise<RetainedPage>
  }

  async readMarks(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.#read({ kind: 'marks' })) as [string, string][])
  }

  async #read(query: Query): Promise<unknown> {
    if (this.#reading >= readsTogether) await new Promise<void>((resolve) => this.#readers.push(resolve))
    else this.#reading++
    try {
      return await this.#readNow(query)
    } finally {
      const next = this.#readers.shift()
      if (next === undefined) this.#reading--
      else setImmediate(next)
    }
  }

  async #readNow(query: Query): Promise<unknown> {
    // What a failing disk has not taken goes along: nobody knows how long it will take.
    if (this.#problem === undefined) await this.#settled(true)
    const asked = this.#problem === undefined ? { query } : { query, unwritten: this.#unwritten() }
    try {
      return await this.#supervisor.request(asked)
    } catch (error) {
      if (!(error instanceof ThreadEnded) || this.#closed) throw error
      return this.#supervisor.request(asked)
    }
  }

  #unwritten(): Uint8Array[] {
    const batches: Uint8Array[] = []
    if (this.#writing.changes > 0) batches.push(this.#writing.seal(this.run, this.#batch - 1))
    if (this.#filling.changes > 0) batches.push(this.#filling.seal(this.run, this.#batch))
    return batches
  }
}
