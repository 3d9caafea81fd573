import { Change } from './change.ts'

/** Session of a change that is no session's: a retained message, the body of messages. */
export const nobody = -1

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

  /** Whose change it is that begins here, behind its kind; reads nothing. */
  sessionOf(kind: number): number {
    switch (kind) {
      case Change.Body:
      case Change.PutRetained:
      case Change.DeleteRetained:
      case Change.ClearRetained:
      case Change.PutMark:
        return nobody
      default:
        return this.#view.getFloat64(this.#at, true)
    }
  }

  /** All of a change behind its kind. */
  skipFields(kind: number): void {
    switch (kind) {
      case Change.Body:
        this.skip(4)
        return this.skipSized()
      case Change.Append:
        this.skip(25)
        return this.skipSized()
      case Change.Advance:
        return this.skip(20)
      case Change.Remove:
        return this.skip(16)
      case Change.PutSession:
        this.skip(16)
        this.skipSized()
        return this.skipSized()
      case Change.PutSubscription:
        this.skip(13)
        return this.skipSized()
      case Change.DeleteSubscription:
        this.skip(8)
        return this.skipSized()
      case Change.DeleteSession:
        return this.skip(8)
      case Change.PutAwaiting:
        return this.skip(20)
      case Change.DeleteAwaiting:
        return this.skip(12)
      case Change.PutRetained:
      case Change.PutMark:
        this.skipSized()
        return this.skipSized()
      case Change.DeleteRetained:
        return this.skipSized()
      case Change.ClearRetained:
        return
      default:
        throw new TypeError(`no change of kind ${kind}`)
    }
  }
}
