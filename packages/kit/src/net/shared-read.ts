import { once } from 'node:events'
import { connect, createServer, type Server, Socket } from 'node:net'
import { receiveShared } from './socket-transport.ts'

/**
 * Bytes of the one buffer that all adopted sockets read into. A read calls back before anything else can read, so no two of them
 * overlap. (On Windows the system fills buffers in the background, so there it is never used.)
 *
 * Why it is worth leaning on internals: Node otherwise allocates 64 KiB for every read and shrinks it to what came. Measured with
 * listeners/tcp/bench/shared-buffer.ts (Node 24.21, two shared cores, best and worst of four runs), shared against plain:
 * 48-byte messages 6.7 to 8.2 against 12.5 to 20 us of CPU per read; bulk 0.18 to 0.26 against 0.63 to 1.08 ms per MB;
 * peak RSS of the bulk run 131 against 267 MB; an idle connection 3.5 against 2.5 KB of RSS, 1.2 against 1.3 KB of them heap.
 */
const SHARED_SIZE = 65536
const shared = Buffer.allocUnsafeSlow(SHARED_SIZE)

type Received = (this: Socket, count: number, buffer: Uint8Array) => boolean

/** One object for all sockets. Node calls the callback as a method of the socket, which the probe checks. */
const onread = { buffer: shared, callback: received }

function received(this: Socket, count: number): boolean {
  receiveShared(this, count, shared)
  return true
}

/** The parts of an accepted socket that Node does not document. */
interface Internals {
  _handle: object | null
  _server: Server | null
}

/** The same of a server. */
interface ServerInternals {
  _connections: number
  _handle: { onconnection?: (this: unknown, status: number, connection: Connection | undefined) => void } | null
}

interface Connection {
  useUserBuffer?(buffer: Uint8Array): void
  setNoDelay?(on: boolean): void
}

/**
 * Moves the connection of a socket that a server with `pauseOnConnect` accepted to a socket that reads into the shared buffer, which
 * Node offers (`onread`) only to sockets that connect out. Only after `canShareReads()` said yes.
 */
export function adoptSocket(accepted: Socket, server: Server): Socket {
  return adopt(accepted, server, onread)
}

/** A socket over the handle of a connection that another process has accepted. It reads into the shared buffer when `canShareReads()` said yes. */
export function socketOfHandle(handle: object, shared: boolean): Socket {
  return new Socket({ handle, allowHalfOpen: false, ...(shared ? { onread } : {}) } as object)
}

/**
 * Has a listening server hand over each connection as a socket that reads into the shared buffer, without the socket that Node makes for it first and
 * the event 'connection': that takes a tenth off the cost of a connection. Only after `canShareReads()` said yes.
 * @returns false when this Node works in another way: then the server goes on as it was
 */
export function takeConnections(server: Server, noDelay: boolean, take: (socket: Socket) => void): boolean {
  return takeAll(server, noDelay, onread, take)
}

function takeAll(
  server: Server,
  noDelay: boolean,
  options: { buffer: Uint8Array; callback: Received },
  take: (socket: Socket) => void,
): boolean {
  const internals = server as unknown as ServerInternals
  const { _handle: handle } = internals
  const original = handle?.onconnection
  if (handle === null || typeof original !== 'function' || typeof internals._connections !== 'number') return false
  handle.onconnection = function (status, connection) {
    // Errors are Node's to tell.
    if (status !== 0 || connection?.useUserBuffer === undefined) return original.call(this, status, connection)
    if (noDelay) connection.setNoDelay?.(true)
    const socket = new Socket({ handle: connection, onread: options, allowHalfOpen: false } as object)
    internals._connections++
    ;(socket as unknown as Internals)._server = server
    take(socket)
  }
  return true
}

function adopt(accepted: Socket, server: Server, options: { buffer: Uint8Array; callback: Received }): Socket {
  const from = accepted as unknown as Internals
  const handle = from._handle
  from._handle = null
  from._server = null
  const socket = new Socket({ handle, onread: options, allowHalfOpen: false } as object)
  // The server counts its open connections by this.
  ;(socket as unknown as Internals)._server = server
  return socket
}

let answer: Promise<boolean> | undefined

/** Whether this Node lets `adoptSocket` work: tried once per process over a connection of its own. */
export function canShareReads(): Promise<boolean> {
  answer ??= process.platform === 'win32' ? Promise.resolve(false) : probe().catch(() => false)
  return answer
}

/** By the event 'connection' and without it: two connections that share a buffer. Each must get its own bytes, in that buffer, and pause, write and end like any socket. */
async function probe(): Promise<boolean> {
  return (await probeWay(false)) && (await probeWay(true))
}

async function probeWay(direct: boolean): Promise<boolean> {
  const buffer = Buffer.alloc(16)
  const heard = new Map<Socket, string>()
  let wake = (): void => {}
  const callback: Received = function (this: Socket, count, into) {
    if (into === buffer) heard.set(this, (heard.get(this) ?? '') + buffer.toString('latin1', 0, count))
    wake()
    return true
  }
  const sockets: Socket[] = []
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const { _handle: handle } = accepted as unknown as Internals
    if (handle === null || !('useUserBuffer' in handle)) return wake()
    const socket = adopt(accepted, server, { buffer, callback })
    socket.on('error', () => {})
    sockets.push(socket)
    heard.set(socket, '')
    wake()
  })
  const until = async (condition: () => boolean): Promise<boolean> => {
    const end = performance.now() + 1000
    while (!condition() && performance.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return condition()
  }
  const clients: Socket[] = []
  try {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') return false
    if (direct) {
      // Where this cannot be done the event does.
      takeAll(server, true, { buffer, callback }, (socket) => {
        socket.on('error', () => {})
        sockets.push(socket)
        heard.set(socket, '')
        wake()
      })
    }
    for (const text of ['one', 'two']) {
      const client = connect(address.port, '127.0.0.1')
      client.on('error', () => {})
      clients.push(client)
      client.write(text)
    }
    const all = (): string => [...heard.values()].sort().join()
    if (!(await until(() => all() === 'one,two'))) return false
    for (const socket of sockets) socket.pause().resume()
    for (const client of clients) client.write('!')
    if (!(await until(() => all() === 'one!,two!'))) return false
    for (const client of clients) client.end()
    const counted = (): number => (server as unknown as ServerInternals)._connections
    return await until(() => sockets.length === 2 && sockets.every((socket) => socket.destroyed) && counted() === 0)
  } finally {
    for (const socket of [...clients, ...sockets]) socket.destroy()
    server.close()
  }
}
