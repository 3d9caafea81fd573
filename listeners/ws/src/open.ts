import type { Duplex } from 'node:stream'
import type { ListenerHost, PeerCertificate } from '@hookmq/api'
import type { Endpoints, TransportOrigin } from '@hookmq/kit'
import { type MqttWebSocket, WsTransport } from './ws-transport.ts'

/** What the transports of a listener have in common. Their connections are counted elsewhere. */
export function originOf(id: string, isSecure: boolean, host: ListenerHost, mountpoint?: string): TransportOrigin {
  return {
    socketType: isSecure ? 'wss' : 'ws',
    listener: id,
    protocol: 'mqtt',
    mountpoint,
    log: host.log,
    closedReason: 'ws_closed',
  }
}

/** Hands an open WebSocket to the broker. */
export function openTransport(
  host: ListenerHost,
  origin: TransportOrigin,
  webSocket: MqttWebSocket,
  socket: Duplex,
  endpoints: Endpoints,
  certificate?: PeerCertificate,
): void {
  const transport = new WsTransport(webSocket, socket, origin, endpoints, certificate)
  try {
    transport.handle(host.accept(transport))
  } catch (error) {
    host.log.error('a connection could not be handed to the broker', { listener: origin.listener, error })
    transport.destroy()
  }
}
