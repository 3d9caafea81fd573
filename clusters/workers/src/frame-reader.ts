import { deserialize } from 'node:v8'
import type { ForwardedMessage, MessageHeaders, RetainedChange, SharedTarget } from '@hookmq/api'
import {
  COUNTED,
  DUP,
  HAS_HEADERS,
  HAS_ID,
  HAS_PROPERTIES,
  HAS_TARGET,
  RETAIN_FLAG,
  SAME_FROM,
  SAME_HEADERS,
} from './frame-writer.ts'

const noProperties: ForwardedMessage['properties'] = Object.freeze({})
const noHeaders: MessageHeaders = Object.freeze({})

/** Longest frame that is believed: what is beyond it is not ours. */
const longest = 1024 * 1024 * 1024

/** Gets the frames of one member in their order. `reader` stands at the body of the frame until the call returns. */
export type TakeFrame = (type: number, reader: FrameReader) => void

/** Cuts the bytes of one member into frames, and reads what is in them. */
export class FrameReader {
  buffer: Buffer = Buffer.alloc(0)
  at = 0
  end = 0
  readonly #take: TakeFrame
  #parts: Buffer[] = []
  #kept = 0
  #needed = 4
  #from = ''
  #headers: MessageHeaders = noHeaders

  constructor(take: TakeFrame) {
    this.#take = take
  }

  /** The chunk is kept: payloads are views of it. */
  write(chunk: Buffer): void {
    this.#parts.push(chunk)
    this.#kept += chunk.length
    if (this.#kept < this.#needed) return
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#kept)
    let at = 0
    for (;;) {
      if (bytes.length - at < 4) {
        this.#needed = 4
        break
      }
      const size = bytes.readUInt32BE(at)
      if (size === 0 || size > longest) throw new Error(`a frame of ${size} bytes cannot be from a member`)
      if (bytes.length - at < 4 + size) {
        this.#needed = 4 + size
        break
      }
      this.buffer = bytes
      this.at = at + 5
      this.end = at + 4 + size
      this.#take(bytes[at + 4], this)
      at += 4 + size
    }
    this.#parts = at === bytes.length ? [] : [bytes.subarray(at)]
    this.#kept = bytes.length - at
  }

  byte(): number {
    return this.buffer[this.at++]
  }

  double(): number {
    this.at += 8
    return this.buffer.readDoubleBE(this.at - 8)
  }

  text(): string {
    const size = this.buffer.readUInt32BE(this.at)
    this.at += 4 + size
    return this.buffer.toString('utf8', this.at - size, this.at)
  }

  /** Numbers to the end of the frame. */
  counts(): number[] {
    const counts: number[] = []
    for (; this.at < this.end; this.at += 4) counts.push(this.buffer.readUInt32BE(this.at))
    return counts
  }

  /** All that is left of the frame. */
  rest(): Buffer {
    return this.buffer.subarray(this.at, this.end)
  }

  value(): unknown {
    return deserialize(this.rest())
  }

  /** The publisher of a PACKET, whose flags say whether it is that of the message before. */
  sender(same: boolean): string {
    if (!same) this.#from = this.text()
    return this.#from
  }

  message(): { message: ForwardedMessage; to: SharedTarget | undefined; counted: boolean } {
    const flags = this.buffer.readUInt16BE(this.at)
    this.at += 2
    const timestamp = this.double()
    const topic = this.text()
    if ((flags & SAME_FROM) === 0) this.#from = this.text()
    const seenId = (flags & HAS_ID) === 0 ? undefined : this.text()
    const properties = (flags & HAS_PROPERTIES) === 0 ? noProperties : (this.#sized() as ForwardedMessage['properties'])
    if ((flags & SAME_HEADERS) === 0) {
      this.#headers = (flags & HAS_HEADERS) === 0 ? noHeaders : (this.#sized() as MessageHeaders)
    }
    const to = (flags & HAS_TARGET) === 0 ? undefined : { filter: this.text(), clientId: this.text() }
    const message: ForwardedMessage = {
      topic,
      payload: this.rest(),
      qos: (flags & 3) as 0 | 1 | 2,
      retain: (flags & RETAIN_FLAG) !== 0,
      dup: (flags & DUP) !== 0,
      from: this.#from,
      timestamp,
      properties,
      headers: this.#headers,
      seenId,
    }
    return { message, to, counted: (flags & COUNTED) !== 0 }
  }

  retained(): { change: RetainedChange; counted: boolean } {
    const flags = this.byte()
    const stamp = this.double()
    const route = (flags & 2) !== 0
    if ((flags & 1) === 0) return { change: { topic: this.text(), stamp, route }, counted: false }
    const { message, counted } = this.message()
    return { change: { topic: message.topic, message, stamp, route }, counted }
  }

  #sized(): unknown {
    const size = this.buffer.readUInt32BE(this.at)
    this.at += 4 + size
    return deserialize(this.buffer.subarray(this.at - size, this.at))
  }
}
