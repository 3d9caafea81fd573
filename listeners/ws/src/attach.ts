import type { IncomingMessage, Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { ListenerHost } from '@hookmq/api'
import {
  ConnectionGate,
  type ConnectionLimits,
  endpointsOf,
  peerCertificateOf,
  type RefusedConnections,
} from '@hookmq/kit'
import { Handshake, type HandshakeOptions, refuseUpgrade } from './handshake.ts'
import { openTransport, originOf } from './open.ts'

export interface AttachWsOptions extends ConnectionLimits, HandshakeOptions {
  /** 'attached' when left out: the id is then 'ws:attached'. */
  readonly name?: string
  readonly mountpoint?: string
}

/** A server of somebody else's of which one path goes to the broker. */
export interface WsAttachment {
  readonly id: string
  readonly currentConnections: number
  readonly refused: Readonly<RefusedConnections>
  /** New connections no longer go to the broker; open ones stay. */
  detach(): void
}

/**
 * Serves MQTT over WebSocket at one path of `server`, which stays its owner's. Upgrades to other paths are left to the server's other
 * listeners; when there is none that could answer, they get a 404.
 */
export function attachWs(
  server: Server | SecureServer,
  host: ListenerHost,
  options: AttachWsOptions = {},
): WsAttachment {
  const id = `ws:${options.name ?? 'attached'}`
  const gate = new ConnectionGate(options)
  const handshake = new Handshake(options)
  const plain = originOf(id, false, host, options.mountpoint)
  const secure = originOf(id, true, host, options.mountpoint)

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!handshake.serves(request)) {
      if (server.listenerCount('upgrade') === 1) refuseUpgrade(socket, 404, 'nothing is served at this path')
      return
    }
    const below = request.socket
    const isUnix = typeof server.address() === 'string'
    const endpoints = endpointsOf(below, isUnix)
    if (endpoints === undefined) {
      socket.destroy()
      return
    }
    if (!gate.enter()) {
      refuseUpgrade(socket, 503, 'too many connections')
      return
    }
    const counted = !isUnix && gate.enterAddress(endpoints.peerhost)
    below.once('close', () => {
      if (counted) gate.leaveAddress(endpoints.peerhost)
      gate.leave()
    })
    if (!counted && !isUnix) {
      refuseUpgrade(socket, 503, 'too many connections')
      return
    }
    handshake.upgrade(request, socket, head, (webSocket) => {
      const isSecure = below instanceof TLSSocket
      const certificate = isSecure && below.authorized ? peerCertificateOf(below) : undefined
      openTransport(host, isSecure ? secure : plain, webSocket, socket, endpoints, certificate)
    })
  }
  server.on('upgrade', upgrade)
  return {
    id,
    get currentConnections() {
      return gate.current
    },
    get refused() {
      return gate.refused
    },
    detach() {
      server.removeListener('upgrade', upgrade)
    },
  }
}
