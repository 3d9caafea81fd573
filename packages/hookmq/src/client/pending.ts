import type { Packet } from '@hookmq/mqtt'

type Reject = (error: Error) => void

/** The requests of one client that wait for their answer, by packet identifier. */
export class PendingAnswers {
  readonly #waiting = new Map<number, { resolve: (packet: Packet) => void; reject: Reject }>()
  readonly #tracked = new Set<Reject>()
  #last = 0

  /** Takes a free packet identifier; undefined when all are taken. */
  add(resolve: (packet: Packet) => void, reject: Reject): number | undefined {
    if (this.#waiting.size >= 65_535) return undefined
    do this.#last = this.#last === 65_535 ? 1 : this.#last + 1
    while (this.#waiting.has(this.#last))
    this.#waiting.set(this.#last, { resolve, reject })
    return this.#last
  }

  settle(packetId: number, packet: Packet): void {
    const waiting = this.#waiting.get(packetId)
    this.#waiting.delete(packetId)
    waiting?.resolve(packet)
  }

  forget(packetId: number): void {
    this.#waiting.delete(packetId)
  }

  /** For what has no identifier: `reject` runs when the connection fails, unless the returned function ran before. */
  track(reject: Reject): () => void {
    this.#tracked.add(reject)
    return () => this.#tracked.delete(reject)
  }

  fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    for (const reject of this.#tracked) reject(error)
    this.#waiting.clear()
    this.#tracked.clear()
  }
}

/** How many QoS 1 and 2 messages may be on their way: the broker's Receive Maximum [MQTT-3.3.4-7]. */
export class SendWindow {
  #free = 0
  readonly #queue: { resolve: () => void; reject: Reject }[] = []
  #failed: Error | undefined

  open(size: number): void {
    this.#free += size
    while (this.#free > 0 && this.#queue.length > 0) {
      this.#free--
      this.#queue.shift()?.resolve()
    }
  }

  enter(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => this.#queue.push({ resolve, reject }))
  }

  leave(): void {
    this.open(1)
  }

  fail(error: Error): void {
    this.#failed = error
    for (const { reject } of this.#queue) reject(error)
    this.#queue.length = 0
  }
}
