import type { SessionStore, StoredDelivery } from '@hookmq/api'
import type { Broker } from '../broker.ts'
import { type Channel, HOLD_STORE } from '../channel/channel.ts'
import type { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import type { Route, Routes } from '../routing/types.ts'
import { type Delivery, deliveryBytes } from '../session/delivery.ts'
import { Session } from '../session/session.ts'
import { encodeForNow } from './message-codec.ts'
import { StoreTrouble } from './store-trouble.ts'

/** Whoever holds something back until the store has it. */
export interface Awaiter {
  /** A part of it can go. true: there is more, ask again in a later turn. */
  committed(batch: number): boolean
}

/** Milliseconds for which what was committed is handed out in one go: sockets and timers have their turn in between. */
const turnLength = 5

/** Those who wait for promises and go on together: what they do comes when the turn is over, so that its length does not tell. */
const promisedTogether = 64

/** So many who had their turn are forgotten in one go. */
const forgottenTogether = 4096

/** The alarm that is active while the store fails. */
const storeDown = 'store_down'

/** Numbers of one run of the broker. */
const perRun = 2 ** 36

/** What the core does with a store of sessions: gives out numbers, and tells who waits what has been committed. */
export class Durable {
  readonly store: SessionStore
  /** What waits for all durable sessions together. */
  readonly queued = { messages: 0, bytes: 0 }
  readonly #broker: Broker
  #next: number
  #awaiting: Awaiter[] = []
  /** Those whose batch is committed, in their order: each is here or in the list above once. */
  #ready: Awaiter[] = []
  /** Where the first one that had no turn yet stands. */
  #first = 0
  #handingOut = false
  readonly #held = new Set<Channel>()
  /** Who waits for the store, and not for as long as it fails. */
  readonly #impatient = new Set<(problem: string) => void>()
  #promise: Waiter | undefined
  #resolved = 0
  #lastMessage: unknown
  #lastBody: Uint8Array | undefined

  constructor(broker: Broker, store: SessionStore) {
    this.#broker = broker
    this.store = store
    this.#next = store.run * perRun + 1
    store.observe({
      committed: () => this.#committed(),
      troubled: (problem) => this.#troubled(problem),
    })
  }

  /** For a session or a message: greater than all that were given out before, in earlier runs as well. */
  nextNumber(): number {
    return this.#next++
  }

  /** `awaiter` is told once, at the next commit. */
  await(awaiter: Awaiter): void {
    this.#awaiting.push(awaiter)
  }

  /** `awaiter` is told when others had their turn, within what one turn may take: it has done enough for now. */
  later(awaiter: Awaiter): void {
    this.#ready.push(awaiter)
    this.#goOn()
  }

  append(session: number, delivery: Delivery, packetId: number): void {
    const { message, sequence, qos, retain, subscriptionIdentifiers, group } = delivery
    if (message !== this.#lastMessage) {
      this.#lastMessage = message
      this.#lastBody = encodeForNow(message)
    }
    const stored: StoredDelivery = {
      sequence,
      packetId,
      released: false,
      qos: qos === 2 ? 2 : 1,
      retain,
      subscriptionIdentifiers,
      share: group === undefined ? undefined : `${group.prefix}/${group.filter}`,
      body: this.#lastBody as Uint8Array,
      size: deliveryBytes(delivery),
    }
    this.store.append(session, stored)
  }

  /** The store would have to take the message, for a receiver or as retained, or what is known of its publisher. */
  concerns(publisher: Session | undefined, message: BrokerMessage, { direct, shared }: Routes): boolean {
    if (message.retain || (message.qos === 2 && (publisher?.number ?? 0) !== 0)) return true
    const durable = ({ receiver, qos }: Route): boolean =>
      qos > 0 && receiver instanceof Session && receiver.number !== 0
    return direct.some(durable) || shared.some((group) => [...group.members()].some(durable))
  }

  /** The batch that has all that was changed since the store counted `changes`; undefined: nothing was changed. */
  batchSince(changes: number): number | undefined {
    return this.store.changes === changes ? undefined : this.store.last
  }

  /** Settles when all that was changed since the store counted `changes` is safe; undefined: nothing was changed. Never rejects. */
  since(changes: number): Promise<void> | undefined {
    return this.store.changes === changes ? undefined : this.#safe()
  }

  /**
   * As `since`, but for nobody who waits for a store that fails: rejects with a StoreTrouble then, or settles when QoS 0 makes no promise.
   */
  sinceOrTrouble(changes: number, { qos }: BrokerMessage): Promise<void> | undefined {
    const { problem: present } = this.store
    const safe = qos === 0 && present !== undefined ? undefined : this.since(changes)
    if (safe === undefined) return undefined
    return new Promise((resolve, reject) => {
      const impatient = (problem: string): void => {
        if (qos === 0) resolve()
        else reject(new StoreTrouble('STORE_PENDING', problem))
      }
      if (present !== undefined) return impatient(present)
      this.#impatient.add(impatient)
      void safe.then(() => {
        this.#impatient.delete(impatient)
        resolve()
      })
    })
  }

  /** Settles when all is safe that was changed; undefined: it is already. */
  pending(): Promise<void> | undefined {
    return this.store.committed >= this.store.last ? undefined : this.#safe()
  }

  /** One promise for some of those who wait for the same batch. */
  #safe(): Promise<void> {
    const { last } = this.store
    if (this.#promise?.batch !== last || this.#promise.users === promisedTogether) {
      this.#promise = new Waiter(this, last)
      this.await(this.#promise)
    }
    this.#promise.users++
    return this.#promise.promise
  }

  /** All queues together are as long as they may be. */
  full(bytes: number): boolean {
    const { maxStoreQueued, maxStoreQueuedBytes } = this.#broker.options
    const { queued } = this
    return (
      (maxStoreQueued > 0 && queued.messages >= maxStoreQueued) ||
      (maxStoreQueuedBytes > 0 && queued.messages > 0 && queued.bytes + bytes > maxStoreQueuedBytes)
    )
  }

  /** Too much waits for the disk: who brings more is not read until it has caught up. */
  throttle(channel: Channel): void {
    const { maxStoreWaiting } = this.#broker.options
    if (maxStoreWaiting === 0 || this.store.waitingBytes <= maxStoreWaiting) return
    this.#held.add(channel)
    channel.hold(HOLD_STORE)
  }

  #committed(): void {
    this.#broker.metrics.counters[M.STORE_BATCHES]++
    this.#lastMessage = undefined
    this.#lastBody = undefined
    for (const awaiter of this.#awaiting) this.#ready.push(awaiter)
    this.#awaiting = []
    if (!this.#handingOut) this.#handOut()
  }

  readonly #handOut = (): void => {
    this.#handingOut = false
    const end = performance.now() + turnLength
    this.#resolved = 0
    while (this.#step()) {
      if (performance.now() < end && this.#resolved < promisedTogether) continue
      return this.#goOn()
    }
  }

  #goOn(): void {
    if (this.#handingOut) return
    this.#handingOut = true
    setImmediate(this.#handOut)
  }

  /** One of those that have been waiting goes on. false: there is none. */
  #step(): boolean {
    const awaiter = this.#take()
    if (awaiter === undefined) return this.#releaseOne()
    try {
      if (awaiter.committed(this.store.committed)) this.#ready.push(awaiter)
    } catch (error) {
      this.#broker.reportBug(error)
    }
    return true
  }

  #take(): Awaiter | undefined {
    const awaiter = this.#ready[this.#first]
    if (awaiter === undefined) return undefined
    this.#first++
    if (this.#first === this.#ready.length || this.#first === forgottenTogether) {
      this.#ready = this.#ready.slice(this.#first)
      this.#first = 0
    }
    return awaiter
  }

  /** Reads on from a channel that brought more than the disk could take, when half of that is written. */
  #releaseOne(): boolean {
    if (this.#held.size === 0 || this.store.waitingBytes > this.#broker.options.maxStoreWaiting / 2) return false
    for (const channel of this.#held) {
      this.#held.delete(channel)
      channel.release(HOLD_STORE)
      return true
    }
    return false
  }

  /** Of those who wait for a promise, so many have been told in this turn. */
  told(users: number): void {
    this.#resolved += users
  }

  #troubled(problem: string | undefined): void {
    const { metrics, log, alarms } = this.#broker
    if (problem === undefined) {
      alarms.deactivate(storeDown)
      return log.info('the store works again: durable sessions take messages')
    }
    metrics.counters[M.STORE_FAILURES]++
    log.error('the store does not work: QoS 1 and 2 messages to durable sessions are refused', { problem })
    alarms.activate(storeDown, 'the store does not work', { problem })
    const impatient = [...this.#impatient]
    this.#impatient.clear()
    for (const tell of impatient) tell(problem)
  }
}

class Waiter implements Awaiter {
  readonly #durable: Durable
  readonly batch: number
  readonly promise: Promise<void>
  users = 0
  #resolve: () => void = () => {}

  constructor(durable: Durable, batch: number) {
    this.#durable = durable
    this.batch = batch
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  committed(batch: number): boolean {
    if (batch < this.batch) this.#durable.await(this)
    else {
      this.#durable.told(this.users)
      this.#resolve()
    }
    return false
  }
}
