import type {
  QueuePage,
  RetainedPage,
  SessionIndexPage,
  SessionStore,
  SessionStoreObserver,
  StoredDelivery,
  StoredSession,
} from '@hookmq/api'

interface Held {
  readonly clientId: string
  due: number | undefined
  record: Uint8Array
  readonly subscriptions: Map<string, { readonly bits: number; readonly identifier: number }>
  /** In the order of their sequence: that is the order in which they come. */
  readonly deliveries: Map<number, StoredDelivery>
  readonly awaiting: Map<number, number>
}

interface Contents {
  readonly sessions: Map<number, Held>
  readonly retained: Map<string, Uint8Array>
  readonly marks: Map<string, string>
  run: number
}

/**
 * Sessions in memory, in batches as a disk takes them: for tests, which can make it slow, let it fail, and take what a crash would have
 * left (`reopened`).
 */
export class MemorySessionStore implements SessionStore {
  readonly run: number
  batch = 1
  committed = 0
  changes = 0
  waitingBytes = 0
  problem: string | undefined
  #contents: Contents
  #waiting: (() => void)[] = []
  #observer: SessionStoreObserver | undefined
  #scheduled = false
  #paused = false
  #closed = false
  #settled: (() => void)[] = []
  /** Who reads does not wait for a store that fails. */
  #readers: (() => void)[] = []

  constructor(contents: Contents = { sessions: new Map(), retained: new Map(), marks: new Map(), run: 0 }) {
    this.#contents = contents
    this.run = ++contents.run
  }

  /** A store that begins with what this one has committed; this one is over. */
  reopened(): MemorySessionStore {
    this.#closed = true
    this.#waiting = []
    return new MemorySessionStore(structuredClone(this.#contents))
  }

  /** Nothing is committed until `resume`. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  /** Fails from now on; undefined: works again. */
  fail(problem: string | undefined): void {
    this.problem = problem
    this.#paused = problem !== undefined
    this.#letRead()
    this.#observer?.troubled(problem)
    this.#schedule()
  }

  get last(): number {
    return this.#waiting.length > 0 ? this.batch : this.batch - 1
  }

  observe(observer: SessionStoreObserver): void {
    this.#observer = observer
  }

  putSession(session: number, clientId: string, due: number | undefined, record: Uint8Array): void {
    const copy = Uint8Array.from(record)
    this.#change(record.length, () => {
      const held = this.#contents.sessions.get(session)
      if (held !== undefined) {
        held.due = due
        held.record = copy
        return
      }
      const fresh = { subscriptions: new Map(), deliveries: new Map(), awaiting: new Map() }
      this.#contents.sessions.set(session, { clientId, due, record: copy, ...fresh })
    })
  }

  deleteSession(session: number): void {
    this.#change(0, () => this.#contents.sessions.delete(session))
  }

  putSubscription(session: number, filter: string, bits: number, identifier: number): void {
    this.#changeOf(session, filter.length, ({ subscriptions }) => subscriptions.set(filter, { bits, identifier }))
  }

  deleteSubscription(session: number, filter: string): void {
    this.#changeOf(session, filter.length, ({ subscriptions }) => subscriptions.delete(filter))
  }

  append(session: number, delivery: StoredDelivery): void {
    const copy = { ...delivery, body: Uint8Array.from(delivery.body) }
    const { sequence, body } = copy
    this.#changeOf(session, body.length, ({ deliveries }) => deliveries.set(sequence, copy))
  }

