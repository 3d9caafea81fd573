import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { ListenerHost } from '@hookmq/api'
import {
  contextFor,
  isAcceptable,
  LayeredListener,
  type LayeredListenerOptions,
  loadCredentials,
  peerCertificateOf,
  StreamAdmission,
  type TlsCredentials,
  type TlsOptions,
  verification,
} from '@hookmq/kit'

export interface TlsListenerOptions extends LayeredListenerOptions {
  readonly tls: TlsOptions
}

/** MQTT over TLS. */
export class TlsListener extends LayeredListener {
  private readonly tls: TlsOptions
  private credentials: TlsCredentials | undefined = undefined
  private upper: Server | undefined = undefined

  constructor(options: TlsListenerOptions) {
    super('ssl', options)
    this.tls = options.tls
  }

  /**
   * Reads the certificate files again. New connections get what they say now, open ones stay as they are.
   * @throws Error that names the file; then everything stays as it was
   */
  reloadCertificates(): void {
    const credentials = loadCredentials(this.id, this.tls)
    this.upper?.setSecureContext(credentials.context)
    this.credentials = credentials
  }

  protected override async prepareUpper(host: ListenerHost): Promise<(socket: Socket) => void> {
    const { id, gate } = this
    const credentials = loadCredentials(id, this.tls)
    this.credentials = credentials
    const admission = new StreamAdmission({ ...this.options, id, socketType: 'ssl', gate, host, leavesGate: false })
    const server = createServer({
      ...credentials.context,
      ...verification(this.tls),
      SNICallback: (name, done) => done(null, this.credentials && contextFor(this.credentials, name)),
    })
    server.on('secureConnection', (socket: TLSSocket) => {
      const lower = isAcceptable(socket) ? this.established(socket) : undefined
      if (lower === undefined) {
        socket.destroy()
        return
      }
      admission.serve(socket, lower.endpoints, peerCertificateOf(socket) ?? lower.certificate)
    })
    server.on('tlsClientError', (error, socket) => {
      host.log.debug('a TLS handshake failed', { listener: id, peer: socket.remoteAddress, error: error.message })
      socket.destroy()
    })
    this.upper = server
    return (socket) => server.emit('connection', socket)
  }
}

/** @throws Error when `options.address` is no address; what is wrong with the certificates is told by `start` */
export function createTlsListener(options: TlsListenerOptions): TlsListener {
  return new TlsListener(options)
}
