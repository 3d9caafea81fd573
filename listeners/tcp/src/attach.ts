import type { Server, Socket } from 'node:net'
import type { ListenerHost } from '@hookmq/api'
import { ConnectionGate, type ConnectionLimits, type RefusedConnections, refuse, StreamAdmission } from '@hookmq/kit'

export interface AttachTcpOptions extends ConnectionLimits {
  /** 'attached' when left out: the id is then 'tcp:attached'. */
  readonly name?: string
  readonly proxyProtocol?: boolean
  /** Milliseconds; 3000 when left out. */
  readonly proxyProtocolTimeout?: number
  readonly mountpoint?: string
}

/** A server of somebody else's whose connections go to the broker. */
export interface Attachment {
  readonly id: string
  readonly currentConnections: number
  readonly refused: Readonly<RefusedConnections>
  /** New connections no longer go to the broker; open ones stay. */
  detach(): void
}

/** Serves MQTT on every connection of `server`, which stays its owner's: to listen, and to close. */
export function attachTcp(server: Server, host: ListenerHost, options: AttachTcpOptions = {}): Attachment {
  const id = `tcp:${options.name ?? 'attached'}`
  const gate = new ConnectionGate(options)
  const tcp = new StreamAdmission({ ...options, id, socketType: 'tcp', gate, host })
  const unix = new StreamAdmission({ ...options, id, socketType: 'unix', gate, host })
  const accept = (socket: Socket): void => {
    if (!gate.enter()) {
      refuse(socket)
      return
    }
    // A server with `pauseOnConnect` gives paused sockets.
    if (socket.isPaused()) socket.resume()
    if (typeof server.address() === 'string') unix.admit(socket)
    else tcp.admit(socket)
  }
  server.on('connection', accept)
  return {
    id,
    get currentConnections() {
      return gate.current
    },
    get refused() {
      return gate.refused
    },
    detach() {
      server.removeListener('connection', accept)
    },
  }
}
