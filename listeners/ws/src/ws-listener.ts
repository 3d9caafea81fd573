import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { ListenerHost } from '@hookmq/api'
import {
  contextFor,
  isAcceptable,
  LayeredListener,
  type LayeredListenerOptions,
  loadCredentials,
  peerCertificateOf,
  type TlsCredentials,
  type TlsOptions,
  verification,
} from '@hookmq/kit'
import { Handshake, type HandshakeOptions, refuseUpgrade } from './handshake.ts'
import { openTransport, originOf } from './open.ts'

export interface WsListenerOptions extends LayeredListenerOptions, HandshakeOptions {
  /** Given for wss. */
  readonly tls?: TlsOptions
}

/** MQTT over WebSocket, with or without TLS. [MQTT-6.0.0-1] [MQTT-6.0.0-2] [MQTT-6.0.0-3] [MQTT-6.0.0-4] */
export class WsListener extends LayeredListener {
  private readonly tls: TlsOptions | undefined
  private readonly handshake: Handshake
  private credentials: TlsCredentials | undefined = undefined
  private secureServer: SecureServer | undefined = undefined

  constructor(options: WsListenerOptions) {
    super(options.tls === undefined ? 'ws' : 'wss', options)
    this.tls = options.tls
    this.handshake = new Handshake(options)
  }

  /**
   * Reads the certificate files again. New connections get what they say now, open ones stay as they are.
   * @throws Error that names the file; then everything stays as it was
   */
  reloadCertificates(): void {
    if (this.tls === undefined) return
    const credentials = loadCredentials(this.id, this.tls)
    this.secureServer?.setSecureContext(credentials.context)
    this.credentials = credentials
  }

  protected override async prepareUpper(host: ListenerHost): Promise<(socket: Socket) => void> {
    const server = this.createUpper()
    const origin = originOf(this.id, this.tls !== undefined, host, this.options.mountpoint)
    server.on('request', answerRequest)
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!this.handshake.serves(request)) {
        refuseUpgrade(socket, 404, 'nothing is served at this path')
        return
      }
      const below = request.socket
      if (below instanceof TLSSocket && !isAcceptable(below)) {
        socket.destroy()
        return
      }
      this.handshake.upgrade(request, socket, head, (webSocket) => {
        const lower = this.established(below)
        if (lower === undefined) {
          webSocket.terminate()
          return
        }
        const certificate = below instanceof TLSSocket ? peerCertificateOf(below) : undefined
        openTransport(host, origin, webSocket, socket, lower.endpoints, certificate ?? lower.certificate)
      })
    })
    return (socket) => {
      server.emit('connection', socket)
      // Behind a PROXY protocol header the socket comes paused, with bytes that are read already. TLS fetches them, HTTP does not.
      if (this.tls === undefined) socket.resume()
    }
  }

  /** It never listens: connections come to it when limits and PROXY header are behind them. */
  private createUpper(): Server | SecureServer {
    if (this.tls === undefined) return createServer()
    const credentials = loadCredentials(this.id, this.tls)
    this.credentials = credentials
    const server = createSecureServer({
      ...credentials.context,
      ...verification(this.tls),
      ALPNProtocols: ['http/1.1'],
      SNICallback: (name, done) => done(null, this.credentials && contextFor(this.credentials, name)),
    })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    this.secureServer = server
    return server
  }
}

function answerRequest(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { 'Content-Type': 'text/plain; charset=utf-8', Upgrade: 'websocket', Connection: 'close' })
  response.end('this port speaks MQTT over WebSocket\n')
}

/**
 * A listener 'ws:NAME', or 'wss:NAME' when `options.tls` is given.
 * @throws Error when `options.address` is no address; what is wrong with the certificates is told by `start`
 */
export function createWsListener(options: WsListenerOptions): WsListener {
  return new WsListener(options)
}
