import type { Socket } from 'node:net'
import type { ListenerHost, PeerCertificate } from '@hookmq/api'
import { DEFAULT_PROXY_TIMEOUT, readProxyHeader } from './proxy-reader.ts'
import { certificateOf } from './proxy-stage.ts'
import { endpointsOf, type Preparation, SocketListener, type SocketListenerOptions } from './socket-listener.ts'
import type { Endpoints } from './socket-transport.ts'

export interface LayeredListenerOptions extends SocketListenerOptions {
  /** Milliseconds from accepting to the end of the TLS and WebSocket handshakes; 15000 when left out. */
  readonly handshakeTimeout?: number
}

const DEFAULT_HANDSHAKE_TIMEOUT = 15000

/** A connection that still has a handshake before it. */
export interface LowerConnection {
  readonly socket: Socket
  readonly endpoints: Endpoints
  /** What the proxy in front has verified. */
  readonly certificate: PeerCertificate | undefined
}

/** A listener where another protocol comes before MQTT. Its connections are counted from accepting to the close of the socket. */
export abstract class LayeredListener extends SocketListener {
  private readonly lower = new WeakMap<Socket, LowerConnection>()
  private readonly waiting = new WeakMap<Socket, NodeJS.Timeout>()
  private readonly layered: LayeredListenerOptions

  constructor(kind: string, options: LayeredListenerOptions) {
    super(kind, options)
    this.layered = options
  }

  /**
   * Builds the protocol on top.
   * @returns what takes a socket whose first byte belongs to that protocol
   */
  protected abstract prepareUpper(host: ListenerHost): Promise<(socket: Socket) => void>

  protected override async prepare(host: ListenerHost): Promise<Preparation> {
    const upper = await this.prepareUpper(host)
    return {
      accepted: (socket) => {
        let counted: string | undefined
        socket.on('error', ignore)
        socket.once('close', () => {
          if (this.waiting.has(socket)) {
            clearTimeout(this.waiting.get(socket))
            if (this.lower.has(socket)) this.gate.refused.handshake += 1
          }
          if (counted !== undefined) this.gate.leaveAddress(counted)
          this.gate.leave()
        })
        const timeout = this.layered.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT
        this.waiting.set(
          socket,
          setTimeout(() => socket.destroy(), timeout),
        )
        const own = endpointsOf(socket, this.isUnix)
        if (own === undefined) {
          socket.destroy()
          return
        }
        const go = (endpoints: Endpoints, byAddress: boolean, certificate?: PeerCertificate): void => {
          if (byAddress) {
            if (!this.gate.enterAddress(endpoints.peerhost)) {
              socket.destroy()
              return
            }
            counted = endpoints.peerhost
          }
          this.lower.set(socket, { socket, endpoints, certificate })
          upper(socket)
        }
        if (this.options.proxyProtocol !== true) {
          go(own, !this.isUnix)
          return
        }
        readProxyHeader(socket, this.options.proxyProtocolTimeout ?? DEFAULT_PROXY_TIMEOUT, (header) => {
          if (typeof header !== 'string') {
            const told = header.endpoints
            go(told ?? own, told !== undefined || !this.isUnix, certificateOf(header.commonName))
            return
          }
          this.gate.refused.proxyProtocol += 1
          host.log.info('a connection without a valid PROXY protocol header is closed', {
            listener: this.id,
            peer: own.peerhost,
            problem: header,
          })
          socket.destroy()
        })
      },
    }
  }

  /** Ends the time limit of the handshakes. @returns undefined for a socket that is not one of this listener's */
  protected established(socket: Socket): LowerConnection | undefined {
    // A TLS socket keeps the one that it was made from under this undocumented name.
    const { _parent: parent } = socket as Socket & { _parent?: Socket | null }
    const lower = this.lower.get(socket) ?? (parent ? this.lower.get(parent) : undefined)
    if (lower !== undefined) {
      clearTimeout(this.waiting.get(lower.socket))
      this.waiting.delete(lower.socket)
    }
    return lower
  }
}

function ignore(): void {}
