import { type ClientHttp2Session, connect, constants } from 'node:http2'
import type { Socket } from 'node:net'
import { GrpcError, GrpcStatus } from './grpc-status.ts'
import { type CallOwner, describe, Http2Call } from './http2-call.ts'

export interface ConnectionOptions {
  /** Of the server: `http://127.0.0.1:9000`. */
  readonly authority: string
  open(): Socket
  /** Bytes of the largest reply. */
  readonly maxReply: number
  /** Bytes of replies that may be under way on one connection. */
  readonly window: number
  readonly count: { connected: number; broken: number; cancelled: number; resent: number }
}

/** Milliseconds after which a connection that could not be made is tried again: doubled each time. */
const firstBackOff = 50
const longestBackOff = 2000
/** Milliseconds in which a connection must come about, TLS included. Somebody who takes it and says nothing must not hold up the next attempt. */
const connectPatience = 10_000

/**
 * A call has waited this long and nothing at all has come: is the server still there? Go's servers close connections that are pinged more often than
 * each 5 minutes, or pinged without a call.
 */
const silence = 60_000
const betweenPings = 300_000
const pingPatience = 20_000

/** One connection to the server, made when it is needed and made again when it was lost. */
export class Http2Connection implements CallOwner {
  readonly maxReply: number
  readonly #options: ConnectionOptions
  readonly #calls = new Set<Http2Call>()
  /** Calls that the server refused once; a second refusal is an answer. */
  readonly #resent = new WeakSet<Http2Call>()
  #session: ClientHttp2Session | undefined
  #ready = false
  #failure = 'not connected'
  #backOff = 0
  #retryAt = 0
  #lastReceived = 0
  #lastPing = Number.NEGATIVE_INFINITY
  #watch: NodeJS.Timeout | undefined
  #waiting: ((ready: boolean) => void)[] = []
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.maxReply = options.maxReply
  }

  get ready(): boolean {
    return this.#ready
  }

  get unfinished(): number {
    return this.#calls.size
  }

  call(headers: readonly string[], request: Uint8Array, timeout: number): Http2Call {
    const call = new Http2Call(this, headers, request, timeout)
    this.#calls.add(call)
    this.#send(call)
    return call
  }

  /** The session itself, for a call of another kind. Throws when there is none and none can be begun now. */
  session(): ClientHttp2Session {
    const session = this.#session ?? this.#connect()
    if (session === undefined) throw new GrpcError(GrpcStatus.UNAVAILABLE, this.#failure)
    return session
  }

  /** Whether it is up, or is within so many milliseconds. Does not wait for the next time at which it would be tried anyway. */
  probe(timeout: number): Promise<boolean> {
    if (this.#ready) return Promise.resolve(true)
    if (this.#closed) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(resolve, timeout, false)
    this.#waiting.push((ready) => {
      clearTimeout(timer)
      resolve(ready)
    })
    if (this.#session === undefined) this.#connect()
    return promise
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#watch)
    for (const call of [...this.#calls]) call.fail(new GrpcError(GrpcStatus.UNAVAILABLE, 'the connection is closed'))
    this.#answer(false)
    const session = this.#session
    this.#forget()
    // What has been written leaves first; a server that does not answer keeps nobody waiting.
    session?.close()
    if (session !== undefined) setTimeout(() => session.destroy(), 200).unref()
  }

  // --- what its calls tell it ------------------------------------------------------------------------------------

  settled(call: Http2Call): void {
    this.#calls.delete(call)
    if (this.#calls.size === 0) this.#session?.unref()
  }

  cancelled(): void {
    this.#options.count.cancelled++
  }

  received(): void {
    this.#lastReceived = performance.now()
  }

  resend(call: Http2Call): boolean {
    if (this.#closed || this.#resent.has(call)) return false
    this.#resent.add(call)
    this.#options.count.resent++
    // The session that refused it takes no more.
    if (this.#session !== undefined && !this.#ready) this.#forget()
    this.#send(call)
    return true
  }

  // --- its session -----------------------------------------------------------------------------------------------

  #send(call: Http2Call): void {
    try {
      const session = this.#session ?? this.#connect()
      if (session === undefined) {
        call.fail(new GrpcError(GrpcStatus.UNAVAILABLE, this.#failure))
        return
      }
      if (this.#calls.size === 1) session.ref()
      call.send(session)
    } catch (error) {
      call.fail(new GrpcError(GrpcStatus.UNAVAILABLE, describe(error)))
    }
  }

  /** undefined: not yet, the last attempt has just failed. */
  #connect(): ClientHttp2Session | undefined {
    if (this.#closed || (this.#waiting.length === 0 && performance.now() < this.#retryAt)) return undefined
    const { authority, open, window } = this.#options
    const session = connect(authority, {
      createConnection: open,
      settings: { enablePush: false, initialWindowSize: window },
      maxSessionMemory: 64,
    })
    this.#session = session
    const patience = setTimeout(() => {
      session.destroy(new Error(`no connection within ${connectPatience} ms`))
    }, connectPatience)
    patience.unref()
    session.on('connect', () => {
      clearTimeout(patience)
      if (this.#session !== session) return
      this.#ready = true
      this.#backOff = 0
      this.#lastReceived = performance.now()
      this.#options.count.connected++
      session.setLocalWindowSize(Math.max(window, 65_535))
      this.#watchOver()
      this.#answer(true)
    })
    session.on('error', (error) => {
      if (this.#session === session) this.#failure = describe(error)
    })
    // It finishes the calls that it has; new ones go over another.
    session.on('goaway', () => {
      if (this.#session === session) this.#forget()
    })
    session.on('close', () => {
      clearTimeout(patience)
      if (this.#session === session) this.#lost()
    })
    session.unref()
    if (this.#calls.size > 0) session.ref()
    return session
  }

  #lost(): void {
    this.#options.count.broken++
    this.#backOff = this.#ready ? firstBackOff : Math.min(longestBackOff, this.#backOff * 2 || firstBackOff)
    this.#retryAt = performance.now() + this.#backOff
    this.#forget()
    this.#answer(false)
  }

  #forget(): void {
    this.#session = undefined
    this.#ready = false
    clearInterval(this.#watch)
  }

  #answer(ready: boolean): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const tell of waiting) tell(ready)
  }

  #watchOver(): void {
    clearInterval(this.#watch)
    this.#watch = setInterval(() => this.#lookForSilence(), silence / 2)
    this.#watch.unref()
  }

  #lookForSilence(): void {
    const session = this.#session
    const now = performance.now()
    if (session === undefined || this.#calls.size === 0) return
    if (now - this.#lastReceived < silence || now - this.#lastPing < betweenPings) return
    this.#lastPing = now
    const timer = setTimeout(() => {
      if (this.#session === session) this.#failure = 'the server does not answer a ping'
      session.destroy(undefined, constants.NGHTTP2_NO_ERROR)
    }, pingPatience)
    timer.unref()
    session.ping(() => clearTimeout(timer))
  }
}
