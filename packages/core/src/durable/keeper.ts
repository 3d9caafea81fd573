import type { StoredDelivery, SubscriptionBits } from '@hookmq/api'
import { parseShared, type QoS } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import type { StoredOptions } from '../routing/types.ts'
import type { Session } from '../session/session.ts'
import { pageLength } from './dormant.ts'
import type { Durable } from './durable.ts'
import { decodeMessage } from './message-codec.ts'
import { decodeRecord, encodeRecord, type SessionRecord } from './session-record.ts'

const never = 0xffffffff

/** Subscriptions that are restored before others have their turn. */
const subscriptionsInOneGo = 1000

/** Sessions that are looked after in one go. */
const dueLength = 500

/** Milliseconds between two lines about how far the reading of the index is. */
const progressInterval = 2000

/** Due times below this are no times, but the number of the run that the session is connected in. */
const firstTime = 65_536

/** Keeps the records of durable sessions up to date, and brings sessions of earlier runs back. */
export class Keeper {
  readonly #broker: Broker
  readonly #durable: Durable
  readonly #loading = new Map<Session, Promise<void>>()
  /** Client ids are asked for. */
  #looking = false
  /** Were connected when an earlier run ended: their places among the dormant, the last comes first. */
  readonly #wereConnected: number[] = []

  constructor(broker: Broker, durable: Durable) {
    this.#broker = broker
    this.#durable = durable
  }

  // --- records -------------------------------------------------------------------------------------------------------

  /** Its client is connected: the will is its present one. */
  connected(session: Session): void {
    const will = session.channel?.will
    this.#put(session, this.#durable.store.run, { will, willAt: undefined, detachedAt: undefined })
  }

