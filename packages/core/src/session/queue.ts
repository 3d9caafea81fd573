import { type Delivery, deliveryBytes } from './delivery.ts'

export interface QueueLimits {
  readonly maxQueueLength: number
  readonly maxQueueBytes: number
  readonly queueDrop: 'oldest' | 'newest'
}

/** Messages that wait for a session: first in, first out, bounded in number and bytes. */
export class MessageQueue {
  #ring: (Delivery | undefined)[] = new Array(16)
  #head = 0
  #length = 0
  #bytes = 0
  dropped = 0

  get length(): number {
    return this.#length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Adds at the end. What had to go for it (the new one itself when `queueDrop` is newest) is given to `drop`. */
  push(delivery: Delivery, limits: QueueLimits, drop: (delivery: Delivery) => void): void {
    const size = deliveryBytes(delivery)
    while (
      (limits.maxQueueLength > 0 && this.#length >= limits.maxQueueLength) ||
      (limits.maxQueueBytes > 0 && this.#length > 0 && this.#bytes + size > limits.maxQueueBytes)
    ) {
      this.dropped++
      if (limits.queueDrop === 'newest') return drop(delivery)
      drop(this.shift()!)
    }
    this.append(delivery)
  }

  /** Adds at the end. Not bounded: whoever calls this has counted. */
  append(delivery: Delivery): void {
    if (this.#length === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = delivery
    this.#length++
    this.#bytes += deliveryBytes(delivery)
  }

  /** Puts one back in front. Not bounded: whoever calls this has taken it out before. */
  unshift(delivery: Delivery): void {
    if (this.#length === this.#ring.length) this.#grow()
    this.#head = (this.#head - 1) & (this.#ring.length - 1)
    this.#ring[this.#head] = delivery
    this.#length++
    this.#bytes += deliveryBytes(delivery)
  }

  peek(): Delivery | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head]
  }

  shift(): Delivery | undefined {
    if (this.#length === 0) return undefined
    const delivery = this.#ring[this.#head]!
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length--
    this.#bytes -= deliveryBytes(delivery)
    // A queue that was long once must not keep its room for ever.
    if (this.#length === 0 && this.#ring.length > 1024) {
      this.#ring = new Array(16)
      this.#head = 0
    }
    return delivery
  }

  clear(): void {
    this.#ring = new Array(16)
    this.#head = 0
    this.#length = 0
    this.#bytes = 0
  }

  /** The ring's size is a power of two, so that wrapping is a mask. */
  #grow(): void {
    const old = this.#ring
    const next: (Delivery | undefined)[] = new Array(old.length * 2)
    for (let index = 0; index < this.#length; index++) next[index] = old[(this.#head + index) & (old.length - 1)]
    this.#ring = next
    this.#head = 0
  }
}
