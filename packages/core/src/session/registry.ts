import type { ClientInfo, SessionIndexPage } from '@hookmq/api'
import { ReasonCode } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import { type Channel, HOLD_TAKEN_OVER } from '../channel/channel.ts'
import { endConnection } from '../channel/disconnect.ts'
import { Dormant, pageLength } from '../durable/dormant.ts'
import * as M from '../metrics/index.ts'
import { Session } from './session.ts'

/** MQTT 5: a session that never expires. */
const never = 0xffffffff

export interface Opened {
  readonly session: Session
  /** An earlier session goes on: Session Present. */
  readonly resumed: boolean
  /** Ends what the old connection still has to do, once the new one has its CONNACK. */
  finishTakeover(): void
}

/** All sessions by client id. Those of earlier runs become objects when somebody asks for them. */
export class Sessions {
  readonly #broker: Broker
  readonly #sessions = new Map<string, Session>()
  readonly #dormant = new Dormant()
  /** By page and index of their places: dormant sessions that messages can be routed to. */
  readonly #subscribed: (Session | undefined)[][] = []

  constructor(broker: Broker) {
    this.#broker = broker
  }

  get size(): number {
    return this.#sessions.size + this.#dormant.size
  }

  get full(): boolean {
    const { maxSessions } = this.#broker.options
    return maxSessions > 0 && this.size + (this.#broker.peers?.elsewhere('sessions') ?? 0) >= maxSessions
  }

  has(clientId: string): boolean {
    return this.#sessions.has(clientId) || this.#dormant.find(clientId) !== undefined
  }

  get(clientId: string): Session | undefined {
    const session = this.#sessions.get(clientId)
    if (session !== undefined || this.#dormant.size === 0) return session
    const place = this.#dormant.find(clientId)
    return place === undefined ? undefined : this.awaken(place)
  }

  /** To look at: one of an earlier run that nobody has asked for is made for the moment. */
  *values(): IterableIterator<Session> {
    yield* this.#sessions.values()
    for (const place of this.#dormant.places()) yield this.#at(place) ?? this.#make(place)
  }

  /** All that may have a connection. */
  awake(): IterableIterator<Session> {
    return this.#sessions.values()
  }

  /** All that may have subscriptions. */
  *subscribed(): IterableIterator<Session> {
    yield* this.#sessions.values()
    for (const page of this.#subscribed) for (const session of page) if (session !== undefined) yield session
  }

  /** Binds a connection to its session: the stored one, or a new one. [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.2-6] */
  open(channel: Channel, client: ClientInfo, cleanStart: boolean, expiryInterval: number): Opened {
    const broker = this.#broker
    const { counters } = broker.metrics
    const old = this.get(client.clientId)
    // A session that ends with its connection is never continued. [MQTT-3.1.2-6 v3.1.1]
    if (old?.persistent === true && !cleanStart) return this.#resume(old, channel, client, expiryInterval)
    if (old !== undefined) this.#discard(old)
    const session = new Session(broker, client.clientId, client, expiryInterval, broker.clock.now())
    this.#sessions.set(client.clientId, session)
    broker.peers?.counted()
    session.attach(channel, client)
    if (broker.durable !== undefined && expiryInterval > 0) {
      session.number = broker.durable.nextNumber()
      broker.keeper?.connected(session)
    }
    counters[M.SESSION_CREATED]++
    if (broker.chains.sessionCreated.size !== 0) {
      broker.chains.sessionCreated.notify({ client, session: session.info() })
    }
    return { session, resumed: false, finishTakeover() {} }
  }

  #resume(session: Session, channel: Channel, client: ClientInfo, expiryInterval: number): Opened {
    const broker = this.#broker
    const oldChannel = session.channel
    const oldClient = session.client
    if (oldChannel !== undefined) {
      oldChannel.hold(HOLD_TAKEN_OVER)
      session.detach()
    }
    broker.wills.cancel(session)
    session.expiryInterval = expiryInterval
    session.attach(channel, client)
    if (session.number !== 0) broker.keeper?.connected(session)
    broker.metrics.counters[M.SESSION_RESUMED]++
    broker.chains.sessionResumed.notify({ client, session: session.info() })
    return {
      session,
      resumed: true,
      finishTakeover: () => {
        const taken = (): void => {
          broker.metrics.counters[M.SESSION_TAKENOVER]++
          broker.chains.sessionTakenover.notify({ client: oldClient, session: session.info() })
        }
        // Without a connection, or with one that ended by itself in the meantime.
        if (oldChannel === undefined || oldChannel.state === 'closed') return taken()
        // [MQTT-3.1.4-3] [MQTT-3.1.4-2 v3.1.1]
        endConnection(oldChannel, {
          reason: 'takenover',
          reasonCode: ReasonCode.SessionTakenOver,
          will: true,
          bytesLast: true,
          sessionGone: 'takenover',
          finished: taken,
        })
      },
    }
  }

  /** Sessions of an earlier run. Returns the place of the first, see `awaken`; those of other processes are left out. */
  restore(page: SessionIndexPage): number {
    const { peers, durable } = this.#broker
    const first = this.#dormant.add(page, (clientId) => {
      // Not the latest of its client.
      const earlier = this.get(clientId)
      if (earlier === undefined) return
      this.#sessions.delete(clientId)
      earlier.close()
      durable?.store.deleteSession(earlier.number)
    })
    if (peers !== undefined) {
      for (let place = first; place < first + page.numbers.length; place++)
        if (peers.cluster.owner(this.#dormant.clientId(place)) !== peers.cluster.name) this.#dormant.remove(place)
    }
    return first
  }

  /** A session that was restored to this place and has subscriptions. undefined: it is another process's. */
  subscriber(place: number): Session | undefined {
    if (this.#dormant.number(place) === 0) return this.#sessions.get(this.#dormant.clientId(place))
    const number = Math.floor(place / pageLength)
    this.#subscribed[number] ??= []
    this.#subscribed[number][place % pageLength] ??= this.#make(place)
    return this.#subscribed[number][place % pageLength]
  }

  #at(place: number): Session | undefined {
    return this.#subscribed[Math.floor(place / pageLength)]?.[place % pageLength]
  }

  /** The session that was restored to this place, if it is there still. */
  awaken(place: number): Session | undefined {
    if (this.#dormant.number(place) === 0) return this.#sessions.get(this.#dormant.clientId(place))
    const session = this.#at(place) ?? this.#make(place)
    const page = this.#subscribed[Math.floor(place / pageLength)]
    if (page !== undefined) page[place % pageLength] = undefined
    this.#dormant.remove(place)
    this.#sessions.set(session.id, session)
    return session
  }

  #make(place: number): Session {
    const session = new Session(this.#broker, this.#dormant.clientId(place), undefined, never, 0)
    session.number = this.#dormant.number(place)
    session.asleep = true
    session.recalled = false
    session.stored(this.#dormant.counts(place))
    return session
  }

  #discard(session: Session): void {
    const broker = this.#broker
    const { client } = session
    const info = session.info()
    const finish = (): void => {
      broker.metrics.counters[M.SESSION_DISCARDED]++
      broker.chains.sessionDiscarded.notify({ client, session: info })
    }
    this.#sessions.delete(session.id)
    this.#broker.peers?.counted()
    const oldChannel = session.channel
    if (oldChannel === undefined) {
      broker.wills.sessionEnding(session)
      this.#close(session)
      return finish()
    }
    session.detach()
    this.#close(session)
    endConnection(oldChannel, {
      reason: 'discarded',
      reasonCode: ReasonCode.SessionTakenOver,
      will: true,
      bytesLast: true,
      sessionGone: 'discarded',
      finished: finish,
    })
  }

  #close(session: Session): void {
    const { keeper } = this.#broker
    const { number } = session
    const shared = session.asleep && [...session.subscriptions.keys()].some((filter) => filter.startsWith('$'))
    session.close()
    if (number !== 0) keeper?.delete(session, shared)
  }

  /** The connection is gone and the session waits for the client. [MQTT-3.1.2-11] */
  detached(session: Session): void {
    if (this.get(session.id) !== session) return
    const broker = this.#broker
    if (session.number !== 0) {
      broker.keeper?.detached(session)
      session.sleep()
    }
    if (session.expiryInterval === never) return
    session.cancelExpiry?.()
    const since = session.detachedAt ?? broker.clock.now()
    session.cancelExpiry = broker.deadlines.add(since + session.expiryInterval * 1000, () =>
      this.end(session, 'expired'),
    )
  }

  /** The session is over. `reason` undefined: without session.terminated. [MQTT-4.1.0-2] */
  end(session: Session, reason: string | undefined): void {
    if (this.get(session.id) !== session) return
    this.#sessions.delete(session.id)
    this.#broker.peers?.counted()
    const broker = this.#broker
    const info = session.info()
    broker.wills.sessionEnding(session)
    this.#close(session)
    if (reason === undefined) return
    broker.metrics.counters[M.SESSION_TERMINATED]++
    if (broker.chains.sessionTerminated.size !== 0) {
      broker.chains.sessionTerminated.notify({ client: session.client, reason, session: info })
    }
  }

  /** Ends connection and session. false: no such session. */
  kick(clientId: string): boolean {
    const session = this.get(clientId)
    if (session === undefined) return false
    if (session.channel === undefined) this.end(session, 'kicked')
    else {
      endConnection(session.channel, {
        reason: 'kicked',
        reasonCode: ReasonCode.AdministrativeAction,
        will: true,
        bytesLast: true,
        endSession: true,
      })
    }
    return true
  }
}
