import type { Socket } from 'node:net'
import type { Logger, PeerCertificate, Transport, TransportHandler } from '@hookmq/api'
import { type DirectOwner, queuedBytes, writeDirectly, writeError } from './direct-write.ts'
import { takeHandle } from './take-handle.ts'

/** Milliseconds that a connection gets to take what is queued when it ends. */
export const DEFAULT_END_TIMEOUT = 5000

/** Both ends of a connection as the broker is to see them: behind a proxy those that the proxy told. */
export interface Endpoints {
  readonly peerhost: string
  readonly peerport: number
  readonly sockhost: string
  readonly sockport: number
}

/** What the transports of one listener share. */
export interface TransportOrigin {
  readonly socketType: string
  readonly listener: string
  readonly protocol: string
  readonly mountpoint?: string
  readonly log: Logger
  /** The reason of `closed` when nothing failed: 'tcp_closed', 'ssl_closed'. */
  readonly closedReason: string
}

/** The same, for `SocketTransport`. */
export interface SocketOrigin extends TransportOrigin {
  /** Every write ends after the call, as with TLS: then its own callback tells when it has. */
  readonly defersWrites: boolean
  /** Writes go past the stream of the socket where they can: `canWriteDirectly()` said yes. */
  readonly writesDirectly: boolean
  /** Called once per transport, after its handler heard of the end. */
  released(transport: SocketTransport): void
}

/** A socket knows its transport by this, so that all sockets share their event functions: no closure per connection. */
const OWNER = Symbol('transport')
export type OwnedSocket = Socket & { [OWNER]?: SocketTransport }

const NOTHING = Buffer.alloc(0)

/** A TCP, Unix or TLS socket as the port `Transport` wants it. */
export class SocketTransport implements Transport, DirectOwner {
  private readonly origin: SocketOrigin
  peerhost: string
  peerport: number
  sockhost: string
  sockport: number
  peerCertificate: PeerCertificate | undefined
  /** Whether it was counted for its address: for the listener. */
  counted = false
  private readonly socket: OwnedSocket
  private handler: TransportHandler | undefined = undefined
  private reason: string | undefined = undefined
  private ending = false
  private watching = false
  /** Bytes of a direct write that the system did not take at once; 0: none are left. */
  private left = 0
  private flushed: ((error?: Error | null) => void) | undefined = undefined
  private timer: NodeJS.Timeout | undefined = undefined

  constructor(socket: Socket, origin: SocketOrigin, endpoints: Endpoints, certificate?: PeerCertificate) {
    this.socket = socket
    this.origin = origin
    this.peerhost = endpoints.peerhost
    this.peerport = endpoints.peerport
    this.sockhost = endpoints.sockhost
    this.sockport = endpoints.sockport
    this.peerCertificate = certificate
    this.socket[OWNER] = this
    socket.on('error', onError)
    socket.on('end', onEnd)
    socket.on('close', onClose)
  }

  get socketType(): string {
    return this.origin.socketType
  }

  get listener(): string {
    return this.origin.listener
  }

  get protocol(): string {
    return this.origin.protocol
  }

  get mountpoint(): string | undefined {
    return this.origin.mountpoint
  }

  get bufferedBytes(): number {
    if (this.left === 0) return this.socket.writableLength
    return this.socket.writableLength + Math.min(this.left, queuedBytes(this.socket))
  }

  get destroyed(): boolean {
    return this.socket.destroyed
  }

  /** Both ends as the proxy in front tells them; before the broker sees the transport. */
  present(endpoints: Endpoints, certificate: PeerCertificate | undefined): void {
    this.peerhost = endpoints.peerhost
    this.peerport = endpoints.peerport
    this.sockhost = endpoints.sockhost
    this.sockport = endpoints.sockport
    this.peerCertificate = certificate
  }

  /** Whom the events go to from now on. */
  handle(handler: TransportHandler): void {
    this.handler = handler
  }

  /** Subscribes to 'data': for sockets whose reads are not delivered by `receiveShared`. */
  readPlain(): void {
    this.socket.on('data', onData)
  }

  /** Bytes that were read; they are dropped once the transport is ending. */
  receive(chunk: Buffer): void {
    if (this.ending || this.handler === undefined) return
    try {
      this.handler.data(chunk)
    } catch (error) {
      this.failed('data', error)
    }
  }

