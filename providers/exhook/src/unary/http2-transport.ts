import type { Socket } from 'node:net'
import type { FrameCall, FrameCallEvents } from '../stream/exchange.ts'
import { Http2FrameCall } from '../stream/http2-frame-call.ts'
import { Http2Connection } from './http2-connection.ts'
import type { TransportCounters, UnaryCall, UnaryOptions, UnaryTransport } from './transport.ts'

export interface Http2TransportOptions {
  readonly scheme: 'http' | 'https'
  /** `127.0.0.1:9000`, `[::1]:9000` */
  readonly host: string
  /** Connections. */
  readonly size: number
  /** Makes the socket of one connection, with TLS where the scheme asks for it. */
  open(): Socket
  /** Sent as `user-agent`. */
  readonly userAgent: string
  /** Bytes of the largest reply. */
  readonly maxReply: number
  /** Bytes of replies that may be under way on one connection. */
  readonly window: number
}

/** A fixed number of connections; a call's key says which one takes it. */
export class Http2Transport implements UnaryTransport {
  readonly #options: Http2TransportOptions
  readonly #connections: readonly Http2Connection[]
  readonly #count = { connected: 0, broken: 0, cancelled: 0, resent: 0 }
  /** Headers by path and deadline: node:http2 takes them as they are, nothing is made for each call. */
  readonly #headers = new Map<string, readonly string[]>()

  constructor(options: Http2TransportOptions) {
    this.#options = options
    const { scheme, host, open, maxReply, window } = options
    this.#connections = Array.from(
      { length: options.size },
      () => new Http2Connection({ authority: `${scheme}://${host}`, open, maxReply, window, count: this.#count }),
    )
  }

  get counters(): TransportCounters {
    return this.#count
  }

  get connections(): number {
    return this.#connections.filter(({ ready }) => ready).length
  }

  /** Calls that have not been answered. */
  get unfinished(): number {
    return this.#connections.reduce((sum, { unfinished }) => sum + unfinished, 0)
  }

  call(path: string, request: Uint8Array, { key, deadline, timeout }: UnaryOptions): UnaryCall {
    const connection = this.#connections[placeOf(key, this.#connections.length)]
    return connection.call(this.#headersOf(path, deadlineText(deadline)), request, timeout)
  }

  /** Opens a call that carries frames both ways, on the connection of this place. Throws when it cannot be begun. */
  frames(place: number, path: string, maxFrameBytes: number, events: FrameCallEvents): FrameCall {
    const session = this.#connections[place % this.#connections.length].session()
    return new Http2FrameCall(session, this.#headersOf(path, ''), maxFrameBytes, events)
  }

  async probe(timeout: number): Promise<boolean> {
    const all = await Promise.all(this.#connections.map((connection) => connection.probe(timeout)))
    return all.every((ready) => ready)
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  #headersOf(path: string, timeout: string): readonly string[] {
    const name = path + timeout
    let headers = this.#headers.get(name)
    if (headers === undefined) {
      // Deadlines are rounded, so that there are few; somebody's odd one must not fill the memory all the same.
      if (this.#headers.size >= 1000) this.#headers.clear()
      const { scheme, host, userAgent } = this.#options
      headers = [
        ...[':method', 'POST', ':scheme', scheme, ':authority', host, ':path', path],
        ...['te', 'trailers', 'content-type', 'application/grpc+proto', 'user-agent', userAgent],
        ...(timeout === '' ? [] : ['grpc-timeout', timeout]),
      ]
      this.#headers.set(name, headers)
    }
    return headers
  }
}

/** As EMQX writes it: whole seconds above one, milliseconds below; rounded up, because this side gives up by itself. */
export function deadlineText(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return ''
  if (milliseconds > 1000) return `${Math.min(Math.ceil(milliseconds / 1000), 99_999_999)}S`
  return `${Math.max(Math.ceil(milliseconds / 50) * 50, 1)}m`
}

/** FNV-1a over the characters: stable, cheap, and spread well enough for a handful of connections. */
export function placeOf(key: string, places: number): number {
  if (places === 1) return 0
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % places
}
