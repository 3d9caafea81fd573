/** Reads protobuf in place. Values above 2^53 lose precision; there are none in ExHook. Throws on broken bytes. */
export class Reader {
  readonly buffer: Buffer
  readonly end: number
  position: number

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  get more(): boolean {
    return this.position < this.end
  }

  varint(): number {
    const { buffer, end } = this
    let byte = this.position < end ? buffer[this.position++] : broken()
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    let factor = 128
    for (let count = 1; count < 10; count++) {
      byte = this.position < end ? buffer[this.position++] : broken()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    return broken()
  }

  /** The length of what comes next, checked. */
  length(): number {
    const length = this.varint()
    if (length > this.end - this.position) broken()
    return length
  }

  fixed32(): number {
    if (this.end - this.position < 4) broken()
    const value = this.buffer.readUInt32LE(this.position)
    this.position += 4
    return value
  }

  string(): string {
    const length = this.length()
    const start = this.position
    this.position += length
    return this.buffer.toString('utf8', start, this.position)
  }

  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint()
        return
      case 1:
        return this.#forward(8)
      case 2:
        return this.#forward(this.varint())
      case 5:
        return this.#forward(4)
      default:
        broken()
    }
  }

  #forward(bytes: number): void {
    if (bytes > this.end - this.position) broken()
    this.position += bytes
  }
}

function broken(): never {
  throw new Error('the bytes are no protobuf message')
}

/** Appends protobuf to a buffer that grows. `take` copies out what was written. */
export class Writer {
  #buffer: Buffer
  #length = 0

  constructor(capacity = 1024) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  get length(): number {
    return this.#length
  }

  varint(value: number): this {
    if (this.#length + 10 > this.#buffer.length) this.#grow(10)
    let rest = value
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80
      rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 128)
    }
    this.#buffer[this.#length++] = rest
    return this
  }

  /** Nothing for '', as proto3 has it. */
  string(tag: number, value: string): this {
    if (value !== '') this.present(tag, Buffer.from(value))
    return this
  }

  /** Nothing for no bytes. */
  bytes(tag: number, value: Uint8Array): this {
    if (value.length !== 0) this.present(tag, value)
    return this
  }

  /** Also when there are no bytes: a message, or an entry of a list. */
  present(tag: number, value: Uint8Array): this {
    this.varint(tag).varint(value.length)
    if (this.#length + value.length > this.#buffer.length) this.#grow(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#length))
    this.#length = 0
    return taken
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}
