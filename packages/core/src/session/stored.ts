import type { StoredDelivery } from '@hookmq/api'
import { parseShared } from '@hookmq/mqtt'
import type { Counts } from '../durable/dormant.ts'
import type { Awaiter, Durable } from '../durable/durable.ts'
import { decodeMessage } from '../durable/message-codec.ts'
import * as M from '../metrics/index.ts'
import { type Delivery, deliveryBytes } from './delivery.ts'
import type { InflightEntry } from './inflight.ts'
import type { Outgoing } from './outgoing.ts'
import type { Session } from './session.ts'

/** Messages of a connected session's queue that are in memory at most; the rest stays in the store until these are sent. */
const windowLength = 256
const windowBytes = 1024 * 1024

/** Messages that go out in one step, when all of them have been committed. */
const handedOutTogether = 128

/** Milliseconds until a queue that could not be read is tried again. */
const retryAfter = 1000

/** Messages of one step of throwing the oldest away. */
const trimLength = 500

/**
 * The messages of a durable session on their way through the store. Nothing of QoS 1 or 2 leaves before the store has it together with its
 * packet identifier: what a client was given is never given to it as something else after a crash.
 *
 * While its client is away, a session has no message in memory.
 */
export class Stored implements Awaiter {
  readonly #session: Session
  readonly #durable: Durable
  readonly #outgoing: Outgoing
  /** Have a packet identifier and go out when the store has them. */
  #unsent: InflightEntry[] = []
  #registered = false
  /** Messages that wait and are in the store only. */
  #behindLength = 0
  #behindBytes = 0
  #behind: boolean
  /** All up to this one are in memory, or done with. */
  #readTo = 0
  #reading = false
  /** Counts what has gone behind: a page that was read before it does not show it. */
  #arrivals = 0
  /** Counts sleeping: what was being read before is of no use. */
  #slept = 0
  /** What of the total is this session's. */
  #talliedLength = 0
  #talliedBytes = 0
  /** Of a session without a connection: how many were in flight when it lost it. */
  sleepingInflight = 0

  constructor(session: Session, outgoing: Outgoing, durable: Durable, behind: boolean) {
    this.#session = session
    this.#outgoing = outgoing
    this.#durable = durable
    this.#behind = behind
  }

  /** Some of the queue is in the store only. */
  get behind(): boolean {
    return this.#behind
  }

  get behindLength(): number {
    return this.#behindLength
  }

  /** Of an earlier run: what it left is in the total already. */
  left({ waiting, waitingBytes, inflight }: Counts): void {
    this.#behindLength = waiting
    this.#behindBytes = waitingBytes
    this.#talliedLength = waiting
    this.#talliedBytes = waitingBytes
    this.sleepingInflight = inflight
  }

  /** Brings the total up to date with the queue of this session. */
  tally(): void {
    const { queue } = this.#outgoing
    this.#tally(queue.length + this.#behindLength, queue.bytes + this.#behindBytes)
  }

  /** The session is over. */
  leave(): void {
    this.#tally(0, 0)
  }

