/**
 * Writes protobuf by hand, for the messages that come thousands of times a second. Fields must be written in the order of their numbers; what
 * has its default value is left out, as proto3 does. One writer is used again and again.
 */
export class ProtoWriter {
  #buffer = Buffer.allocUnsafe(4096)
  #at = 0

  /** What has been written, as a view that the next `reset` makes invalid. */
  get written(): Uint8Array {
    return this.#buffer.subarray(0, this.#at)
  }

  /** Throws away what has been written. */
  reset(): this {
    this.#at = 0
    return this
  }

  /** What has been written, as bytes of their own; the writer is empty then. */
  take(): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(this.#at)
    this.#buffer.copy(bytes, 0, 0, this.#at)
    this.#at = 0
    return bytes
  }

  /** A whole number that JavaScript can hold exactly, 0 or more. */
  uint(field: number, value: number): this {
    if (value === 0) return this
    this.#reserve(20)
    this.#varint(field << 3)
    this.#varint(value)
    return this
  }

  bool(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0)
  }

  /** What is no Unicode becomes U+FFFD. */
  string(field: number, text: string): this {
    return text === '' ? this : this.presentString(field, text)
  }

  bytes(field: number, bytes: Uint8Array): this {
    return bytes.length === 0 ? this : this.message(field, bytes)
  }

  /** Also when it is empty. */
  presentString(field: number, text: string): this {
    // No character of JavaScript takes more than three bytes of UTF-8.
    this.#reserve(20 + text.length * 3)
    this.#varint((field << 3) | 2)
    if (text.length < 43) {
      const length = this.#buffer.write(text, this.#at + 1, 'utf8')
      this.#buffer[this.#at] = length
      this.#at += 1 + length
    } else {
      this.#varint(Buffer.byteLength(text))
      this.#at += this.#buffer.write(text, this.#at, 'utf8')
    }
    return this
  }

  /** A message inside this one, also when it is empty. */
  message(field: number, bytes: Uint8Array): this {
    this.#reserve(20 + bytes.length)
    this.#varint((field << 3) | 2)
    this.#varint(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
    return this
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#buffer[this.#at++] = rest
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + length))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}
