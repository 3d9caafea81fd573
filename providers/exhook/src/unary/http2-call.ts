import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { constants } from 'node:http2'
import { GrpcError, GrpcStatus, readStatus, readStatusMessage, statusOfHttp, statusOfReset } from './grpc-status.ts'
import { frameOf, ReplyReader } from './reply-reader.ts'
import type { UnaryCall, UnaryReply } from './transport.ts'

type CallStream = ClientHttp2Stream & { unaryCall?: Http2Call }

/** What a call tells of itself to its connection. */
export interface CallOwner {
  readonly maxReply: number
  /** It is over, whichever way. */
  settled(call: Http2Call): void
  cancelled(): void
  received(): void
  /** The server refused it unseen: true = it is sent once more. */
  resend(call: Http2Call): boolean
}

/** One unary call: one stream of HTTP/2. */
export class Http2Call implements UnaryCall {
  readonly reply: Promise<UnaryReply>
  readonly #owner: CallOwner
  readonly #headers: readonly string[]
  readonly #request: Uint8Array
  #resolve: (reply: UnaryReply) => void = () => {}
  #reject: (error: GrpcError) => void = () => {}
  #timer: NodeJS.Timeout | undefined
  #session: ClientHttp2Session | undefined
  #stream: CallStream | undefined
  #reader = new ReplyReader()
  #response: IncomingHttpHeaders | undefined
  #trailers: IncomingHttpHeaders | undefined
  #error: Error | undefined
  #done = false

  constructor(owner: CallOwner, headers: readonly string[], request: Uint8Array, timeout: number) {
    this.#owner = owner
    this.#headers = headers
    this.#request = request
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (timeout > 0) this.#timer = setTimeout(giveUp, timeout, this)
  }

  /** Whether it has been sent and nothing has come back. */
  get silent(): boolean {
    return !this.#done && this.#response === undefined
  }

  /** Throws what node:http2 throws for a session that takes no streams any more. */
  send(session: ClientHttp2Session): void {
    const stream: CallStream = session.request(this.#headers, { endStream: false })
    this.#session = session
    this.#stream = stream
    this.#reader = new ReplyReader()
    this.#response = undefined
    this.#trailers = undefined
    this.#error = undefined
    stream.unaryCall = this
    stream.on('response', onResponse)
    stream.on('data', onData)
    stream.on('trailers', onTrailers)
    stream.on('error', onError)
    stream.on('close', onClose)
    stream.end(frameOf(this.#request))
  }

  cancel(): void {
    if (this.#done) return
    this.#owner.cancelled()
    this.fail(new GrpcError(GrpcStatus.CANCELLED, 'nobody waits for the answer any more'))
  }

  fail(error: GrpcError): void {
    if (this.#done) return
    this.#finish()
    this.#stream?.close(constants.NGHTTP2_CANCEL)
    this.#reject(error)
  }

  responded(headers: IncomingHttpHeaders): void {
    this.#owner.received()
    this.#response = headers
  }

  /** Trailers that came as headers, as an error without a message does. */
  trailed(headers: IncomingHttpHeaders): void {
    this.#trailers = headers
  }

  read(chunk: Buffer): void {
    if (this.#done) return
    const problem = this.#reader.add(chunk, this.#owner.maxReply)
    if (problem !== undefined) this.fail(problem)
  }

  errored(error: Error): void {
    this.#error = error
  }

  closed(code: number): void {
    if (this.#done) return
    const status = readStatus(this.#header('grpc-status'))
    if (status === undefined && code === constants.NGHTTP2_REFUSED_STREAM && this.#owner.resend(this)) return
    this.#finish()
    const reply = this.#outcome(status, code)
    if (reply instanceof GrpcError) this.#reject(reply)
    else this.#resolve({ message: reply, metadata: (name) => this.#header(name) })
  }

  #outcome(status: number | undefined, code: number): Uint8Array | GrpcError {
    if (status === GrpcStatus.OK) return this.#reader.finish()
    if (status !== undefined)
      return new GrpcError(status, readStatusMessage(this.#header('grpc-message')) || 'the server gave no reason', true)
    if (this.#response !== undefined && code === constants.NGHTTP2_NO_ERROR) {
      const http = Number(this.#response[':status'])
      if (http !== 200) return new GrpcError(statusOfHttp(http), `HTTP status ${http}: not a gRPC server?`, true)
      return new GrpcError(GrpcStatus.UNKNOWN, 'a reply without grpc-status')
    }
    if (this.#error !== undefined && code !== constants.NGHTTP2_REFUSED_STREAM && isLost(this.#error))
      return new GrpcError(GrpcStatus.UNAVAILABLE, describe(this.#error))
    // A session that is gone resets its streams: nobody over there did.
    if (code === constants.NGHTTP2_NO_ERROR || this.#session?.destroyed === true)
      return new GrpcError(GrpcStatus.UNAVAILABLE, 'the connection was closed before the answer')
    return new GrpcError(statusOfReset(code), `the server reset the call (HTTP/2 error ${code})`)
  }

  #header(name: string): string | undefined {
    const value = this.#trailers?.[name] ?? this.#response?.[name]
    return Array.isArray(value) ? value[0] : value
  }

  #finish(): void {
    this.#done = true
    clearTimeout(this.#timer)
    this.#owner.settled(this)
  }
}

/** Whether the connection, not the server's program, is at fault. */
function isLost(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code !== undefined && code !== 'ERR_HTTP2_STREAM_ERROR'
}

export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // What node:http2 says of a call that never left names its reason there.
  if (error.cause instanceof Error) return describe(error.cause)
  // Several addresses were tried: the first failure says enough.
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0])
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name)
}

function giveUp(call: Http2Call): void {
  call.fail(new GrpcError(GrpcStatus.DEADLINE_EXCEEDED, 'no answer in time'))
}

// One set of listeners for all calls: nothing is made for each.

function onResponse(this: CallStream, headers: IncomingHttpHeaders): void {
  this.unaryCall?.responded(headers)
}

function onTrailers(this: CallStream, headers: IncomingHttpHeaders): void {
  this.unaryCall?.trailed(headers)
}

function onData(this: CallStream, chunk: Buffer): void {
  this.unaryCall?.read(chunk)
}

function onError(this: CallStream, error: Error): void {
  this.unaryCall?.errored(error)
}

function onClose(this: CallStream): void {
  this.unaryCall?.closed(this.rstCode)
}
