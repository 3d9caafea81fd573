/** Reads what a BatchWriter wrote. */
export class BatchReader {
  readonly #buffer: Buffer
  #at = 0

  constructor(batch: Uint8Array) {
    this.#buffer = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength)
  }

  get done(): boolean {
    return this.#at >= this.#buffer.length
  }

  byte(): number {
    return this.#buffer[this.#at++] as number
  }

  uint32(): number {
    const value = this.#buffer.readUInt32LE(this.#at)
    this.#at += 4
    return value
  }

  number(): number {
    const value = this.#buffer.readDoubleLE(this.#at)
    this.#at += 8
    return value
  }

  text(): string {
    const length = this.uint32()
    this.#at += length
    return this.#buffer.toString('utf8', this.#at - length, this.#at)
  }

  /** A view of the batch. */
  blob(): Uint8Array {
    const length = this.uint32()
    this.#at += length
    return this.#buffer.subarray(this.#at - length, this.#at)
  }
}
