import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type {
  Announcement,
  Cluster,
  ClusterHost,
  Logger,
  RetainedChange,
  Tally,
  Transport,
  TransportHandler,
} from '@hookmq/api'
import * as F from './frame-types.ts'
import type { FrameWriter } from './frame-writer.ts'
import { type Hello, readHello } from './hello.ts'
import { Link } from './link.ts'
import type { Outgoing } from './outgoing.ts'
import { ownerOf } from './owner.ts'

export interface WorkersClusterOptions {
  readonly name: string
  /** Of all workers, in the same order in each. The first one leads. */
  readonly names: readonly string[]
  /** For the sockets, one for each worker; its owner alone gets in. */
  readonly folder: string
  readonly log: Logger
  /** Others that `start` waits for. Default: all. */
  readonly expected?: readonly string[]
  /** Bytes that may wait for one worker; an eighth of it slows publishers down. Default 64 MB. */
  readonly maxPending?: number
  /** Milliseconds that messages are kept for a worker that is away, and that `start` waits for the others. Default 10,000. */
  readonly patience?: number
  /** Hands a connection to another worker; see `Cluster.handOver`. */
  readonly handOver?: Cluster['handOver']
}

const shortestDelay = 20
const longestDelay = 1000

/** The workers of one broker on one machine: a Unix socket between any two of them, and one batch of frames per turn in each direction. */
export class WorkersCluster implements Cluster {
  readonly name: string
  readonly names: readonly string[]
  readonly #options: WorkersClusterOptions
  readonly #run = randomUUID()
  readonly #links = new Map<string, Link>()
  readonly #list: Link[] = []
  /** By filter, and by filter and client for members of shared groups. */
  readonly #filters = new Set<string>()
  readonly #shared = new Map<string, Map<string, Announcement>>()
  readonly #giveUp = new Map<Link, NodeJS.Timeout>()
  readonly #retry = new Map<string, NodeJS.Timeout>()
  #host: ClusterHost | undefined
  #server: Server | undefined
  #serving = false
  #stopped = false
  #progress: (() => void) | undefined

  constructor(options: WorkersClusterOptions) {
    this.#options = options
    this.name = options.name
    this.names = options.names
    const most = options.maxPending ?? 64 * 1024 * 1024
    const bounds = { most, highWater: most / 8 }
    const owner = {
      get host(): ClusterHost {
        return self.#requireHost()
      },
      announceAll: (out: Outgoing) => this.#announceAll(out.writer),
      helloOf: (): Hello => ({ name: this.name, serving: this.#serving, run: this.#run }),
      relieved: () => {
        if (!this.congested) this.#host?.relieved()
      },
      away: (link: Link) => this.#away(link),
      ready: () => this.#progress?.(),
    }
    const self = this
    for (const name of options.names) {
      if (name === options.name) continue
      const link = new Link(name, bounds, owner)
      this.#links.set(name, link)
      this.#list.push(link)
    }
  }

  get leads(): boolean {
    return this.name === this.names[0]
  }

  get congested(): boolean {
    return this.#list.some(({ out }) => out.congested)
  }

  owner(clientId: string): string {
    return ownerOf(clientId, this.names)
  }

  async start(host: ClusterHost): Promise<void> {
    this.#host = host
    await this.#listen()
    // Of each pair the later one in the list connects.
    for (const name of this.names.slice(0, this.names.indexOf(this.name))) this.#connect(name, shortestDelay)
    const { expected = this.names } = this.#options
    const awaited = this.#list.filter(({ name }) => expected.includes(name))
    await this.#until(() => awaited.every(({ ready }) => ready))
    const missing = awaited.filter(({ ready }) => !ready)
    if (missing.length > 0)
      this.#options.log.warn('started without other workers; they join when they are there', {
        missing: missing.map(({ name }) => name).join(', '),
      })
    const source = this.#list.find((link) => link.connected && link.serving)
    if (source !== undefined) await source.wantRetained()
    this.#serving = true
  }

