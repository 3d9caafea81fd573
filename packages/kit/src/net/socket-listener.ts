import { createServer, type Server, type Socket } from 'node:net'
import type { Listener, ListenerHost } from '@hookmq/api'
import { formatAddress, type ListenAddress, normalizeAddress, toListenAddress } from './address.ts'
import { bindServer } from './bind.ts'
import { ConnectionGate, type ConnectionLimits, type RefusedConnections } from './connection-gate.ts'
import { takeConnections } from './shared-read.ts'
import type { Endpoints } from './socket-transport.ts'

/** What every listener on a socket takes. Durations are milliseconds; a limit of 0 is no limit. */
export interface SocketListenerOptions extends ConnectionLimits {
  /** 'external': the id is then 'tcp:external'. */
  readonly name?: string
  /** Text as `parseListenAddress` reads it: '127.0.0.1:1883', '/run/hookmq.sock'. */
  readonly address: ListenAddress | string
  /** Connections that the system keeps until they are accepted; 511 when left out. */
  readonly backlog?: number
  /** Send small packets at once (TCP_NODELAY); true when left out. */
  readonly noDelay?: boolean
  /** Every connection begins with a PROXY protocol header, version 1 or 2. */
  readonly proxyProtocol?: boolean
  /** From accepting to the complete header; 3000 when left out. */
  readonly proxyProtocolTimeout?: number
  /** Prefix for the topics of its clients, %c and %u allowed. */
  readonly mountpoint?: string
  /** Several processes bind the same port, and the system spreads connections over them. Not every system can. */
  readonly reusePort?: boolean
  /** false: it binds nothing, and gets the connections that another process has accepted. */
  readonly bind?: boolean
}

/** A Unix socket has no addresses; rules that name one see the own machine. */
const UNIX_ENDPOINTS: Endpoints = { peerhost: '127.0.0.1', peerport: 0, sockhost: '127.0.0.1', sockport: 0 }

export interface Preparation {
  accepted(socket: Socket, server: Server): void
  /** Takes sockets that read into the shared buffer, where the server can make them (`takeConnections`). */
  readonly shared?: (socket: Socket) => void
  /** Whether the sockets come paused. */
  readonly pauseOnConnect?: boolean
}

/** Binding, limits and counting: what the listeners for TCP, TLS and WebSocket have in common. */
export abstract class SocketListener implements Listener {
  readonly id: string
  protected readonly options: SocketListenerOptions
  protected readonly gate: ConnectionGate
  private readonly wanted: ListenAddress
  private bound: ListenAddress
  private server: Server | undefined = undefined
  private starting = false

  /** @param kind 'tcp', 'ssl' …: the first half of the id */
  constructor(kind: string, options: SocketListenerOptions) {
    this.id = `${kind}:${options.name ?? 'default'}`
    this.options = options
    this.wanted = toListenAddress(options.address)
    this.bound = this.wanted
    this.gate = new ConnectionGate(options)
  }

  get address(): string {
    return formatAddress(this.bound)
  }

  get currentConnections(): number {
    return this.gate.current
  }

  get maxConnections(): number {
    return this.gate.maxConnections
  }

  get refused(): Readonly<RefusedConnections> {
    return this.gate.refused
  }

  protected get isUnix(): boolean {
    return 'path' in this.wanted
  }

  /**
   * Makes ready what the first connection needs. Throws what the user is to read.
   * @returns what takes each connection; it was counted with `gate.enter` and is the taker's to `leave`
   */
  protected abstract prepare(host: ListenerHost): Promise<Preparation>

  async start(host: ListenerHost): Promise<void> {
    if (this.server !== undefined || this.starting) throw new Error(`listener ${this.id} is started already`)
    this.starting = true
    try {
      const { accepted, shared, pauseOnConnect } = await this.prepare(host)
      const { noDelay = true } = this.options
      const server = createServer({ pauseOnConnect, noDelay })
      server.on('connection', (socket: Socket) => {
        if (this.gate.enter()) accepted(socket, server)
        else refuse(socket)
      })
      if (this.options.bind !== false) {
        const { backlog, reusePort } = this.options
        this.bound = await bindServer(server, this.id, this.wanted, backlog, reusePort)
        if (shared !== undefined) {
          takeConnections(server, noDelay, (socket) => {
            if (this.gate.enter()) shared(socket)
            else refuse(socket)
          })
        }
      }
      this.server = server
      server.on('error', (error) => host.log.error('a connection could not be accepted', { listener: this.id, error }))
    } finally {
      this.starting = false
    }
  }

  async stop(): Promise<void> {
    const server = this.server
    if (server === undefined) return
    this.server = undefined
    // Its callback would wait for the open connections. The port is free as soon as close returns.
    server.close()
    this.bound = this.wanted
  }
}

/** Closes a connection that nobody is told about. */
export function refuse(socket: Socket): void {
  socket.on('error', ignore)
  socket.destroy()
}

/** @returns undefined when the peer is gone already */
export function endpointsOf(socket: Socket, isUnix: boolean): Endpoints | undefined {
  if (isUnix) return UNIX_ENDPOINTS
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  if (remoteAddress === undefined || localAddress === undefined) return undefined
  return {
    peerhost: normalizeAddress(remoteAddress),
    peerport: remotePort ?? 0,
    sockhost: normalizeAddress(localAddress),
    sockport: localPort ?? 0,
  }
}

function ignore(): void {}
