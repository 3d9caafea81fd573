/** A length that cannot be one: the other side is not (any more) what it should be. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

const header = 4

/** Puts the 4 bytes of length, big-endian, before a body. The body is copied. */
export function frame(body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(header + body.length)
  bytes.writeUInt32BE(body.length, 0)
  bytes.set(body, header)
  return bytes
}

/** Cuts a stream of chunks into the bodies of frames. Holds at most one unfinished frame, of at most `maximum` bytes. */
export class FrameReader {
  readonly #maximum: number
  readonly #receive: (body: Buffer) => void
  #parts: Buffer[] = []
  #held = 0
  /** Of the unfinished frame, its header included; undefined while that has not come in full. */
  #needed: number | undefined

  constructor(maximum: number, receive: (body: Buffer) => void) {
    this.#maximum = maximum
    this.#receive = receive
  }

  /** Bodies are views on the chunk where it has them whole. Throws a FrameError when a frame is too long. */
  push(chunk: Buffer): void {
    let rest = chunk
    if (this.#held > 0) {
      this.#parts.push(chunk)
      this.#held += chunk.length
      if (this.#held < header) return
      if (this.#needed === undefined) {
        const joined = Buffer.concat(this.#parts)
        this.#parts = [joined]
        this.#needed = this.#size(joined)
      }
      if (this.#held < this.#needed) return
      rest = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts)
      this.#forget()
    }
    let at = 0
    while (rest.length - at >= header) {
      const size = this.#size(rest.subarray(at))
      if (rest.length - at < size) {
        this.#needed = size
        break
      }
      this.#receive(rest.subarray(at + header, at + size))
      at += size
    }
    if (at < rest.length) {
      this.#parts.push(rest.subarray(at))
      this.#held = rest.length - at
    }
  }

  #size(bytes: Buffer): number {
    const length = bytes.readUInt32BE(0)
    if (length > this.#maximum)
      throw new FrameError(`a frame of ${length} bytes is longer than ${this.#maximum}, or it is none`)
    return header + length
  }

  #forget(): void {
    this.#parts = []
    this.#held = 0
    this.#needed = undefined
  }
}