  #tally(length: number, bytes: number): void {
    const { queued } = this.#durable
    queued.messages += length - this.#talliedLength
    queued.bytes += bytes - this.#talliedBytes
    this.#talliedLength = length
    this.#talliedBytes = bytes
  }

  /** A message for this session, before anything was done with it. */
  take(delivery: Delivery): void {
    const { channel } = this.#session
    if (channel !== undefined && this.#outgoing.hasRoom) {
      const entry = this.#outgoing.inflight.add(delivery)
      this.#durable.append(this.#session.number, delivery, entry.packetId)
      return this.#await(entry)
    }
    if (!this.#makeRoom(delivery)) return
    this.#durable.append(this.#session.number, delivery, 0)
    const { queue } = this.#outgoing
    if (channel !== undefined && !this.#behind && queue.length < windowLength && queue.bytes < windowBytes) {
      delivery.message.compact()
      // Bounded above, and by the rules of the whole queue.
      queue.append(delivery)
      return this.tally()
    }
    if (!this.#behind) {
      this.#behind = true
      this.#readTo = delivery.sequence - 1
    }
    this.#arrivals++
    this.#behindLength++
    this.#behindBytes += deliveryBytes(delivery)
    this.tally()
  }

  /** Makes room for one more within the bounds of the queue. false: it was thrown away itself. */
  #makeRoom(delivery: Delivery): boolean {
    const { maxQueueLength, maxQueueBytes, queueDrop } = this.#session.broker.options
    const { queue } = this.#outgoing
    const full = (): boolean => {
      const length = queue.length + this.#behindLength
      const bytes = queue.bytes + this.#behindBytes + deliveryBytes(delivery)
      return (
        (maxQueueLength > 0 && length >= maxQueueLength) || (maxQueueBytes > 0 && length > 0 && bytes > maxQueueBytes)
      )
    }
    if (this.#durable.full(deliveryBytes(delivery))) {
      queue.dropped++
      const { broker, client } = this.#session
      broker.metrics.counters[M.STORE_QUEUES_FULL]++
      broker.dropDelivery(client, delivery.message, 'queue_full')
      return false
    }
    while (full()) {
      queue.dropped++
      if (queueDrop === 'newest') {
        this.#session.broker.dropDelivery(this.#session.client, delivery.message, 'queue_full')
        return false
      }
      const oldest = queue.shift()
      if (oldest === undefined) {
        this.#trim()
        return true
      }
      this.#outgoing.drop(oldest, 'queue_full')
    }
    return true
  }

  /** The oldest are in the store: reads them, so that hooks can be told what is thrown away. */
  #trim(): void {
    if (this.#reading) return
    const { maxQueueLength, maxQueueBytes } = this.#session.broker.options
    this.#read(trimLength, (page) => {
      for (const stored of page) {
        const over =
          (maxQueueLength > 0 && this.#behindLength > maxQueueLength) ||
          (maxQueueBytes > 0 && this.#behindBytes > maxQueueBytes)
        if (!over) break
        const delivery = this.#passed(stored)
        this.#outgoing.drop(delivery, 'queue_full')
      }
      this.tally()
    })
  }

  /** Takes a waiting message out of the queue: it gets its packet identifier, and leaves when the store has that. */
  send(delivery: Delivery): void {
    const entry = this.#outgoing.inflight.add(delivery)
    this.#durable.store.advance(this.#session.number, entry.sequence, entry.packetId, false)
    this.#await(entry)
  }

  #await(entry: InflightEntry): void {
    entry.batch = this.#durable.store.last
    this.#unsent.push(entry)
    this.#register()
  }

  #register(): void {
    if (this.#registered) return
    this.#registered = true
    this.#durable.await(this)
  }

  committed(batch: number): boolean {
    const unsent = this.#unsent
    const most = Math.min(unsent.length, handedOutTogether)
    let count = 0
    while (count < most && unsent[count]!.batch <= batch) count++
    const ready = unsent.splice(0, count)
    const first = this.#unsent[0]
    const more = first !== undefined && first.batch <= batch
    if (!more) {
      this.#registered = false
      if (first !== undefined) this.#register()
    }
    const { inflight } = this.#outgoing
    // Nothing overtakes what an earlier connection left. [MQTT-4.6.0-1]
    const late = this.#outgoing.mustResend
    for (const entry of ready) {
      const { channel, active } = this.#session
      // What an earlier connection should have sent has its turn with the rest of that.
      if (channel === undefined || !active || entry.resend || inflight.get(entry.packetId) !== entry) continue
      if (late) entry.resend = true
      else this.#outgoing.transmitEntry(channel, entry)
    }
    this.#session.pump()
    return more
  }

  /** There is more to be sent than one turn is for. */
  goOnLater(): void {
    if (this.#registered) return
    this.#registered = true
    this.#durable.later(this)
  }

  /** What was in flight on an earlier connection is not stored yet: its turn comes when it is. */
  uncommitted(entry: InflightEntry): boolean {
    if (entry.batch <= this.#durable.store.committed) return false
    this.#register()
    return true
  }

  released(entry: InflightEntry): void {
    if (entry.sequence !== 0) this.#durable.store.advance(this.#session.number, entry.sequence, entry.packetId, true)
  }

  forget(delivery: Delivery): void {
    if (delivery.sequence !== 0) this.#durable.store.remove(this.#session.number, delivery.sequence)
  }

  // --- from the store ------------------------------------------------------------------------------------------------

  /** Fetches more of the queue when little of it is left in memory. */
  readOn(): void {
    const { queue } = this.#outgoing
    if (!this.#behind || this.#reading || this.#session.channel === undefined || !this.#session.active) return
    if (queue.length > windowLength / 2 || queue.bytes > windowBytes / 2) return
    this.#read(windowLength, (page) => {
      if (this.#session.channel === undefined) return
      for (const stored of page) queue.append(this.#passed(stored))
    })
  }

  #read(limit: number, use: (page: readonly StoredDelivery[]) => void): void {
    this.#reading = true
    const arrivals = this.#arrivals
    const slept = this.#slept
    this.#durable.store
      .readQueue(this.#session.number, this.#readTo, limit, windowBytes)
      .then(({ deliveries, more }) => {
        this.#reading = false
        if (this.#session.over) return
        if (slept !== this.#slept) return this.#session.pump()
        use(deliveries)
        const last = deliveries.at(-1)
        if (
          !more &&
          arrivals === this.#arrivals &&
          this.#readTo >= (last?.sequence ?? 0) &&
          this.#session.channel !== undefined
        ) {
          this.#behind = false
          this.#behindLength = 0
          this.#behindBytes = 0
          this.tally()
        }
        this.#session.pump()
      })
      .catch((error: unknown) => {
        this.#reading = false
        this.#session.broker.log.error('queued messages cannot be read from the store', {
          clientId: this.#session.id,
          error: error instanceof Error ? error.message : String(error),
        })
        // Nothing else may come that asks for them.
        const { clock, deadlines } = this.#session.broker
        deadlines.add(clock.now() + retryAfter, () => this.#session.pump())
      })
  }

  #passed(stored: StoredDelivery): Delivery {
    const delivery = this.deliveryOf(stored)
    this.#readTo = stored.sequence
    this.#behindLength = Math.max(0, this.#behindLength - 1)
    this.#behindBytes = Math.max(0, this.#behindBytes - deliveryBytes(delivery))
    return delivery
  }

  deliveryOf(stored: StoredDelivery): Delivery {
    const { sequence, qos, retain, subscriptionIdentifiers, share, body } = stored
    const filter = share === undefined ? undefined : parseShared(share)
    const group = filter === undefined ? undefined : this.#session.broker.router.group(filter)
    return { message: decodeMessage(body), qos, retain, subscriptionIdentifiers, group, sequence }
  }

  // --- asleep --------------------------------------------------------------------------------------------------------

  /** The client is away: what is in the store needs no memory. */
  sleep(): void {
    const { inflight, queue } = this.#outgoing
    this.sleepingInflight = inflight.size
    for (const entry of inflight.values()) {
      // It never went out: it waits once more, and is no repetition when it goes. [MQTT-3.3.1-1]
      if (entry.sent || entry.stage !== 'publish') continue
      this.#durable.store.advance(this.#session.number, entry.sequence, 0, false)
      this.#behindLength++
      this.#behindBytes += deliveryBytes(entry)
      this.sleepingInflight--
    }
    inflight.clear()
    this.#unsent = []
    const inMemory: Delivery[] = []
    for (let delivery = queue.shift(); delivery !== undefined; delivery = queue.shift()) {
      if (delivery.sequence === 0) inMemory.push(delivery)
      else {
        this.#behindLength++
        this.#behindBytes += deliveryBytes(delivery)
      }
    }
    for (const delivery of inMemory) queue.append(delivery)
    this.#behind = true
    this.#readTo = 0
    this.#slept++
    this.tally()
  }

  /** The client is back, or is about to be. */
  wake(inflight: readonly StoredDelivery[], queued: number, queuedBytes: number): void {
    const { last, problem } = this.#durable.store
    // What was read while the store fails may not be stored yet.
    const batch = problem === undefined ? 0 : last
    for (const stored of inflight) {
      this.#outgoing.inflight.restore(this.deliveryOf(stored), stored.packetId, stored.released, batch)
    }
    this.sleepingInflight = 0
    this.#behindLength = Math.max(this.#behindLength, queued)
    this.#behindBytes = Math.max(this.#behindBytes, queuedBytes)
    this.tally()
    this.#outgoing.resendAll()
  }
}
