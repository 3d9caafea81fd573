import type { SendHandle } from 'node:child_process'
import type { Listener, Logger, Transport, TransportHandler } from '@hookmq/api'
import { SocketTransport } from '@hookmq/kit'
import { TcpListener } from '@hookmq/listener-tcp'
import type { HandedConnection } from './messages.ts'
import { relayTo } from './relay.ts'

const nobody: TransportHandler = { data() {}, drain() {}, closed() {} }

/** The handle of a connection, as Node sends it to another process when it is not wrapped in a socket: then nobody reads from it on the way. */
export type ConnectionHandle = SendHandle & { close(done?: () => void): void }

/** What is handed over as the connection itself; anything else goes on through this process. */
const whole = new Set(['tcp', 'unix'])

/** Gives a connection to the worker that has its session: over the supervisor where that is possible, as bytes where it is not. */
export function handOver(
  folder: string,
  owner: string,
  transport: Transport,
  bytes: Uint8Array,
  admission: unknown,
): TransportHandler {
  if (!(transport instanceof SocketTransport) || !whole.has(transport.socketType))
    return relayTo(folder, owner, transport, bytes, admission)
  const { listener, peerhost, peerport, sockhost, sockport, peerCertificate: certificate } = transport
  const handle = transport.release() as ConnectionHandle | undefined
  if (handle === undefined) return nobody
  const endpoints = { peerhost, peerport, sockhost, sockport }
  const message: HandedConnection = { kind: 'connection', owner, listener, endpoints, certificate, bytes, admission }
  sendHandle(process, message, handle)
  return nobody
}

/** Sends it and lets go of it; a receiver that is gone is the end of the connection. */
export function sendHandle(
  to: { send?: NodeJS.Process['send'] },
  message: HandedConnection,
  handle: ConnectionHandle,
): void {
  const done = (): void => void handle.close()
  if (to.send === undefined) return done()
  to.send(message, handle, { keepOpen: true }, done)
}

/** Takes a connection that another worker has accepted. */
export async function takeOver(
  { listener: id, endpoints, certificate, bytes, admission }: HandedConnection,
  handle: ConnectionHandle,
  listeners: readonly Listener[],
  log: Logger,
): Promise<void> {
  const listener = listeners.find((one) => one.id === id)
  const adopted =
    listener instanceof TcpListener &&
    (await listener.adopt(handle, endpoints, certificate, Buffer.from(bytes), admission))
  if (adopted) return
  log.error('a connection was handed over, but there is no such listener here', { listener: id })
  handle.close()
}