  advance(session: number, sequence: number, packetId: number, released: boolean): void {
    this.#changeOf(session, 0, ({ deliveries }) => {
      const delivery = deliveries.get(sequence)
      if (delivery !== undefined) deliveries.set(sequence, { ...delivery, packetId, released })
    })
  }

  remove(session: number, sequence: number): void {
    this.#changeOf(session, 0, ({ deliveries }) => deliveries.delete(sequence))
  }

  putAwaiting(session: number, packetId: number, since: number): void {
    this.#changeOf(session, 0, ({ awaiting }) => awaiting.set(packetId, since))
  }

  deleteAwaiting(session: number, packetId: number): void {
    this.#changeOf(session, 0, ({ awaiting }) => awaiting.delete(packetId))
  }

  putRetained(topic: string, body: Uint8Array): void {
    this.#change(body.length, () => this.#contents.retained.set(topic, body))
  }

  deleteRetained(topic: string): void {
    this.#change(0, () => this.#contents.retained.delete(topic))
  }

  clearRetained(): void {
    this.#change(0, () => this.#contents.retained.clear())
  }

  putMark(name: string, text: string): void {
    this.#change(text.length, () => this.#contents.marks.set(name, text))
  }

  #changeOf(session: number, bytes: number, run: (held: Held) => void): void {
    this.#change(bytes, () => {
      const held = this.#contents.sessions.get(session)
      if (held !== undefined) run(held)
    })
  }

  #change(bytes: number, run: () => void): void {
    this.changes++
    this.waitingBytes += bytes + 32
    this.#waiting.push(run)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#closed || this.#waiting.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#paused) this.#commit()
    })
  }

  #commit(): void {
    const changes = this.#waiting
    if (changes.length === 0 || this.#closed) return
    this.#waiting = []
    this.waitingBytes = 0
    for (const change of changes) change()
    this.committed = this.batch++
    const settled = this.#settled
    this.#settled = []
    for (const resolve of settled) resolve()
    this.#letRead()
    this.#observer?.committed(this.committed)
  }

  settled(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#settled.push(resolve))
  }

  #letRead(): void {
    const readers = this.#readers
    this.#readers = []
    for (const resolve of readers) resolve()
  }

  /** What readers see: all that was changed, also what a store that fails has not committed. */
  async #seen(): Promise<Contents> {
    if (this.#waiting.length > 0 && this.problem === undefined)
      await new Promise<void>((resolve) => this.#readers.push(resolve))
    if (this.#waiting.length === 0 || this.problem === undefined) return this.#contents
    const committed = this.#contents
    this.#contents = structuredClone(committed)
    for (const change of this.#waiting) change()
    const seen = this.#contents
    this.#contents = committed
    return seen
  }

  async readIndex(after: number, limit: number): Promise<SessionIndexPage> {
    const { sessions } = await this.#seen()
    const numbers = [...sessions.keys()]
      .filter((number) => number > after)
      .sort((a, b) => a - b)
      .slice(0, limit)
    const held = numbers.map((number) => sessions.get(number) as Held)
    const rows = held.flatMap(({ subscriptions }, owner) =>
      [...subscriptions].map(([filter, options]) => ({ owner, filter, ...options })),
    )
    const waiting = held.map((session) => inOrder(session).filter(({ packetId }) => packetId === 0))
    return {
      numbers: Float64Array.from(numbers),
      clientIds: Buffer.from(held.map(({ clientId }) => `${clientId}\0`).join('')),
      dues: Float64Array.from(held, ({ due }) => due ?? -1),
      waiting: Uint32Array.from(waiting, ({ length }) => length),
      waitingBytes: Float64Array.from(waiting, bytesOf),
      inflight: Uint32Array.from(held, ({ deliveries }, index) => deliveries.size - (waiting[index]?.length ?? 0)),
      owners: Uint32Array.from(rows, ({ owner }) => owner),
      filters: rows.map(({ filter }) => filter),
      bits: Uint8Array.from(rows, ({ bits }) => bits),
      identifiers: Uint32Array.from(rows, ({ identifier }) => identifier),
    }
  }

  async readSession(session: number): Promise<StoredSession | undefined> {
    const { sessions } = await this.#seen()
    const held = sessions.get(session)
    if (held === undefined) return undefined
    const deliveries = inOrder(held)
    const waiting = deliveries.filter(({ packetId }) => packetId === 0)
    return {
      record: held.record,
      awaiting: [...held.awaiting].sort(([, a], [, b]) => a - b),
      inflight: deliveries.filter(({ packetId }) => packetId !== 0),
      queued: waiting.length,
      queuedBytes: bytesOf(waiting),
    }
  }

  async readQueue(session: number, after: number, limit: number, bytes: number): Promise<QueuePage> {
    const { sessions } = await this.#seen()
    const held = sessions.get(session)
    const deliveries: StoredDelivery[] = []
    let read = 0
    for (const delivery of held === undefined ? [] : inOrder(held)) {
      if (delivery.sequence <= after || delivery.packetId !== 0) continue
      deliveries.push(delivery)
      read += delivery.body.length
      if (deliveries.length === limit || read >= bytes) return { deliveries, more: true }
    }
    return { deliveries, more: false }
  }

  async readDue(from: number, to: number, limit: number): Promise<readonly string[]> {
    const { sessions } = await this.#seen()
    return [...sessions.values()]
      .filter(({ due }) => due !== undefined && due >= from && due <= to)
      .sort((a, b) => (a.due ?? 0) - (b.due ?? 0))
      .slice(0, limit)
      .map(({ clientId }) => clientId)
  }

  async readRetained(after: string, limit: number): Promise<RetainedPage> {
    const { retained } = await this.#seen()
    const topics = [...retained.keys()].sort(byCodePoints)
    const found = topics.filter((topic) => byCodePoints(topic, after) > 0).slice(0, limit)
    return { topics: found, bodies: found.map((topic) => retained.get(topic) as Uint8Array) }
  }

  async readMarks(): Promise<ReadonlyMap<string, string>> {
    const { marks } = await this.#seen()
    return new Map(marks)
  }
}

function bytesOf(deliveries: readonly StoredDelivery[]): number {
  return deliveries.reduce((sum, { body, size }) => sum + (size ?? body.length), 0)
}

function inOrder({ deliveries }: Held): StoredDelivery[] {
  return [...deliveries.values()].sort((a, b) => a.sequence - b.sequence)
}

function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
