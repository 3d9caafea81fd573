/** Reads what a BatchWriter wrote. */
export class BatchReader {
  readonly #buffer: Buffer
  readonly #view: DataView
  #at: number

  constructor(batch: Uint8Array, at = 0) {
    this.#buffer = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength)
    this.#view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
    this.#at = at
  }

  get done(): boolean {
    return this.#at >= this.#buffer.length
  }

  byte(): number {
    return this.#buffer[this.#at++] as number
  }

  uint32(): number {
    const value = this.#view.getUint32(this.#at, true)
    this.#at += 4
    return value
  }

  number(): number {
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    return value
  }

  skip(length: number): void {
    this.#at += length
  }

  /** What `text` or `blob` would read. */
  skipSized(): void {
    const length = this.uint32()
    this.#at += length
  }

  text(): string {
    const length = this.uint32()
    if (length === 0) return ''
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
