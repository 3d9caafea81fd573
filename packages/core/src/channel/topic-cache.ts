import type { QoS } from '@hookmq/mqtt'
import type { Routes } from '../routing/types.ts'

/** What one client's PUBLISHes to one topic have in common: checked text, receivers, permission. */
export interface TopicEntry {
  /** The topic as it is in the packet. */
  readonly bytes: Buffer
  readonly topic: string
  routes: Routes | undefined
  /** Bit n of `known` is set when the answer for n = qos * 2 + retain is in bit n of `allowed`. */
  known: number
  allowed: number
  /** When the answers expire, milliseconds since the epoch. */
  expiresAt: number
  /** The access rules that the answers were made with. */
  generation: number
}

export function permissionBit(qos: QoS, retain: boolean): number {
  return 1 << (qos * 2 + (retain ? 1 : 0))
}

/** Bytes of topics that lie in one piece of memory, at least and at most (but for a topic that is longer). */
const leastMemory = 64
const mostMemory = 2048

/**
 * The topics that a client published to lately, found by their bytes: a client that publishes to the same few topics pays for
 * decoding, checking, authorizing and matching each of them once.
 */
export class TopicCache {
  readonly #entries = new Map<number, TopicEntry>()
  #last: TopicEntry | undefined
  readonly #capacity: number
  /** Memory of this client's own: a few bytes in Node's pool would hold 64 KiB of it for as long as the client is there. */
  #memory = Buffer.alloc(0)
  #used = 0

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity)
  }

  find(buffer: Buffer, start: number, end: number): TopicEntry | undefined {
    const last = this.#last
    if (last !== undefined && same(last.bytes, buffer, start, end)) return last
    const entry = this.#entries.get(hash(buffer, start, end))
    if (entry === undefined || !same(entry.bytes, buffer, start, end)) return undefined
    this.#last = entry
    return entry
  }

  add(buffer: Buffer, start: number, end: number, topic: string): TopicEntry {
    // The topics of a client are few or many; when they are many, starting over is as good as any other way.
    if (this.#entries.size >= this.#capacity) this.#entries.clear()
    const bytes = this.#keep(buffer, start, end)
    const entry: TopicEntry = { bytes, topic, routes: undefined, known: 0, allowed: 0, expiresAt: 0, generation: 0 }
    this.#entries.set(hash(bytes, 0, bytes.length), entry)
    this.#last = entry
    return entry
  }

  clear(): void {
    this.#entries.clear()
    this.#last = undefined
  }

  /** A message that is under way may have the bytes of a forgotten topic: memory is never written to twice. */
  #keep(buffer: Buffer, start: number, end: number): Buffer {
    const length = end - start
    if (this.#memory.length - this.#used < length) {
      const size = Math.min(Math.max(2 * this.#memory.length, leastMemory), mostMemory)
      this.#memory = Buffer.allocUnsafeSlow(Math.max(size, length))
      this.#used = 0
    }
    const from = this.#used
    this.#used += buffer.copy(this.#memory, from, start, end)
    return this.#memory.subarray(from, this.#used)
  }
}

function same(bytes: Buffer, buffer: Buffer, start: number, end: number): boolean {
  const length = end - start
  if (bytes.length !== length) return false
  // Topics of one client differ near their end more often than at their beginning.
  for (let index = length - 1; index >= 0; index--) if (bytes[index] !== buffer[start + index]) return false
  return true
}

/** FNV-1a, 32 bits. */
function hash(buffer: Buffer, start: number, end: number): number {
  let value = 0x811c9dc5
  for (let index = start; index < end; index++) value = Math.imul(value ^ buffer[index]!, 0x01000193)
  return value
}
