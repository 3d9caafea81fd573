import type { PublishFrame } from '@hookmq/mqtt'

/** As much as Node's own pool: a payload that is kept for long holds no more memory than one that was copied alone. */
const arenaBytes = 65_536
/** What is copied ahead at first; as long as all of it is used, twice as much the next time. */
const firstBytes = 8192
/** Node's class of buffers: to make one of memory that is at hand takes a third less time than `subarray`. */
const NodeBuffer = (Buffer as unknown as { [Symbol.species]: unknown })[Symbol.species] as new (
  memory: ArrayBuffer,
  offset: number,
  length: number,
) => Buffer

/**
 * Payloads of received messages lie in a read buffer that will be overwritten, and whoever gets a message may keep it. One copy of the bytes that
 * come next serves all small payloads in it: most of what a copy of its own costs is not the copying.
 */
export class Payloads {
  /** Where the copied bytes came from: source[#start, #end). */
  #source: Buffer | undefined
  #start = 0
  #end = 0
  /** From an offset in the source to the one in the arena. */
  #shift = 0
  #arena: Buffer<ArrayBuffer> | undefined
  #memory = new ArrayBuffer(0)
  #used = arenaBytes
  #ahead = firstBytes

  /** Bytes are about to come in: buffers that were seen may hold others from now on. */
  forget(): void {
    this.#source = undefined
    this.#ahead = firstBytes
  }

  /** The payload of a frame, in memory that nobody writes to again. */
  own(frame: PublishFrame): Buffer {
    const { payloadStart, end } = frame
    const size = end - payloadStart
    if (frame.buffer !== this.#source || payloadStart < this.#start || end > this.#end) {
      const left = frame.buffer.length - payloadStart
      // A large one, or the last: nothing is gained by taking more.
      if (size > firstBytes / 2 || left < 2 * size) return copyOf(frame)
      this.#take(frame.buffer, payloadStart, size)
    }
    return new NodeBuffer(this.#memory, payloadStart + this.#shift, size)
  }

  #take(buffer: Buffer, from: number, size: number): void {
    if (this.#arena === undefined || arenaBytes - this.#used < size) {
      this.#arena = Buffer.allocUnsafeSlow(arenaBytes)
      this.#memory = this.#arena.buffer
      this.#used = 0
    }
    const taken = Math.min(this.#ahead, arenaBytes - this.#used, buffer.length - from)
    this.#ahead *= 2
    buffer.copy(this.#arena, this.#used, from, from + taken)
    this.#source = buffer
    this.#start = from
    this.#end = from + taken
    this.#shift = this.#used - from
    this.#used += taken
  }
}

/** The payload of a frame where it lies: until bytes come in. */
export function borrowedPayload({ buffer, payloadStart, end }: PublishFrame): Buffer {
  return new NodeBuffer(buffer.buffer as ArrayBuffer, buffer.byteOffset + payloadStart, end - payloadStart)
}

function copyOf({ buffer, payloadStart, end }: PublishFrame): Buffer {
  const own = Buffer.allocUnsafe(end - payloadStart)
  buffer.copy(own, 0, payloadStart, end)
  return own
}
