import type { Server, Socket } from 'node:net'
import type { ListenerHost } from '@hookmq/api'
import {
  endpointsOf,
  refuse,
  SocketListener,
  type SocketListenerOptions,
  SocketTransport,
  type TransportOrigin,
} from '@hookmq/kit'

export interface TcpListenerOptions extends SocketListenerOptions {}

/** MQTT on a TCP port or a Unix socket. */
export class TcpListener extends SocketListener {
  private origin: TransportOrigin | undefined = undefined

  constructor(options: TcpListenerOptions) {
    super('tcp', options)
  }

  protected override async prepare(host: ListenerHost): Promise<void> {
    this.origin = {
      socketType: this.isUnix ? 'unix' : 'tcp',
      listener: this.id,
      protocol: 'mqtt',
      mountpoint: this.options.mountpoint,
      log: host.log,
      closedReason: 'tcp_closed',
      released: (transport) => {
        this.gate.leaveAddress(transport.peerhost)
        this.gate.leave()
      },
    }
  }

  protected override accepted(socket: Socket, host: ListenerHost, _server: Server): void {
    const endpoints = endpointsOf(socket, this.isUnix)
    if (endpoints === undefined || this.origin === undefined || !this.gate.enterAddress(endpoints.peerhost)) {
      this.gate.leave()
      refuse(socket)
      return
    }
    const transport = new SocketTransport(socket, this.origin, endpoints)
    transport.handle(host.accept(transport))
    transport.readPlain()
  }
}

export function createTcpListener(options: TcpListenerOptions): TcpListener {
  return new TcpListener(options)
}
