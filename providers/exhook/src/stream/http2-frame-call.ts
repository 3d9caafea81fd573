import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { GrpcStatus, readStatus, readStatusMessage, statusOfHttp } from '../unary/grpc-status.ts'
import { type FrameCall, type FrameCallEvents, frameRoom } from './exchange.ts'

/** Bytes that wait in the stream, of which Node says 'enough' at 16 KiB already: less than a frame has. */
const enoughWaiting = 1024 * 1024

/** One bidirectional gRPC call as a stream of HTTP/2. */
export class Http2FrameCall implements FrameCall {
  readonly #stream: ClientHttp2Stream
  readonly #events: FrameCallEvents
  readonly #maxFrameBytes: number
  /** Of a frame that has not come whole. */
  #parts: Buffer[] = []
  #partsLength = 0
  #wanted = frameRoom
  #headers: IncomingHttpHeaders | undefined
  #trailers: IncomingHttpHeaders | undefined
  #problem: string | undefined

  /** Throws what node:http2 throws for a session that takes no streams any more. */
  constructor(session: ClientHttp2Session, headers: readonly string[], maxFrameBytes: number, events: FrameCallEvents) {
    this.#events = events
    this.#maxFrameBytes = maxFrameBytes
    const stream = session.request(headers, { endStream: false })
    this.#stream = stream
    stream.on('response', (received) => {
      this.#headers = received
    })
    stream.on('trailers', (received) => {
      this.#trailers = received
    })
    stream.on('data', (chunk: Buffer) => this.#read(chunk))
    stream.on('drain', () => events.drained())
    stream.on('error', (error) => {
      this.#problem ??= error.message
    })
    stream.on('close', () => this.#closed())
  }

  write(frame: Buffer): boolean {
    if (this.#stream.destroyed || this.#stream.writableEnded) return true
    frame[0] = 0
    frame.writeUInt32BE(frame.length - frameRoom, 1)
    // Only what was refused is followed by 'drain'.
    return this.#stream.write(frame) || this.#stream.writableLength < enoughWaiting
  }

  end(): void {
    this.#stream.end()
  }

  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  #read(chunk: Buffer): void {
    this.#partsLength += chunk.length
    if (this.#partsLength < this.#wanted) {
      this.#parts.push(chunk)
      return
    }
    let bytes = this.#parts.length === 0 ? chunk : Buffer.concat([...this.#parts, chunk])
    this.#parts = []
    this.#wanted = frameRoom
    while (bytes.length >= frameRoom) {
      const size = bytes.readUInt32BE(1)
      if (bytes[0] !== 0) return this.#fail('the provider compressed a frame, which was not asked for')
      if (size > this.#maxFrameBytes)
        return this.#fail(`the provider sent a frame of ${size} bytes, more than ${this.#maxFrameBytes}`)
      const end = frameRoom + size
      if (bytes.length < end) {
        this.#wanted = end
        break
      }
      this.#events.frame(bytes.subarray(frameRoom, end))
      bytes = bytes.subarray(end)
    }
    this.#partsLength = bytes.length
    if (bytes.length > 0) this.#parts.push(bytes)
  }

  #fail(problem: string): void {
    this.#problem = problem
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  #closed(): void {
    const status = readStatus(this.#header('grpc-status'))
    if (status !== undefined) return this.#events.ended(status, readStatusMessage(this.#header('grpc-message')) ?? '')
    const http = Number(this.#headers?.[':status'] ?? 200)
    if (http !== 200) return this.#events.ended(statusOfHttp(http), `HTTP status ${http}: not a gRPC server?`)
    this.#events.ended(GrpcStatus.UNAVAILABLE, this.#problem ?? 'the stream was closed')
  }

  #header(name: string): string | undefined {
    const value = this.#trailers?.[name] ?? this.#headers?.[name]
    return Array.isArray(value) ? value[0] : value
  }
}
