import type { Socket } from 'node:net'
import type { ListenerHost, PeerCertificate } from '@hookmq/api'
import type { ConnectionGate } from './connection-gate.ts'
import type { ProxyPreamble } from './proxy-header.ts'
import { DEFAULT_PROXY_TIMEOUT } from './proxy-reader.ts'
import { certificateOf, ProxyStage } from './proxy-stage.ts'
import { endpointsOf, refuse } from './socket-listener.ts'
import { type Endpoints, type SocketOrigin, SocketTransport } from './socket-transport.ts'

/** What `StreamAdmission` needs to know. */
export interface StreamAdmissionOptions {
  readonly id: string
  readonly socketType: 'tcp' | 'unix' | 'ssl'
  readonly gate: ConnectionGate
  readonly host: ListenerHost
  readonly mountpoint?: string
  readonly proxyProtocol?: boolean
  readonly proxyProtocolTimeout?: number
  /** Writes may go past the streams of the sockets: `canWriteDirectly()` said yes. */
  readonly writesDirectly?: boolean
  /** false: somebody else calls `gate.leave`. */
  readonly leavesGate?: boolean
}

/** Turns sockets that carry MQTT as they are, counted by `gate.enter`, into transports of the broker. */
export class StreamAdmission {
  private readonly options: StreamAdmissionOptions
  private readonly origin: SocketOrigin
  private readonly afterHeader: (transport: SocketTransport, header: ProxyPreamble) => void
  private readonly headerFailed: (transport: SocketTransport, problem: string) => void

  constructor(options: StreamAdmissionOptions) {
    const { id, socketType, gate, host, mountpoint, leavesGate = true } = options
    this.options = options
    this.origin = {
      socketType,
      listener: id,
      protocol: 'mqtt',
      mountpoint,
      log: host.log,
      defersWrites: socketType === 'ssl',
      writesDirectly: options.writesDirectly ?? false,
      closedReason: socketType === 'ssl' ? 'ssl_closed' : 'tcp_closed',
      released: (transport) => {
        if (transport.counted) gate.leaveAddress(transport.peerhost)
        if (leavesGate) gate.leave()
      },
    }
    this.afterHeader = (transport, header) => {
      transport.present(header.endpoints ?? transport, certificateOf(header.commonName))
      this.enter(transport, header.endpoints !== undefined || socketType !== 'unix')
    }
    this.headerFailed = (transport, problem) => {
      gate.refused.proxyProtocol += 1
      host.log.info('a connection without a valid PROXY protocol header is closed', {
        listener: id,
        peer: transport.peerhost,
        problem,
      })
      transport.destroy()
    }
  }

  /** @param shared whether the socket reads into the shared buffer: it comes from `adoptSocket` or `takeConnections` */
  admit(socket: Socket, shared = false): void {
    const { gate, socketType, proxyProtocol, proxyProtocolTimeout } = this.options
    const endpoints = endpointsOf(socket, socketType === 'unix')
    if (endpoints === undefined) {
      gate.leave()
      refuse(socket)
      return
    }
    const transport = new SocketTransport(socket, this.origin, endpoints)
    if (proxyProtocol === true) {
      const timeout = proxyProtocolTimeout ?? DEFAULT_PROXY_TIMEOUT
      transport.handle(new ProxyStage(transport, timeout, this.afterHeader, this.headerFailed))
    } else {
      this.enter(transport, socketType !== 'unix')
    }
    if (!shared) transport.readPlain()
  }

  /** A socket whose connection was counted, also for its address, by somebody who does both. */
  serve(socket: Socket, endpoints: Endpoints, certificate?: PeerCertificate): void {
    const transport = new SocketTransport(socket, this.origin, endpoints, certificate)
    this.hand(transport)
    transport.readPlain()
  }

  /** A connection that another process of this broker has accepted and counted, with the bytes that it has read. */
  adopt(
    socket: Socket,
    shared: boolean,
    endpoints: Endpoints,
    certificate: PeerCertificate | undefined,
    bytes: Buffer,
    admission?: unknown,
  ): void {
    this.options.gate.adopt()
    const transport = new SocketTransport(socket, this.origin, endpoints, certificate)
    this.hand(transport, admission)
    if (!shared) transport.readPlain()
    transport.receive(bytes)
  }

  private enter(transport: SocketTransport, byAddress: boolean): void {
    if (byAddress) {
      if (!this.options.gate.enterAddress(transport.peerhost)) {
        transport.destroy()
        return
      }
      transport.counted = true
    }
    this.hand(transport)
  }

  private hand(transport: SocketTransport, admission?: unknown): void {
    try {
      transport.handle(this.options.host.accept(transport, admission))
    } catch (error) {
      this.options.host.log.error('a connection could not be handed to the broker', {
        listener: this.options.id,
        error,
      })
      transport.destroy()
    }
  }
}
