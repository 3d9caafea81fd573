import type { ListenerHost, PeerCertificate } from '@hookmq/api'
import {
  adoptSocket,
  canShareReads,
  canWriteDirectly,
  type Endpoints,
  type Preparation,
  SocketListener,
  type SocketListenerOptions,
  StreamAdmission,
  socketOfHandle,
  toListenAddress,
} from '@hookmq/kit'

export interface TcpListenerOptions extends SocketListenerOptions {
  /** false: every read gets a buffer of its own, and writes go through Node's streams. Where Node does not allow otherwise, that is so in any case. */
  readonly sharedReads?: boolean
}

/** MQTT on a TCP port or a Unix socket. */
export class TcpListener extends SocketListener {
  private readonly sharedReads: boolean
  private admission: StreamAdmission | undefined = undefined

  constructor(options: TcpListenerOptions) {
    super('path' in toListenAddress(options.address) ? 'unix' : 'tcp', options)
    this.sharedReads = options.sharedReads ?? true
  }

  /**
   * Takes a connection that another process of this broker has accepted: its handle, and what that process has read of it.
   * @returns false when the listener has never been started
   */
  async adopt(
    handle: object,
    endpoints: Endpoints,
    certificate: PeerCertificate | undefined,
    bytes: Buffer,
    admission?: unknown,
  ): Promise<boolean> {
    const shared = this.sharedReads && (await canShareReads())
    this.admission?.adopt(socketOfHandle(handle, shared), shared, endpoints, certificate, bytes, admission)
    return this.admission !== undefined
  }

  protected override async prepare(host: ListenerHost): Promise<Preparation> {
    this.admission = undefined
    const admission = new StreamAdmission({
      ...this.options,
      id: this.id,
      socketType: this.isUnix ? 'unix' : 'tcp',
      gate: this.gate,
      host,
      writesDirectly: this.sharedReads && (await canWriteDirectly()),
    })
    this.admission = admission
    if (this.sharedReads && (await canShareReads())) {
      return {
        accepted: (socket, server) => admission.admit(adoptSocket(socket, server), true),
        shared: (socket) => admission.admit(socket, true),
        pauseOnConnect: true,
      }
    }
    return { accepted: (socket) => admission.admit(socket) }
  }
}

/**
 * A listener 'tcp:NAME', or 'unix:NAME' when the address is a path.
 * @throws Error when `options.address` is no address
 */
export function createTcpListener(options: TcpListenerOptions): TcpListener {
  return new TcpListener(options)
}
