import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import type { ListenerHost, PeerCertificate, Transport, TransportHandler } from '@hookmq/api'
import { type Endpoints, SocketTransport } from '@hookmq/kit'
import { HookmqError, messageOf } from '../errors.ts'

/** What the other worker has to know of a connection whose bytes it gets. */
interface Origin {
  readonly socketType: string
  readonly listener: string
  readonly protocol: string
  readonly mountpoint: string | undefined
  readonly endpoints: Endpoints
  readonly certificate: PeerCertificate | undefined
  /** As structured clone and base64; absent: there is none. */
  readonly admission?: string
}

/** Bytes on their way in one direction, beyond which the other side is not read. */
const most = 1024 * 1024

const longestOrigin = 4 * 1024 * 1024

function socketPath(folder: string, name: string): string {
  return join(folder, `${name}.relay`)
}

/**
 * Connections that cannot be given to another process, because TLS or WebSocket state belongs to them, stay where they were accepted: their MQTT bytes
 * go through a Unix socket to the worker that has the session, one socket for each connection.
 */
export function relayTo(
  folder: string,
  owner: string,
  transport: Transport,
  bytes: Uint8Array,
  admission: unknown,
): TransportHandler {
  const { socketType, listener, protocol, mountpoint, peerhost, peerport, sockhost, sockport } = transport
  const endpoints = { peerhost, peerport, sockhost, sockport }
  const origin: Origin = {
    socketType,
    listener,
    protocol,
    mountpoint,
    endpoints,
    certificate: transport.peerCertificate,
    admission: admission === undefined ? undefined : serialize(admission).toString('base64'),
  }
  const socket = connect(socketPath(folder, owner))
  socket.write(`${JSON.stringify(origin)}\n`)
  socket.write(bytes)
  let closed = false
  socket.on('data', (chunk) => {
    transport.write(chunk)
    if (transport.bufferedBytes > most) socket.pause()
  })
  socket.on('drain', () => transport.resume())
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    if (!closed) transport.end()
  })
  return {
    data(chunk) {
      // The chunk is only borrowed.
      socket.write(Buffer.from(chunk))
      if (socket.writableLength > most) transport.pause()
    },
    drain: () => void socket.resume(),
    closed() {
      closed = true
      socket.end()
    },
  }
}

/** Takes the relayed connections whose sessions are here. */
export class RelayServer {
  readonly #server: Server
  readonly #path: string

  private constructor(server: Server, path: string) {
    this.#server = server
    this.#path = path
  }

  static async open(folder: string, name: string, host: ListenerHost): Promise<RelayServer> {
    const path = socketPath(folder, name)
    rmSync(path, { force: true })
    const server = createServer((socket) => meet(socket, host))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    }).catch((error: unknown) => {
      throw new HookmqError('WORKERS', `${path}: cannot be opened: ${messageOf(error)}`, { cause: error })
    })
    chmodSync(path, 0o600)
    return new RelayServer(server, path)
  }

  close(): void {
    this.#server.close()
    rmSync(this.#path, { force: true })
  }
}

/** The first line says whose bytes follow. */
function meet(socket: Socket, host: ListenerHost): void {
  const chunks: Buffer[] = []
  let length = 0
  const failed = (): void => void socket.destroy()
  const read = (chunk: Buffer): void => {
    chunks.push(chunk)
    length += chunk.length
    const all = Buffer.concat(chunks)
    const end = all.indexOf(10)
    if (end === -1) return length > longestOrigin ? failed() : undefined
    socket.off('data', read)
    socket.off('error', failed)
    serve(socket, JSON.parse(all.toString('utf8', 0, end)) as Origin, all.subarray(end + 1), host)
  }
  socket.on('error', failed)
  socket.on('data', read)
}

function serve(
  socket: Socket,
  { endpoints, certificate, admission, ...origin }: Origin,
  bytes: Buffer,
  host: ListenerHost,
): void {
  const transport = new SocketTransport(
    socket,
    {
      ...origin,
      log: host.log,
      defersWrites: false,
      writesDirectly: false,
      closedReason: `${origin.socketType === 'wss' ? 'ws' : origin.socketType}_closed`,
      released() {},
    },
    endpoints,
    certificate,
  )
  const known: unknown = admission === undefined ? undefined : deserialize(Buffer.from(admission, 'base64'))
  transport.handle(host.accept(transport, known))
  transport.readPlain()
  transport.receive(bytes)
}