  async stop(timeout = 1000): Promise<void> {
    this.#stopped = true
    for (const timer of [...this.#giveUp.values(), ...this.#retry.values()]) clearTimeout(timer)
    for (const link of this.#list) if (!link.hasSocket) link.out.giveUp()
    const last = this.taken()
    if (last !== undefined) await Promise.race([last, new Promise((resolve) => setTimeout(resolve, timeout).unref())])
    for (const link of this.#list) {
      link.out.flush()
      link.close()
    }
    this.#server?.close()
    rmSync(this.#path(this.name), { force: true })
    setTimeout(() => {
      for (const link of this.#list) link.destroy()
    }, 200).unref()
  }

  announce(announcement: Announcement): void {
    const { filter, member } = announcement
    if (member === undefined) {
      this.#filters.add(filter)
      for (const { out } of this.#established()) {
        out.writer.text(F.ANNOUNCE, filter)
        out.written()
      }
      return
    }
    let clients = this.#shared.get(filter)
    if (clients === undefined) {
      clients = new Map()
      this.#shared.set(filter, clients)
    }
    clients.set(member.clientId, announcement)
    for (const link of this.#established()) link.value(F.ANNOUNCE_SHARED, announcement)
  }

  withdraw(filter: string, clientId?: string): void {
    if (clientId === undefined) {
      this.#filters.delete(filter)
      for (const { out } of this.#established()) {
        out.writer.text(F.WITHDRAW, filter)
        out.written()
      }
      return
    }
    const clients = this.#shared.get(filter)
    clients?.delete(clientId)
    if (clients?.size === 0) this.#shared.delete(filter)
    for (const link of this.#established()) link.value(F.WITHDRAW_SHARED, { filter, clientId })
  }

  retain(change: RetainedChange, tally?: Tally): void {
    for (const link of this.#list) link.retain(change, tally)
  }

  tell(subject: string, value: unknown): void {
    for (const link of this.#established()) link.value(F.TELL, { subject, value })
  }

  taken(): Promise<boolean> | undefined {
    let only: Promise<boolean> | undefined
    let all: Promise<boolean>[] | undefined
    for (const { out, known } of this.#list) {
      const one = known ? out.taken() : undefined
      if (one === undefined) continue
      if (only === undefined) only = one
      else {
        all ??= [only]
        all.push(one)
      }
    }
    return all === undefined ? only : Promise.all(all).then((each) => each.every((taken) => taken))
  }

  handOver(owner: string, transport: Transport, bytes: Uint8Array, admission?: unknown): TransportHandler | undefined {
    if (this.#links.get(owner)?.connected !== true) return undefined
    return this.#options.handOver?.(owner, transport, bytes, admission)
  }

  counters(): Readonly<Record<string, number>> {
    let dropped = 0
    let flushes = 0
    let received = 0
    let pending = 0
    for (const link of this.#list) {
      dropped += link.out.dropped
      flushes += link.out.flushes
      received += link.received
      pending += link.out.pending
    }
    return { dropped, flushes, received, pending }
  }

  // --- connections between workers -----------------------------------------------------------------------------------

  #established(): Link[] {
    return this.#list.filter(({ hasSocket }) => hasSocket)
  }

  #path(name: string): string {
    return join(this.#options.folder, `${name}.sock`)
  }

  async #listen(): Promise<void> {
    const { folder } = this.#options
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const path = this.#path(this.name)
    rmSync(path, { force: true })
    const server = createServer((socket) => this.#meet(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    server.on('error', (error) => this.#options.log.error('the socket for other workers failed', { error }))
    chmodSync(path, 0o600)
  }

  #connect(name: string, delay: number): void {
    if (this.#stopped || this.#links.get(name)?.hasSocket === true) return
    const socket = connect(this.#path(name))
    const again = (): void => {
      if (this.#stopped) return
      const timer = setTimeout(() => this.#connect(name, Math.min(2 * delay, longestDelay)), delay)
      this.#retry.set(name, timer)
    }
    socket.once('error', again)
    socket.once('connect', () => {
      socket.off('error', again)
      this.#attach(name, socket)
    })
  }

  /** Somebody connects: its first frame says who it is. */
  #meet(socket: Socket): void {
    let bytes: Buffer = Buffer.alloc(0)
    const first = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      try {
        const hello = readHello(bytes)
        if (hello === undefined) return
        if (!this.#links.has(hello.name)) throw new Error(`there is no worker '${hello.name}'`)
        socket.off('data', first)
        this.#attach(hello.name, socket, bytes)
      } catch (error) {
        this.#options.log.error('a connection of another worker makes no sense', { error })
        socket.destroy()
      }
    }
    socket.on('error', () => socket.destroy())
    socket.on('data', first)
  }

  #attach(name: string, socket: Socket, received?: Buffer): void {
    const link = this.#links.get(name)
    if (link === undefined || this.#stopped) return void socket.destroy()
    // A new connection says that the old one is gone, whether or not that has been noticed.
    link.destroy()
    clearTimeout(this.#giveUp.get(link))
    this.#giveUp.delete(link)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => link.detach(socket))
    const reader = link.attach(socket)
    const take = (chunk: Buffer): void => {
      try {
        reader.write(chunk)
        link.reached()
      } catch (error) {
        this.#options.log.error('bytes of another worker make no sense; the connection is made anew', {
          worker: name,
          error,
        })
        socket.destroy()
      }
    }
    socket.on('data', take)
    if (received !== undefined) take(received)
  }

  #away(link: Link): void {
    if (this.#stopped) return void link.out.giveUp()
    const patience = this.#options.patience ?? 10_000
    const timer = setTimeout(() => {
      this.#giveUp.delete(link)
      const lost = link.giveUp()
      if (lost > 0)
        this.#options.log.error('a worker is away for too long; what waited for it is lost', {
          worker: link.name,
          bytes: lost,
        })
    }, patience)
    this.#giveUp.set(link, timer)
    if (this.names.indexOf(link.name) < this.names.indexOf(this.name)) this.#connect(link.name, shortestDelay)
  }

  #announceAll(writer: FrameWriter): void {
    for (const filter of this.#filters) writer.text(F.ANNOUNCE, filter)
    for (const clients of this.#shared.values()) {
      for (const announcement of clients.values()) writer.value(F.ANNOUNCE_SHARED, announcement)
    }
  }

  #requireHost(): ClusterHost {
    if (this.#host === undefined) throw new Error('the cluster has not been started')
    return this.#host
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#progress = undefined
        resolve()
      }
      const timer = setTimeout(done, this.#options.patience ?? 10_000)
      this.#progress = () => {
        if (condition()) done()
      }
      this.#progress()
    })
  }
}
