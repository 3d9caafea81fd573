import { serialize } from 'node:v8'
import type { ForwardedMessage, MessageHeaders, RetainedChange, SharedTarget } from '@hookmq/api'
import { ACK, MESSAGE, NUMBER, PACKET, RETAIN } from './frame-types.ts'

const initial = 64 * 1024

/** Flags of a message. */
export const RETAIN_FLAG = 4
export const DUP = 8
export const HAS_ID = 16
export const HAS_PROPERTIES = 32
export const HAS_HEADERS = 64
/** `from` is that of the message before. */
export const SAME_FROM = 128
/** So are the headers. */
export const SAME_HEADERS = 256
export const HAS_TARGET = 512
/** The sender wants to know how many receivers it has: the next ACK says so. */
export const COUNTED = 1024

/** Frames one behind the other in one buffer: length (4 bytes, of what follows), type, body. Numbers are big-endian. */
export class FrameWriter {
  buffer = Buffer.allocUnsafeSlow(initial)
  length = 0
  #start = 0
  #from: string | undefined
  #headers: MessageHeaders | undefined
  /** Messages and retained messages that were written, ever. */
  #number = 0
  /** Their numbers stand in this buffer. */
  #numbered = false

  /** What was written until now belongs to the caller, or may be overwritten when `reuse`. The next frames stand on their own. */
  restart(reuse: boolean): void {
    if (!reuse || this.buffer.length > 16 * initial) this.buffer = Buffer.allocUnsafeSlow(initial)
    this.length = 0
    this.#from = undefined
    this.#headers = undefined
    this.#numbered = false
  }

  /** Frames that were written before, with their numbers, go on here; those that follow stand on their own. */
  replay(bytes: Uint8Array): void {
    this.bytes(bytes)
    this.#numbered = false
  }

  message(message: ForwardedMessage, to: SharedTarget | undefined, counted: boolean): void {
    this.#count()
    this.#begin(MESSAGE)
    this.#message(message, to, counted)
    this.#end()
  }

  retain({ topic, message, stamp, route }: RetainedChange, counted: boolean): void {
    this.#count()
    this.#begin(RETAIN)
    this.#byte((message === undefined ? 0 : 1) | (route ? 2 : 0))
    this.#ensure(8)
    this.length = this.buffer.writeDoubleBE(stamp, this.length)
    if (message === undefined) this.#text(topic)
    else this.#message(message, undefined, counted)
    this.#end()
  }

  packet(bytes: Uint8Array, start: number, end: number, version: 4 | 5, from: string): void {
    this.#begin(PACKET)
    const same = from === this.#from
    this.#byte((version === 5 ? 1 : 0) | (same ? 2 : 0))
    if (!same) {
      this.#text(from)
      this.#from = from
    }
    this.#ensure(end - start)
    if (Buffer.isBuffer(bytes)) bytes.copy(this.buffer, this.length, start, end)
    else this.buffer.set(bytes.subarray(start, end), this.length)
    this.length += end - start
    this.#end()
  }

  text(type: number, text: string): void {
    this.#begin(type)
    this.#ensure(3 * text.length)
    this.length += this.buffer.write(text, this.length)
    this.#end()
  }

  number(type: number, number: number): void {
    this.#begin(type)
    this.#ensure(8)
    this.length = this.buffer.writeDoubleBE(number, this.length)
    this.#end()
  }

  /** `counts`: the receivers of the counted messages that came since the ACK before. */
  acknowledge(token: number, counts: readonly number[]): void {
    this.#begin(ACK)
    this.#ensure(8 + 4 * counts.length)
    this.length = this.buffer.writeDoubleBE(token, this.length)
    for (const count of counts) this.length = this.buffer.writeUInt32BE(count, this.length)
    this.#end()
  }

  /** Throws what cannot be cloned. */
  value(type: number, value: unknown): void {
    const bytes = serialize(value)
    this.#begin(type)
    this.bytes(bytes)
    this.#end()
  }

  bytes(bytes: Uint8Array): void {
    this.#ensure(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  #message(message: ForwardedMessage, to: SharedTarget | undefined, counted: boolean): void {
    const { topic, payload, qos, retain, dup, from, timestamp, properties, headers, seenId } = message
    const sameFrom = from === this.#from
    const sameHeaders = headers === this.#headers
    let flags = qos | (retain ? RETAIN_FLAG : 0) | (dup ? DUP : 0)
    if (seenId !== undefined) flags |= HAS_ID
    const hasProperties = !isEmpty(properties)
    if (hasProperties) flags |= HAS_PROPERTIES
    if (sameHeaders) flags |= SAME_HEADERS
    else if (!isEmpty(headers)) flags |= HAS_HEADERS
    if (sameFrom) flags |= SAME_FROM
    if (to !== undefined) flags |= HAS_TARGET
    if (counted) flags |= COUNTED
    this.#ensure(10)
    this.length = this.buffer.writeUInt16BE(flags, this.length)
    this.length = this.buffer.writeDoubleBE(timestamp, this.length)
    this.#text(topic)
    if (!sameFrom) this.#text(from)
    if (seenId !== undefined) this.#text(seenId)
    if (hasProperties) this.#sized(serialize(properties))
    if (!sameHeaders && !isEmpty(headers)) this.#sized(serialize(headers))
    if (to !== undefined) {
      this.#text(to.filter)
      this.#text(to.clientId)
    }
    this.bytes(payload)
    this.#from = from
    this.#headers = headers
  }

  #count(): void {
    this.#number++
    if (this.#numbered) return
    this.#numbered = true
    this.number(NUMBER, this.#number)
  }

  #begin(type: number): void {
    this.#start = this.length
    this.#ensure(5)
    this.length += 4
    this.buffer[this.length++] = type
  }

  #end(): void {
    this.buffer.writeUInt32BE(this.length - this.#start - 4, this.#start)
  }

  #byte(value: number): void {
    this.#ensure(1)
    this.buffer[this.length++] = value
  }

  #text(text: string): void {
    this.#ensure(4 + 3 * text.length)
    const size = this.buffer.write(text, this.length + 4)
    this.buffer.writeUInt32BE(size, this.length)
    this.length += 4 + size
  }

  #sized(bytes: Uint8Array): void {
    this.#ensure(4)
    this.length = this.buffer.writeUInt32BE(bytes.length, this.length)
    this.bytes(bytes)
  }

  #ensure(size: number): void {
    const needed = this.length + size
    if (needed <= this.buffer.length) return
    const bigger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buffer.length))
    this.buffer.copy(bigger, 0, 0, this.length)
    this.buffer = bigger
  }
}

function isEmpty(value: object): boolean {
  for (const _ in value) return false
  return true
}
