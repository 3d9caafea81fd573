import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'

/** Whoever wrote directly: told when the system has taken what it did not take at once, or that it never will (an error code). */
export interface DirectOwner {
  written(status: number): void
}

/** What Node gives its own writes to the system; not documented. */
interface WriteRequest {
  oncomplete?: (this: WriteRequest, status: number) => void
  owner?: DirectOwner
  /** Must live until it is written. */
  bytes?: Uint8Array
  /** -1: the system does not have it. */
  getAsyncId?(): number
}

interface StreamHandle {
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize?: number
  /** Writes what the system takes at once, and queues the rest with the request. @returns 0, or a negative error code */
  writeBuffer?(request: WriteRequest, bytes: Uint8Array): number
}

interface Internals {
  readonly _handle: StreamHandle | null
}

let Request: (new () => WriteRequest) | undefined
/** Nothing was queued with it: it can be used again. */
let spare: WriteRequest | undefined

/** What `getAsyncId` says of a request that is not in use. */
const free = -1

function completed(this: WriteRequest, status: number): void {
  const { owner } = this
  this.owner = undefined
  this.bytes = undefined
  owner?.written(status)
}

/**
 * Writes without the stream of the socket, which costs as much as the system call: only while that has nothing to write. Only after
 * `canWriteDirectly()` said yes.
 * @returns bytes that the system did not take at once: they follow, `owner` hears of it, and `bytes` must not change until then. undefined: the
 * socket was closed for an error, or before.
 */
export function writeDirectly(socket: Socket, bytes: Uint8Array, owner: DirectOwner): number | undefined {
  const { _handle: handle } = socket as unknown as Internals
  if (Request === undefined || handle?.writeBuffer === undefined) return undefined
  const request = spare ?? new Request()
  spare = undefined
  request.oncomplete = completed
  const status = handle.writeBuffer(request, bytes)
  if (status !== 0) {
    socket.destroy(writeError(status))
    return undefined
  }
  const left = handle.writeQueueSize ?? 0
  if (left === 0) {
    // The system may have a request whose bytes are all written: its second attempt took the rest.
    if (request.getAsyncId?.() === free) spare = request
    return 0
  }
  request.owner = owner
  request.bytes = bytes
  return left
}

/** As Node makes it of the code that a write has failed with. */
export function writeError(status: number): Error {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' })
}

/** Of what `writeDirectly` left. */
export function queuedBytes(socket: Socket): number {
  return (socket as unknown as Internals)._handle?.writeQueueSize ?? 0
}

let answer: Promise<boolean> | undefined

/** Whether this Node lets `writeDirectly` work: tried once per process over a connection of its own. */
export function canWriteDirectly(): Promise<boolean> {
  answer ??= process.platform === 'win32' ? Promise.resolve(false) : tryOut().catch(() => false)
  return answer
}

async function tryOut(): Promise<boolean> {
  const works = await probe()
  if (!works) Request = undefined
  return works
}

/** Bytes must come in order whether the system takes them at once or later, before what the stream writes afterwards, and the owner must hear of it. */
async function probe(): Promise<boolean> {
  const server = createServer()
  const sockets: Socket[] = []
  try {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') return false
    const accepted = once(server, 'connection')
    const client = connect(address.port, '127.0.0.1')
    sockets.push(client)
    client.on('error', () => {})
    client.pause()
    const [socket] = (await accepted) as [Socket]
    sockets.push(socket)
    socket.on('error', () => {})
    if (!learn(socket) || Request === undefined) return false
    const piece = Buffer.alloc(512 * 1024, 'x')
    let heard: number | undefined
    const owner: DirectOwner = {
      written(status) {
        heard = status
      },
    }
    let sent = 1 + 'first'.length
    if (writeDirectly(socket, Buffer.from('first'), owner) !== 0 || spare === undefined) return false
    for (let left: number | undefined = 0; left === 0; sent += piece.length) {
      if (sent > 64 * piece.length) return false
      left = writeDirectly(socket, piece, owner)
      if (left === undefined || left > piece.length) return false
    }
    if (heard !== undefined || socket.writableLength !== 0) return false
    socket.end('last')
    sent += 'last'.length
    let came = 0
    let start = ''
    let end = ''
    client.on('data', (chunk: Buffer) => {
      if (start.length < 6) start += chunk.toString('latin1', 0, 6)
      end = (end + chunk.toString('latin1', Math.max(0, chunk.length - 5))).slice(-5)
      came += chunk.length
    })
    client.resume()
    const late = setTimeout(() => client.destroy(), 2000)
    await once(client, 'close')
    clearTimeout(late)
    return came === sent && start.startsWith('?first') && end === 'xlast' && heard === 0
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

/** Sees with what request Node writes one byte. */
function learn(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as Internals
  const original = handle?.writeBuffer
  if (handle === null || original === undefined || typeof handle.writeQueueSize !== 'number') return false
  let seen: object | undefined
  handle.writeBuffer = (request, bytes) => {
    seen = request
    return original.call(handle, request, bytes)
  }
  socket.write(Buffer.from('?'))
  delete handle.writeBuffer
  const made = seen?.constructor
  if (handle.writeBuffer !== original || typeof made !== 'function' || made === Object) return false
  Request = made as new () => WriteRequest
  return true
}