  write(bytes: Uint8Array): void {
    const socket = this.socket
    if (!socket.writable) return
    if (this.origin.defersWrites && !this.watching) {
      this.watching = true
      this.flushed ??= (error) => this.drained(error)
      socket.write(bytes, this.flushed)
      return
    }
    if (this.origin.writesDirectly && this.left === 0 && socket.writableLength === 0) {
      this.left = writeDirectly(socket, bytes, this) ?? 0
      return
    }
    socket.write(bytes)
    // Writable tells of an empty buffer only after a write beyond its high-water mark. An empty write with a callback, queued behind
    // what the kernel did not take, tells it for every size, and costs nothing while the kernel keeps up.
    if (!this.watching && socket.writableLength > 0) this.watch()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  end(timeout: number = DEFAULT_END_TIMEOUT): void {
    if (this.ending || this.socket.destroyed) return
    this.ending = true
    this.socket.end()
    // Reads on (and drops what it reads): closing with unread bytes would reset the connection, and the peer could lose
    // the last packet that was sent to it.
    this.socket.resume()
    this.limit(timeout)
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Closes because of an error of ours, which becomes the reason. */
  abort(reason: string): void {
    this.reason ??= reason
    this.socket.destroy()
  }

  private watch(): void {
    this.watching = true
    this.flushed ??= (error) => this.drained(error)
    this.socket.write(NOTHING, this.flushed)
  }

  private drained(error: Error | null | undefined): void {
    this.watching = false
    if (error || this.handler === undefined) return
    if (this.socket.writableLength > 0) {
      if (this.socket.writable) this.watch()
      return
    }
    if (this.ending) return
    try {
      this.handler.drain()
    } catch (thrown) {
      this.failed('drain', thrown)
    }
  }

  /** The system has taken what was left of a direct write. */
  written(status: number): void {
    this.left = 0
    if (status < 0) {
      if (!this.socket.destroyed) this.socket.destroy(writeError(status))
    } else if (!this.watching) this.drained(undefined)
  }

  private failed(where: string, error: unknown): void {
    this.origin.log.error('the handler of a connection failed; the connection is closed', {
      listener: this.listener,
      peer: `${this.peerhost}:${this.peerport}`,
      in: where,
      error,
    })
    this.abort('internal_error')
  }

  private limit(timeout: number): void {
    this.timer ??= setTimeout(destroySocket, timeout, this.socket).unref()
  }

  /**
   * Gives the connection itself away, for another process; nothing may have been written. The handler hears nothing any more.
   * @returns undefined when it is gone
   */
  release(): object | undefined {
    const handle = takeHandle(this.socket)
    if (handle !== undefined) this.handler = undefined
    return handle
  }

  /** For the shared event functions below. */
  socketFailed(error: NodeJS.ErrnoException): void {
    const code = error.code
    if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) {
      this.reason ??= this.origin.closedReason.replace('_closed', '_error')
      this.origin.log.debug('a connection failed', {
        listener: this.listener,
        peer: this.peerhost,
        error: error.message,
      })
    } else {
      this.reason ??= code.toLowerCase()
    }
  }

  /** The peer sends no more. What is queued may still reach it, for a while. */
  peerEnded(): void {
    if (this.bufferedBytes > 0) this.limit(DEFAULT_END_TIMEOUT)
  }

  socketClosed(): void {
    clearTimeout(this.timer)
    const handler = this.handler
    this.handler = undefined
    if (handler !== undefined) {
      try {
        handler.closed(this.reason ?? this.origin.closedReason)
      } catch (error) {
        this.failed('closed', error)
      }
    }
    this.origin.released(this)
  }
}

/** Hands bytes that were read into a buffer of ours to the transport of the socket. */
export function receiveShared(socket: OwnedSocket, count: number, buffer: Buffer): void {
  socket[OWNER]?.receive(buffer.subarray(0, count))
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER]?.receive(chunk)
}

function onError(this: OwnedSocket, error: NodeJS.ErrnoException): void {
  this[OWNER]?.socketFailed(error)
}

function onEnd(this: OwnedSocket): void {
  this[OWNER]?.peerEnded()
}

function onClose(this: OwnedSocket): void {
  this[OWNER]?.socketClosed()
}

function destroySocket(socket: Socket): void {
  socket.destroy()
}
