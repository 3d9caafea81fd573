import type { ListenerHost } from '@hookmq/api'
import {
  canShareReads,
  type Preparation,
  SocketListener,
  type SocketListenerOptions,
  StreamAdmission,
  toListenAddress,
} from '@hookmq/kit'

export interface TcpListenerOptions extends SocketListenerOptions {
  /** false: every read gets a buffer of its own. Where Node does not allow to share one, that is so in any case. */
  readonly sharedReads?: boolean
}

/** MQTT on a TCP port or a Unix socket. */
export class TcpListener extends SocketListener {
  private readonly sharedReads: boolean

  constructor(options: TcpListenerOptions) {
    super('path' in toListenAddress(options.address) ? 'unix' : 'tcp', options)
    this.sharedReads = options.sharedReads ?? true
  }

  protected override async prepare(host: ListenerHost): Promise<Preparation> {
    const admission = new StreamAdmission({
      ...this.options,
      id: this.id,
      socketType: this.isUnix ? 'unix' : 'tcp',
      gate: this.gate,
      host,
    })
    if (this.sharedReads && (await canShareReads())) {
      return { accepted: (socket, server) => admission.admit(socket, server), pauseOnConnect: true }
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
