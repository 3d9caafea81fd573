import { type QoS, ReasonCode } from '@hookmq/mqtt'
import { after } from '../after.ts'
import type { PublisherRoute } from '../broker.ts'
import { FarReceivers } from '../cluster/peers.ts'
import type { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import type { Route, Routes } from '../routing/types.ts'
import type { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'
import type { Slot } from './in-order.ts'
import { refusePublish } from './refuse.ts'

/** A message of QoS 1 or 2 goes to its receivers; its acknowledgement leaves when what it stands for is safe. */
export function routeAcknowledged(
  channel: Channel,
  session: Session,
  message: BrokerMessage,
  routes: Routes,
  qos: QoS,
  packetId: number,
): undefined | Promise<unknown> {
  const { broker } = channel
  const { peers, durable } = broker
  const changes = durable?.store.changes ?? 0
  if (durable?.store.problem !== undefined && durable.concerns(session, message, routes)) {
    broker.metrics.counters[M.STORE_REFUSED]++
    // Not behind those that wait for the store: that may last.
    return refusePublish(channel, session, storeDown(channel), qos, packetId, 'now')
  }
  // In one batch with the message: after a crash both are there, or none. [MQTT-4.3.3-10]
  if (qos === 2 && peers === undefined) session.keepAwaiting(packetId)
  // The client may have left while hooks were thinking: its message counts all the same.
  if (channel.state !== 'connected') {
    const since = peers?.handed ?? 0
    broker.route(message, routes)
    channel.slowDown()
    if (qos === 2 && peers !== undefined) acceptFar(session, packetId, peers.taken(since))
    return undefined
  }
  const routed = new RoutedPublish(channel, session, message, qos, packetId)
  const far = peers === undefined ? undefined : new FarReceivers(peers)
  // The own copy of a durable session must be stored before the acknowledgement leaves.
  routed.count = broker.route(message, routes, session.number === 0 ? routed : undefined, far)
  let taken = far && peers?.taken(far.since)
  if (qos === 2 && peers !== undefined) taken = keepAwaitingFar(session, packetId, taken)
  const batch = durable?.batchSince(changes)
  if (taken === undefined && batch !== undefined) {
    routed.batch = batch
    return channel.acknowledgeStored(routed)
  }
  const safe = whenSafe(taken, durable?.since(changes))
  if (safe !== undefined || channel.acknowledgesLate) return acknowledgeLater(routed, far, safe)
  return routed.run()
}

/** PUBREC once more, for a message that was accepted, or is about to be. */
export function acknowledgeAgain(channel: Channel, session: Session, packetId: number): void {
  const write = (): undefined => channel.writeAck('pubrec', packetId, ReasonCode.Success) as undefined
  const stored = session.number === 0 ? undefined : channel.broker.durable?.pending()
  const safe = whenSafe(session.forwarding?.get(packetId), stored)
  if (safe === undefined && !channel.acknowledgesLate) return void write()
  channel.acknowledgeWhen(safe, (taken) =>
    taken ? write() : refusePublish(channel, session, workerAway(channel), 2, packetId, 'now'),
  )
}

/** A PUBLISH that came on an earlier connection, too, and waits for its hooks there. */
export class RepeatedPublish implements Slot {
  readonly #channel: Channel
  readonly #session: Session
  readonly #packetId: number
  #outcome: BrokerMessage | Refusal | undefined
  ready = false

  constructor(channel: Channel, session: Session, packetId: number) {
    this.#channel = channel
    this.#session = session
    this.#packetId = packetId
  }

  decided(outcome: BrokerMessage | Refusal | undefined): void {
    this.#outcome = outcome
    this.ready = true
    this.#channel.order?.proceed()
  }

  run(): undefined {
    const outcome = this.#outcome
    if (this.#channel.state !== 'connected') return
    if (outcome === undefined) return this.#channel.fail(ReasonCode.UnspecifiedError) as undefined
    if (outcome instanceof Refusal) return refusePublish(this.#channel, this.#session, outcome, 2, this.#packetId)
    if (this.#session.awaitingRel?.has(this.#packetId) === true)
      return void acknowledgeAgain(this.#channel, this.#session, this.#packetId)
    // Hooks agreed, but then it could not be kept: its identifier is free again.
    return refusePublish(this.#channel, this.#session, notKept(this.#channel), 2, this.#packetId, 'now')
  }
}

/**
 * What another process has not stored yet could be lost in a crash while the identifier counts as taken: the client would be told, when it sends the
 * message again, that all is well. So it comes after, and a crash in between makes the message come twice. Settles when it is safe, too.
 */
function keepAwaitingFar(
  session: Session,
  packetId: number,
  taken: Promise<boolean> | undefined,
): Promise<boolean> | undefined {
  if (taken !== undefined) return keepAwaitingWhen(taken, session, packetId)
  session.keepAwaiting(packetId)
  return undefined
}

function keepAwaitingWhen(taken: Promise<boolean>, session: Session, packetId: number): Promise<boolean> {
  session.forwarding ??= new Map()
  const { forwarding } = session
  const kept = taken.then((done) => {
    if (forwarding.get(packetId) === kept) forwarding.delete(packetId)
    if (!done) return false
    session.keepAwaiting(packetId)
    const stored = session.broker.durable?.pending()
    return stored === undefined ? true : stored.then(() => true)
  })
  forwarding.set(packetId, kept)
  return kept
}

/** As `keepAwaitingFar`, for a message that nobody waits for: when it may be lost, its client can send it once more. */
function acceptFar(session: Session, packetId: number, taken: Promise<boolean> | undefined): void {
  void keepAwaitingFar(session, packetId, taken)?.then((done) => {
    if (!done) session.release(packetId)
  })
}

/** false: another process may have lost it. */
function whenSafe(
  taken: Promise<boolean> | undefined,
  stored: Promise<void> | undefined,
): Promise<boolean | void> | undefined {
  if (taken === undefined || stored === undefined) return taken ?? stored
  return Promise.all([taken, stored]).then(([done]) => done)
}

function acknowledgeLater(
  routed: RoutedPublish,
  far: FarReceivers | undefined,
  safe: Promise<boolean | void> | undefined,
): undefined {
  const { channel, session, message, qos, packetId } = routed
  return channel.acknowledgeWhen(safe, (taken) => {
    if (!taken) return refusePublish(channel, session, workerAway(channel), qos, packetId, 'now')
    routed.count = channel.broker.total(message, routed.count, far)
    return routed.run()
  })
}

/** The message may be lost on its way to receivers elsewhere: the client must not take it for accepted. */
function workerAway(channel: Channel): Refusal {
  return notTaken(channel, ReasonCode.ImplementationSpecificError, 'cluster', 'a process with receivers is away')
}

function storeDown(channel: Channel): Refusal {
  return notTaken(channel, ReasonCode.QuotaExceeded, 'store', 'the store does not work at present')
}

function notKept(channel: Channel): Refusal {
  if (channel.broker.durable?.store.problem !== undefined) return storeDown(channel)
  return notTaken(channel, ReasonCode.ImplementationSpecificError, 'core', 'the message could not be kept')
}

/** An older client cannot be told: it must not take the message for accepted, and sends it again when it is back. */
function notTaken({ version }: Channel, reasonCode: number, by: string, cause: string): Refusal {
  return new Refusal(version === 5 ? 'reject' : 'disconnect', reasonCode, by, cause)
}

/** A message that was routed, and waits for its acknowledgement. */
class RoutedPublish implements PublisherRoute, Slot {
  readonly channel: Channel
  readonly session: Session
  readonly message: BrokerMessage
  readonly qos: QoS
  readonly packetId: number
  route: Route | undefined = undefined
  /** Its receivers. */
  count = 0
  /** What the store has to have written first. */
  batch = 0

  constructor(channel: Channel, session: Session, message: BrokerMessage, qos: QoS, packetId: number) {
    this.channel = channel
    this.session = session
    this.message = message
    this.qos = qos
    this.packetId = packetId
  }

  get ready(): boolean {
    return this.batch <= (this.channel.broker.durable?.store.committed ?? 0)
  }

  /** The acknowledgement, then the publisher's own copy. */
  run(): undefined | Promise<unknown> {
    const { session, message, route } = this
    const work = this.channel.state === 'connected' ? this.#acknowledge() : undefined
    if (route === undefined) return work
    return after(work, () => session.deliver(message, route)) as undefined | Promise<unknown>
  }

  /** PUBREC; PUBACK after message.puback had its say. */
  #acknowledge(): undefined | Promise<unknown> {
    const { channel, message, packetId, count: routes } = this
    const reasonCode = routes === 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success
    if (this.qos === 2) return void channel.writeAck('pubrec', packetId, reasonCode)
    const { broker, client } = channel
    const chain = broker.chains.messagePuback
    if (chain.size === 0 || client === undefined) return void channel.writeAck('puback', packetId, reasonCode)
    return after(chain.fold({ client, packetId, message, routes }, reasonCode), (code) => {
      channel.writeAck('puback', packetId, typeof code === 'number' ? code : reasonCode)
      return undefined
    })
  }
}