  /** Its client is away. */
  detached(session: Session): void {
    const { pendingWill, detachedAt = this.#broker.clock.now() } = session
    this.#put(session, dueOf(session.expiryInterval, detachedAt, pendingWill?.at), {
      will: pendingWill?.will,
      willAt: pendingWill?.at,
      detachedAt,
    })
  }

  #put(session: Session, due: number | undefined, state: Pick<SessionRecord, 'will' | 'willAt' | 'detachedAt'>): void {
    const { number, id, createdAt, expiryInterval, client } = session
    const record = encodeRecord({ createdAt, expiryInterval, client, ...state })
    this.#durable.store.putSession(number, id, due, record)
  }

  /** The session is over. `shared`: what waits for it in the store for shared groups goes to other members. */
  delete(session: Session, shared: boolean): void {
    const { store } = this.#durable
    if (!shared) return store.deleteSession(session.number)
    this.#handOver(session).catch((error: unknown) => {
      this.#broker.log.error('messages of a session that ended cannot be handed over to its shared groups', {
        clientId: session.id,
        error: String(error),
      })
    })
  }

  async #handOver(session: Session): Promise<void> {
    const { store } = this.#durable
    const { router } = this.#broker
    const give = ({ share, body }: StoredDelivery): void => {
      const filter = share === undefined ? undefined : parseShared(share)
      const group = filter === undefined ? undefined : router.group(filter)
      if (group !== undefined) this.#broker.deliverToGroup(decodeMessage(body), group)
    }
    const stored = await store.readSession(session.number)
    // Not QoS 2 that was sent: nobody else may get that. [MQTT-4.8.2-5]
    for (const delivery of stored?.inflight ?? []) if (delivery.qos === 1) give(delivery)
    for (let after = 0, more = stored !== undefined; more; ) {
      const page = await store.readQueue(session.number, after, 500, 1024 * 1024)
      for (const delivery of page.deliveries) {
        give(delivery)
        after = delivery.sequence
      }
      more = page.more
    }
    store.deleteSession(session.number)
  }

  // --- sessions of earlier runs --------------------------------------------------------------------------------------

  /** Reads who there is and who subscribed to what. Everything else of a session is read when somebody needs it. */
  async restore(): Promise<void> {
    const { store } = this.#durable
    const { log, clock, sessions } = this.#broker
    const startedAt = clock.now()
    let told = startedAt
    let count = 0
    let next = store.readIndex(-1, pageLength)
    for (;;) {
      const page = await next
      const last = page.numbers[page.numbers.length - 1]
      if (last === undefined) break
      // The next page is read while this one is worked at.
      next = store.readIndex(last, pageLength)
      next.catch(() => {})
      const first = sessions.restore(page)
      for (let index = 0; index < page.numbers.length; index++) {
        const due = page.dues[index] ?? -1
        if (due > 0 && due < firstTime) this.#wereConnected.push(first + index)
        this.#durable.queued.messages += page.waiting[index] ?? 0
        this.#durable.queued.bytes += page.waitingBytes[index] ?? 0
      }
      for (let index = 0; index < page.filters.length; index++) {
        const owner = page.owners[index] ?? Number.NaN
        // Of another process, or of a session that is gone.
        const session = owner < page.numbers.length ? sessions.subscriber(first + owner) : undefined
        session?.resubscribe(page.filters[index] ?? '', optionsOf(page.bits[index] ?? 0, page.identifiers[index] ?? 0))
        if (index % subscriptionsInOneGo === subscriptionsInOneGo - 1) await new Promise(setImmediate)
      }
      count += page.numbers.length
      const now = clock.now()
      if (now - told >= progressInterval) {
        told = now
        log.info('sessions are being read from the store', { sessions: count })
      }
    }
    if (count > 0)
      log.info('sessions of the store are back', { sessions: count, milliseconds: clock.now() - startedAt })
  }

  /** Makes a session that sleeps ready for its client. Rejects when the store cannot be read. */
  load(session: Session): Promise<void> {
    let loading = this.#loading.get(session)
    if (loading === undefined) {
      loading = this.#load(session).finally(() => this.#loading.delete(session))
      this.#loading.set(session, loading)
    }
    return loading
  }

  async #load(session: Session): Promise<void> {
    const stored = await this.#durable.store.readSession(session.number)
    if (session.over || !session.asleep || stored === undefined) return
    if (!session.recalled) this.#recall(session, decodeRecord(stored.record))
    if (!session.over) session.wake(stored)
  }

  /** What the store knows of a session of an earlier run. Its time may have come while the broker was not there. */
  #recall(session: Session, record: SessionRecord): void {
    const { startedAt, wills, sessions, clock } = this.#broker
    const { createdAt, expiryInterval, client, will, willAt } = record
    session.recalled = true
    session.createdAt = createdAt
    session.expiryInterval = expiryInterval
    session.client = client
    // It was connected: that ended with the broker.
    session.detachedAt = record.detachedAt ?? startedAt
    const delay = (will?.properties.willDelayInterval ?? 0) * 1000
    if (will !== undefined) wills.wait(session, client, will, willAt ?? startedAt + delay)
    const end = expiryInterval === never ? Number.POSITIVE_INFINITY : session.detachedAt + expiryInterval * 1000
    if (end <= clock.now()) sessions.end(session, 'expired')
    else if (session.channel === undefined) sessions.detached(session)
  }

  /** Sessions of earlier runs whose will or end has come while nobody had them in memory. */
  lookAfter(now: number): void {
    if (this.#looking || this.#durable.store.problem !== undefined) return
    this.#looking = true
    this.#lookAfter(now)
      .catch((error: unknown) => {
        this.#broker.log.warn('sessions that are due cannot be read', { error: String(error) })
      })
      .finally(() => {
        this.#looking = false
      })
  }

  async #lookAfter(now: number): Promise<void> {
    const { store } = this.#durable
    // First those whose connections ended with an earlier run: their time began when this one did.
    for (let count = 0; count < dueLength; count++) {
      const place = this.#wereConnected.pop()
      if (place === undefined) break
      const session = this.#broker.sessions.awaken(place)
      if (session !== undefined) await this.#lookAfterOne(session)
    }
    for (const clientId of await store.readDue(firstTime, now, dueLength)) {
      const session = this.#broker.sessions.get(clientId)
      if (session !== undefined) await this.#lookAfterOne(session)
    }
  }

  async #lookAfterOne(session: Session): Promise<void> {
    if (session.recalled || session.over) return
    const stored = await this.#durable.store.readSession(session.number)
    if (stored !== undefined && !session.recalled && !session.over) this.#recall(session, decodeRecord(stored.record))
  }
}

/** When somebody has to look after a session without a connection. Milliseconds since the epoch; undefined: never. */
function dueOf(expiryInterval: number, detachedAt: number, willAt: number | undefined): number | undefined {
  const end = expiryInterval === never ? undefined : detachedAt + expiryInterval * 1000
  if (willAt === undefined || end === undefined) return willAt ?? end
  return Math.min(willAt, end)
}

const known = new Map<SubscriptionBits, StoredOptions>()

/** Most subscriptions have the same options: one object for all of them. */
function optionsOf(bits: SubscriptionBits, identifier: number): StoredOptions {
  let options = known.get(bits)
  if (options === undefined) {
    options = {
      qos: (bits & 3) as QoS,
      noLocal: (bits & 4) !== 0,
      retainAsPublished: (bits & 8) !== 0,
      retainHandling: ((bits >> 4) & 3) as 0 | 1 | 2,
    }
    known.set(bits, options)
  }
  return identifier === 0 ? options : { ...options, subscriptionIdentifier: identifier }
}
