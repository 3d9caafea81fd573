// Below this a loop over the characters is quicker than the call into the runtime.
const shortText = 40

/** Bytes that grow at their end and are used again after `clear`. Numbers are written with the highest byte first. */
export class Writer {
  #bytes: Buffer
  #length = 0

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** A view: valid until the next change. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Forgets what was written from there on. */
  truncate(length: number): void {
    this.#length = length
  }

  /** Lets go of a buffer that a rare big value has made bigger than `most` bytes. */
  clear(most: number): void {
    this.#length = 0
    if (this.#bytes.length > most) this.#bytes = Buffer.allocUnsafeSlow(most)
  }

  octet(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#length++] = value
  }

  /** Seven bits a byte, the lowest first. Up to 32 bits. */
  count(value: number): void {
    if (this.#bytes.length - this.#length < 5) this.#grow(5)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  integer(value: number): void {
    if (this.#bytes.length - this.#length < 4) this.#grow(4)
    const bytes = this.#bytes
    const at = this.#length
    bytes[at] = value >>> 24
    bytes[at + 1] = value >>> 16
    bytes[at + 2] = value >>> 8
    bytes[at + 3] = value
    this.#length = at + 4
  }

  /** Overwrites 4 bytes. */
  putInteger(at: number, value: number): void {
    this.#bytes.writeInt32BE(value, at)
  }

  /** A whole number within the safe ones of JavaScript, as 8 bytes. */
  long(value: number): void {
    this.integer(Math.floor(value / 0x1_0000_0000))
    this.integer(value >>> 0)
  }

  double(value: number): void {
    if (this.#bytes.length - this.#length < 8) this.#grow(8)
    this.#bytes.writeDoubleBE(value, this.#length)
    this.#length += 8
  }

  raw(part: Uint8Array): void {
    if (this.#bytes.length - this.#length < part.length) this.#grow(part.length)
    this.#bytes.set(part, this.#length)
    this.#length += part.length
  }

  /** As UTF-8, with its length before it. */
  text(text: string): void {
    const { length } = text
    if (length < shortText) {
      if (this.#bytes.length - this.#length < length + 1) this.#grow(length + 1)
      const bytes = this.#bytes
      let at = this.#length
      bytes[at++] = length
      let index = 0
      for (; index < length; index++) {
        const code = text.charCodeAt(index)
        if (code > 0x7f) break
        bytes[at++] = code
      }
      if (index === length) {
        this.#length = at
        return
      }
    }
    const size = Buffer.byteLength(text)
    this.count(size)
    if (this.#bytes.length - this.#length < size) this.#grow(size)
    this.#bytes.write(text, this.#length)
    this.#length += size
  }

  #grow(more: number): void {
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + more))
    bigger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bigger
  }
}
