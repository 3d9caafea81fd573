import { createServer, type Server, type Socket } from 'node:net'
import type { Listener, ListenerHost } from '@hookmq/api'
import { formatAddress, type ListenAddress, normalizeAddress, parseListenAddress } from './address.ts'
import { bindServer } from './bind.ts'
import { ConnectionGate, type ConnectionLimits, type RefusedConnections } from './connection-gate.ts'
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
}

/** A Unix socket has no addresses; rules that name one see the own machine. */
const UNIX_ENDPOINTS: Endpoints = { peerhost: '127.0.0.1', peerport: 0, sockhost: '127.0.0.1', sockport: 0 }

/** Binding, limits and counting: what the listeners for TCP, TLS and WebSocket have in common. */
export abstract class SocketListener implements Listener {
  readonly id: string
  protected readonly options: SocketListenerOptions
  protected readonly gate: ConnectionGate
  private readonly wanted: ListenAddress
  private bound: ListenAddress
  private server: Server | undefined = undefined

  /** @param kind 'tcp', 'ssl' …: the first half of the id */
  constructor(kind: string, options: SocketListenerOptions) {
    this.id = `${kind}:${options.name ?? 'default'}`
    this.options = options
    this.wanted = typeof options.address === 'string' ? parseListenAddress(options.address) : options.address
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

  /** What must be ready before the first connection. Throws what the user is to read. */
  protected async prepare(_host: ListenerHost): Promise<void> {}

  /** A connection that was counted with `gate.enter`: it is this method's to `leave`. */
  protected abstract accepted(socket: Socket, host: ListenerHost, server: Server): void

  /** Whether sockets come paused. */
  protected get pauseOnConnect(): boolean {
    return false
  }

  async start(host: ListenerHost): Promise<void> {
    if (this.server !== undefined) throw new Error(`listener ${this.id} is started already`)
    const server = createServer({ pauseOnConnect: this.pauseOnConnect, noDelay: this.options.noDelay ?? true })
    this.server = server
    try {
      await this.prepare(host)
      server.on('connection', (socket: Socket) => {
        if (this.gate.enter()) this.accepted(socket, host, server)
        else refuse(socket)
      })
      this.bound = await bindServer(server, this.id, this.wanted, this.options.backlog)
    } catch (error) {
      this.server = undefined
      throw error
    }
    server.on('error', (error) => host.log.error('a connection could not be accepted', { listener: this.id, error }))
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
