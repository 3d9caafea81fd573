import { GrpcError, GrpcStatus } from './grpc-status.ts'

const prefixLength = 5

/** One gRPC message with its prefix: uncompressed flag, length. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefixLength + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, prefixLength)
  return frame
}

/** Puts the one message of a reply together. Holds no more than `limit` bytes. */
export class ReplyReader {
  #chunks: Buffer | undefined

  /** A sentence when the reply cannot be a good one any more. */
  add(chunk: Buffer, limit: number): GrpcError | undefined {
    this.#chunks = this.#chunks === undefined ? chunk : Buffer.concat([this.#chunks, chunk])
    if (this.#chunks.length < prefixLength) return undefined
    if (this.#chunks[0] !== 0)
      return new GrpcError(GrpcStatus.INTERNAL, 'the reply is compressed, which was not asked for')
    const length = this.#chunks.readUInt32BE(1)
    if (length > limit)
      return new GrpcError(GrpcStatus.RESOURCE_EXHAUSTED, `the reply has ${length} bytes, more than ${limit}`)
    if (this.#chunks.length > prefixLength + length)
      return new GrpcError(GrpcStatus.INTERNAL, 'more than one message in the reply')
    return undefined
  }

  /** The message, at the end of a reply with status OK. */
  finish(): Uint8Array | GrpcError {
    const bytes = this.#chunks
    if (bytes === undefined) return new GrpcError(GrpcStatus.INTERNAL, 'no message in the reply')
    if (bytes.length < prefixLength || bytes.length !== prefixLength + bytes.readUInt32BE(1))
      return new GrpcError(GrpcStatus.INTERNAL, 'the reply ends in the middle of its message')
    return bytes.subarray(prefixLength)
  }
}
