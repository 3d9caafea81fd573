/**
 * Python's marshal format, version 2: what `marshal.loads` of every Python from 2.5 on reads, in C. One byte of type, then the value, integers in
 * little-endian order.
 */
export class MarshalWriter {
  #bytes: Buffer
  #length = 0

  constructor(capacity = 64 * 1024) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  /** A view: valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  get length(): number {
    return this.#length
  }

  /** Forgets what was written from there on. */
  truncate(length: number): void {
    this.#length = length
  }

  /** Overwrites the length of a list or tuple, which stands behind its type. */
  putSize(at: number, size: number): void {
    this.#bytes.writeInt32LE(size, at)
  }

  clear(): void {
    this.#length = 0
    // One big payload must not be held on to for ever.
    if (this.#bytes.length > 1024 * 1024) this.#bytes = Buffer.allocUnsafe(64 * 1024)
  }

  none(): void {
    this.#type(0x4e)
  }

  boolean(value: boolean): void {
    this.#type(value ? 0x54 : 0x46)
  }

  integer(value: number | bigint): void {
    const small = Number(value)
    if (small >= -0x80000000 && small <= 0x7fffffff) {
      this.#reserve(5)
      const bytes = this.#bytes
      const at = this.#length
      bytes[at] = 0x69
      bytes[at + 1] = small
      bytes[at + 2] = small >> 8
      bytes[at + 3] = small >> 16
      bytes[at + 4] = small >> 24
      this.#length = at + 5
    } else if (typeof value === 'number' && Number.isSafeInteger(value)) this.#long(Math.abs(value), value < 0)
    else this.#big(BigInt(value))
  }

  float(value: number): void {
    this.#reserve(9)
    this.#bytes[this.#length] = 0x67
    this.#bytes.writeDoubleLE(value, this.#length + 1)
    this.#length += 9
  }

  bytesOf(value: Uint8Array): void {
    this.#sized(0x73, value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** The bytes of a string in UTF-8, as `bytes`. */
  textAsBytes(text: string): void {
    this.#text(0x73, text)
  }

  /** As `str`. */
  text(text: string): void {
    this.#text(0x75, text)
  }

  /** So many values follow. */
  tuple(length: number): void {
    this.#sized(0x28, length)
  }

  list(length: number): void {
    this.#sized(0x5b, length)
  }

  #text(type: number, text: string): void {
    // A UTF-16 unit takes three bytes of UTF-8 at most.
    this.#reserve(5 + text.length * 3)
    const bytes = this.#bytes
    const start = this.#length + 5
    let at = start
    let index = 0
    if (text.length <= 48) {
      for (; index < text.length; index++) {
        const unit = text.charCodeAt(index)
        if (unit > 0x7f) break
        bytes[at++] = unit
      }
    }
    if (index < text.length) at = start + bytes.write(text, start, 'utf8')
    this.#sized(type, at - start)
    this.#length = at
  }

  #type(type: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = type
  }

  #sized(type: number, size: number): void {
    this.#reserve(5)
    const bytes = this.#bytes
    const at = this.#length
    bytes[at] = type
    bytes[at + 1] = size
    bytes[at + 2] = size >>> 8
    bytes[at + 3] = size >>> 16
    bytes[at + 4] = size >>> 24
    this.#length = at + 5
  }

  /** Digits of 15 bits; their number carries the sign. */
  #long(magnitude: number, negative: boolean): void {
    let count = 0
    for (let rest = magnitude; rest >= 1; rest /= 0x8000) count++
    this.#sized(0x6c, negative ? -count : count)
    this.#reserve(count * 2)
    const bytes = this.#bytes
    let at = this.#length
    for (let rest = magnitude; count > 0; count--, at += 2) {
      const digit = rest % 0x8000
      bytes[at] = digit
      bytes[at + 1] = digit >> 8
      rest = (rest - digit) / 0x8000
    }
    this.#length = at
  }

  #big(value: bigint): void {
    const digits: number[] = []
    for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 15n) digits.push(Number(rest & 0x7fffn))
    this.#digits(digits, value < 0n)
  }

  #digits(digits: readonly number[], negative: boolean): void {
    this.#sized(0x6c, negative ? -digits.length : digits.length)
    this.#reserve(digits.length * 2)
    for (const digit of digits) {
      this.#bytes[this.#length++] = digit
      this.#bytes[this.#length++] = digit >> 8
    }
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}
