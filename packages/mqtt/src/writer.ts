/** Up to this many bytes a loop is faster than a call. */
const loopLimit = 12

/** Appends to a buffer that grows. `buffer` and `length` are for reading; `buffer` changes when it grows. */
export class ByteWriter {
  buffer: Buffer
  /** Bytes written. */
  length = 0

  /** `initial`: bytes that fit before the first growth. */
  constructor(initial = 256) {
    this.buffer = Buffer.allocUnsafeSlow(initial)
  }

  /** Makes room for so many more bytes. */
  ensure(bytes: number): void {
    const needed = this.length + bytes
    if (needed > this.buffer.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }

  /** Forgets what was written and keeps the memory. */
  reset(): void {
    this.length = 0
  }

  /** What was written, as a view: good until the next write. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  /** What was written, as a copy. */
  copy(): Buffer {
    return Buffer.from(this.view())
  }

  byte(value: number): void {
    this.ensure(1)
    this.buffer[this.length++] = value
  }

  uint16(value: number): void {
    this.ensure(2)
    const at = this.length
    this.buffer[at] = value >> 8
    this.buffer[at + 1] = value
    this.length = at + 2
  }

  uint32(value: number): void {
    this.ensure(4)
    const at = this.length
    this.buffer[at] = value >>> 24
    this.buffer[at + 1] = value >>> 16
    this.buffer[at + 2] = value >>> 8
    this.buffer[at + 3] = value
    this.length = at + 4
  }

  /** Always the shortest form. [MQTT-1.5.5-1] */
  variableInteger(value: number): void {
    this.ensure(4)
    let rest = value
    let at = this.length
    while (rest > 0x7f) {
      this.buffer[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[at++] = rest
    this.length = at
  }

  /** source[start, end), as it is. */
  bytes(source: Uint8Array, start = 0, end: number = source.length): void {
    const length = end - start
    this.ensure(length)
    const at = this.length
    if (length <= loopLimit) {
      const buffer = this.buffer
      for (let index = 0; index < length; index++) buffer[at + index] = source[start + index]
    } else if (length === source.length) {
      this.buffer.set(source, at)
    } else {
      Buffer.prototype.copy.call(source, this.buffer, at, start, end)
    }
    this.length = at + length
  }

  /** With its length in two bytes before it. */
  binary(source: Uint8Array): void {
    this.ensure(2 + source.length)
    this.uint16(source.length)
    this.bytes(source)
  }

  /** UTF-8 with its length in two bytes before it. The caller has checked that it is at most 65,535 bytes. */
  string(text: string): void {
    // Three bytes are the most that a UTF-16 unit can need.
    this.ensure(2 + text.length * 3)
    const buffer = this.buffer
    const start = this.length + 2
    let at = start
    if (text.length <= loopLimit) {
      let index = 0
      for (; index < text.length; index++) {
        const unit = text.charCodeAt(index)
        if (unit > 0x7f) break
        buffer[at++] = unit
      }
      if (index < text.length) at = start + buffer.write(text, start)
    } else {
      at += buffer.write(text, start)
    }
    const length = at - start
    buffer[start - 2] = length >> 8
    buffer[start - 1] = length
    this.length = at
  }

  /**
   * Overwrites the one byte at `position`, kept free for it, with the length of what follows and of `more` bytes still to come;
   * moves what follows when the length needs more than one byte.
   */
  fillLength(position: number, more = 0): void {
    const end = this.length
    const length = end - position - 1 + more
    if (length < 0x80) {
      this.buffer[position] = length
      return
    }
    const extra = variableIntegerSize(length) - 1
    this.ensure(extra)
    this.buffer.copyWithin(position + 1 + extra, position + 1, end)
    this.length = position
    this.variableInteger(length)
    this.length = end + extra
  }
}

/** Bytes of a variable byte integer. */
export function variableIntegerSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4
}
