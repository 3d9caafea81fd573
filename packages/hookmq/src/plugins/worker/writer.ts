/** Bytes of one frame: records are put at its end until somebody takes them. */
export class FrameWriter {
  #bytes: Buffer
  #view: DataView
  /** Where the next byte goes. */
  at = 0

  constructor(size = 16 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(size)
    this.#view = new DataView(this.#bytes.buffer)
  }

  byte(value: number): void {
    if (this.at + 1 > this.#bytes.length) this.#grow(1)
    this.#bytes[this.at++] = value
  }

  uint32(value: number): void {
    if (this.at + 4 > this.#bytes.length) this.#grow(4)
    this.#view.setUint32(this.at, value, true)
    this.at += 4
  }

  int32(value: number): void {
    if (this.at + 4 > this.#bytes.length) this.#grow(4)
    this.#view.setInt32(this.at, value, true)
    this.at += 4
  }

  float64(value: number): void {
    if (this.at + 8 > this.#bytes.length) this.#grow(8)
    this.#view.setFloat64(this.at, value, true)
    this.at += 8
  }

  bytes(value: Uint8Array): void {
    const { length } = value
    this.uint32(length)
    if (this.at + length > this.#bytes.length) this.#grow(length)
    this.#bytes.set(value, this.at)
    this.at += length
  }

  /** Length and text; true: every character took one byte. The caller must have said before which of the two follows. */
  latin1(value: string): void {
    const { length } = value
    this.uint32(length)
    if (this.at + length > this.#bytes.length) this.#grow(length)
    if (length <= 40)
      for (let index = 0; index < length; index++) this.#bytes[this.at + index] = value.charCodeAt(index)
    else this.#bytes.write(value, this.at, length, 'latin1')
    this.at += length
  }

  utf16(value: string): void {
    const length = value.length * 2
    this.uint32(length)
    if (this.at + length > this.#bytes.length) this.#grow(length)
    this.#bytes.write(value, this.at, length, 'utf16le')
    this.at += length
  }

  /** What has been written, in memory of its own; the writer is empty then. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.at)
    taken.set(this.#bytes.subarray(0, this.at))
    this.at = 0
    return taken
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.at + more))
    grown.set(this.#bytes.subarray(0, this.at))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
