/** Reads what a FrameWriter wrote. The two ends are of one program: what does not fit is a bug and throws a RangeError. */
export class FrameReader {
  readonly frame: Buffer
  readonly #view: DataView
  at = 0

  constructor(frame: Uint8Array) {
    this.frame = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
    this.#view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  }

  get done(): boolean {
    return this.at >= this.frame.length
  }

  byte(): number {
    return this.#view.getUint8(this.at++)
  }

  uint32(): number {
    const value = this.#view.getUint32(this.at, true)
    this.at += 4
    return value
  }

  int32(): number {
    const value = this.#view.getInt32(this.at, true)
    this.at += 4
    return value
  }

  float64(): number {
    const value = this.#view.getFloat64(this.at, true)
    this.at += 8
    return value
  }

  /** A view on the frame. */
  bytes(): Buffer {
    const length = this.uint32()
    this.at += length
    return this.frame.subarray(this.at - length, this.at)
  }

  text(encoding: 'latin1' | 'utf16le'): string {
    const length = this.uint32()
    this.at += length
    return this.frame.toString(encoding, this.at - length, this.at)
  }
}
