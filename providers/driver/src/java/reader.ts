/** Reads the parts of a frame's body. Throws a RangeError at its end. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  get position(): number {
    return this.#at
  }

  octet(): number {
    const value = this.#bytes[this.#at++]
    if (value === undefined) throw new RangeError('the body ends within a value')
    return value
  }

  count(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const octet = this.octet()
      value |= (octet & 0x7f) << shift
      if (octet < 0x80) return value >>> 0
    }
    throw new RangeError('a count of more than 32 bits')
  }

  integer(): number {
    const value = this.#bytes.readInt32BE(this.#at)
    this.#at += 4
    return value
  }

  /** A number when it is a safe one. */
  long(): number | bigint {
    const high = this.integer()
    const low = this.integer() >>> 0
    const value = high * 0x1_0000_0000 + low
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low)
  }

  double(): number {
    const value = this.#bytes.readDoubleBE(this.#at)
    this.#at += 8
    return value
  }

  /** With its length before it; a copy, because the body's memory is used again. */
  bytes(): Buffer {
    return Buffer.from(this.#part())
  }

  /** UTF-8, with its length before it. */
  text(): string {
    return this.#part().toString()
  }

  #part(): Buffer {
    const length = this.count()
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('the body ends within a value')
    const part = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }
}
