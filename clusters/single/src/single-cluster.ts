import type {
  Announcement,
  Cluster,
  ClusterHost,
  ClusterMember,
  ForwardedMessage,
  RetainedChange,
  SharedTarget,
  Tally,
  Transport,
  TransportHandler,
} from '@hookmq/api'

/** Hands a connection over; see `Cluster.handOver`. */
export type HandOver = (
  owner: string,
  transport: Transport,
  bytes: Uint8Array,
  admission?: unknown,
) => TransportHandler | undefined

/** Members of one process that know of each other, for tests and for programs that embed several brokers. One name: a cluster of one. */
export function createClusters(names: readonly string[], handOver?: HandOver): SingleCluster[] {
  const members = new Map<string, SingleCluster>()
  for (const name of names) members.set(name, new SingleCluster(name, names, members, handOver))
  return [...members.values()]
}

/** One of them. What is handed over arrives in a later turn of the event loop, as it would from another process. */
export class SingleCluster implements Cluster {
  readonly name: string
  readonly names: readonly string[]
  readonly congested = false
  readonly #all: ReadonlyMap<string, SingleCluster>
  readonly #handOver: HandOver | undefined
  readonly #announced = new Map<string, Announcement>()
  readonly #views = new Map<string, View>()
  #host: ClusterHost | undefined
  #queue: (() => void)[] = []
  #scheduled = false
  #forwarded = 0

  constructor(
    name: string,
    names: readonly string[],
    all: ReadonlyMap<string, SingleCluster>,
    handOver: HandOver | undefined,
  ) {
    this.name = name
    this.names = names
    this.#all = all
    this.#handOver = handOver
  }

  get leads(): boolean {
    return this.name === this.names[0]
  }

  get host(): ClusterHost | undefined {
    return this.#host
  }

  owner(clientId: string): string {
    let hash = 0
    for (let index = 0; index < clientId.length; index++)
      hash = (Math.imul(hash, 31) + clientId.charCodeAt(index)) >>> 0
    return this.names[hash % this.names.length]
  }

  async start(host: ClusterHost): Promise<void> {
    this.#host = host
    const others = this.#others()
    for (const other of others) {
      this.meet(other)
      other.meet(this)
    }
    const [source] = others
    const retained = source?.host?.retainedMessages()
    for (
      let next = retained?.next();
      source !== undefined && next !== undefined && next.done !== true;
      next = retained?.next()
    ) {
      if (next.value === undefined) continue
      const { id, ...message } = next.value
      const change = { topic: message.topic, message: { ...message, seenId: id }, stamp: 0, route: false }
      host.retained(this.#viewOf(source), change)
    }
  }

  /** Tells this one's host of another that is there now. */
  meet(other: SingleCluster): void {
    const view = this.#viewOf(other)
    this.#host?.forgotten(view)
    this.#host?.joined(view)
    for (const announcement of other.announcements()) this.#host?.announced(view, announcement)
  }

  announcements(): Iterable<Announcement> {
    return this.#announced.values()
  }

  async stop(): Promise<void> {
    await this.taken()
    this.#host = undefined
    for (const other of this.#others()) {
      other.host?.left(other.#viewOf(this))
      other.host?.forgotten(other.#viewOf(this))
    }
  }

  announce(announcement: Announcement): void {
    this.#announced.set(keyOf(announcement.filter, announcement.member?.clientId), announcement)
    this.#toAll((host, from) => host.announced(from, announcement))
  }

  withdraw(filter: string, clientId?: string): void {
    this.#announced.delete(keyOf(filter, clientId))
    this.#toAll((host, from) => host.withdrawn(from, filter, clientId))
  }

  retain(change: RetainedChange, tally?: Tally): void {
    this.#toAll((host, from) => add(tally, host.retained(from, change)))
  }

  tell(subject: string, value: unknown): void {
    const copy = structuredClone(value)
    this.#toAll((host, from) => host.told(from, subject, copy))
  }

  taken(): Promise<boolean> | undefined {
    if (this.#queue.length === 0) return undefined
    return new Promise((resolve) => this.enqueue(() => void this.#settled().then(() => resolve(true))))
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#others().map(({ host }) => host?.settled()))
  }

  handOver(owner: string, transport: Transport, bytes: Uint8Array, admission?: unknown): TransportHandler | undefined {
    return this.#all.get(owner)?.host === undefined ? undefined : this.#handOver?.(owner, transport, bytes, admission)
  }

  counters(): Readonly<Record<string, number>> {
    return { forwarded: this.#forwarded, dropped: 0 }
  }

  /** Runs in a later turn, behind what is waiting. */
  enqueue(step: () => void): void {
    this.#queue.push(step)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      for (const one of this.#queue.splice(0)) one()
    })
  }

  /** To the other member, as coming from this one. */
  send(to: SingleCluster, call: (host: ClusterHost, from: ClusterMember) => void): void {
    this.enqueue(() => {
      if (to.host !== undefined) call(to.host, to.#viewOf(this))
    })
  }

  forwarded(): void {
    this.#forwarded++
  }

  #toAll(call: (host: ClusterHost, from: ClusterMember) => void): void {
    for (const other of this.#others()) this.send(other, call)
  }

  #others(): SingleCluster[] {
    return [...this.#all.values()].filter((one) => one !== this && one.host !== undefined)
  }

  #viewOf(other: SingleCluster): View {
    const known = this.#views.get(other.name)
    if (known !== undefined) return known
    const view = new View(this, other)
    this.#views.set(other.name, view)
    return view
  }
}

/** Another member, as one of them sees it. */
class View implements ClusterMember {
  readonly #from: SingleCluster
  readonly #to: SingleCluster

  constructor(from: SingleCluster, to: SingleCluster) {
    this.#from = from
    this.#to = to
  }

  get name(): string {
    return this.#to.name
  }

  get connected(): boolean {
    return this.#to.host !== undefined
  }

  forward(message: ForwardedMessage, to?: SharedTarget, tally?: Tally): void {
    this.#from.forwarded()
    this.#from.send(this.#to, (host, from) => add(tally, host.received(from, message, to)))
  }

  forwardFrame(frame: Uint8Array, start: number, end: number, version: 4 | 5, publisher: string): void {
    this.#from.forwarded()
    const copy = Buffer.from(frame.subarray(start, end))
    this.#from.send(this.#to, (host, from) => host.receivedFrame(from, copy, 0, copy.length, version, publisher))
  }

  request(subject: string, value: unknown): Promise<unknown> {
    if (!this.connected) return Promise.reject(new Error(`${this.name} is not there`))
    const copy = structuredClone(value)
    return new Promise((resolve, reject) => {
      this.#from.send(this.#to, (host, from) => {
        try {
          Promise.resolve(host.requested(from, subject, copy)).then(
            (answer) => resolve(structuredClone(answer)),
            (error: unknown) => reject(new Error(error instanceof Error ? error.message : String(error))),
          )
        } catch (error) {
          reject(new Error(error instanceof Error ? error.message : String(error)))
        }
      })
    })
  }
}

function add(tally: Tally | undefined, receivers: number): void {
  if (tally !== undefined) tally.receivers += receivers
}

function keyOf(filter: string, clientId: string | undefined): string {
  return clientId === undefined ? filter : `${clientId}\0${filter}`
}
