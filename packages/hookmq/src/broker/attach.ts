import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { type TLSSocket, Server as TlsServer } from 'node:tls'
import type { ListenerHost } from '@hookmq/api'
import { ConnectionGate, endpointsOf, peerCertificateOf, refuse, StreamAdmission } from '@hookmq/kit'
import { type AttachTcpOptions, attachTcp } from '@hookmq/listener-tcp'
import { type AttachWsOptions, attachWs } from '@hookmq/listener-ws'

/** A server that the embedding program has already. */
export type AttachableServer = NetServer | TlsServer | HttpServer | HttpsServer

/** `mqttPath` and what else is about WebSocket counts for http and https servers only. */
export type AttachOptions = AttachTcpOptions & AttachWsOptions

/**
 * Takes connections from a server. `guard` throws when its address must not be served.
 * Returns what ends it: new connections no longer go to the broker, open ones stay.
 */
export function attachServer(
  server: AttachableServer,
  host: ListenerHost,
  options: AttachOptions,
  guard: (address: string) => void,
): () => void {
  if (server.listening) guard(addressOf(server))
  const warn = (): void => {
    try {
      guard(addressOf(server))
    } catch (error) {
      // Nobody is left to refuse: the program binds its own server.
      host.log.warn(error instanceof Error ? error.message : String(error))
    }
  }
  server.once('listening', warn)
  const detach = attachKind(server, host, options)
  return () => {
    server.off('listening', warn)
    detach()
  }
}

function attachKind(server: AttachableServer, host: ListenerHost, options: AttachOptions): () => void {
  if (server instanceof HttpServer || server instanceof HttpsServer) {
    const attachment = attachWs(server, host, options)
    return () => attachment.detach()
  }
  if (server instanceof TlsServer) return attachTls(server, host, options)
  const attachment = attachTcp(server, host, options)
  return () => attachment.detach()
}

function attachTls(server: TlsServer, host: ListenerHost, options: AttachOptions): () => void {
  const gate = new ConnectionGate(options)
  const id = `ssl:${options.name ?? 'attached'}`
  const admission = new StreamAdmission({ ...options, id, socketType: 'ssl', gate, host })
  const accept = (socket: TLSSocket): void => {
    const endpoints = endpointsOf(socket, false)
    if (endpoints === undefined || !gate.enter()) {
      refuse(socket)
      return
    }
    // An unverified certificate says nothing about who it is.
    admission.serve(socket, endpoints, socket.authorized ? peerCertificateOf(socket) : undefined)
  }
  server.on('secureConnection', accept)
  return () => server.off('secureConnection', accept)
}

function addressOf(server: AttachableServer): string {
  const address = server.address() as AddressInfo | string | null
  return typeof address === 'string' ? address : (address?.address ?? '')
}
