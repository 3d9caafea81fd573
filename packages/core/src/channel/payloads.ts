import type { PublishFrame } from '@hookmq/mqtt'

/** As much as Node's own pool: a payload that is kept for long holds no more memory than one that was copied alone. */
const slabBytes = 8192

/**
 * Payloads of received messages lie in a read buffer that will be overwritten, and whoever gets a message may keep it. One copy of the bytes that
 * come next serves all small payloads in it: most of what a copy of its own costs is not the copying.
 */
export class Payloads {
  /** Where the bytes of `#slab` came from: source[#start, #end). */
  #source: Buffer | undefined
  #start = 0
  #end = 0
  #slab: Buffer | undefined

  /** Bytes are about to come in: buffers that were seen may hold others from now on. */
  forget(): void {
    this.#source = undefined
  }

  /** The payload of a frame, in memory that nobody writes to again. */
  own({ buffer, payloadStart, end }: PublishFrame): Buffer {
    if (buffer === this.#source && payloadStart >= this.#start && end <= this.#end && this.#slab !== undefined)
      return this.#slab.subarray(payloadStart - this.#start, end - this.#start)
    const size = end - payloadStart
    const ahead = Math.min(slabBytes, buffer.length - payloadStart)
    // A large one, or the last: nothing is gained by taking more.
    const taken = size > slabBytes / 2 || ahead < 2 * size ? size : ahead
    const slab = Buffer.allocUnsafe(taken)
    buffer.copy(slab, 0, payloadStart, payloadStart + taken)
    if (taken === size) return slab
    this.#source = buffer
    this.#start = payloadStart
    this.#end = payloadStart + taken
    this.#slab = slab
    return slab.subarray(0, size)
  }
}
