import type { AuthorizeRequest, ClientInfo } from '@hookmq/api'
import {
  decodeProperties,
  MqttError,
  type Properties,
  type PublishFrame,
  type QoS,
  ReasonCode,
  topicNameError,
} from '@hookmq/mqtt'
import type { Access } from '../access/access.ts'
import { after } from '../after.ts'
import type { PublisherRoute } from '../broker.ts'
import { FarReceivers } from '../cluster/peers.ts'
import { pending, type RunEnd } from '../hooks/index.ts'
import { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import type { BrokerOptions } from '../options.ts'
import { Refusal } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'
import type { Slot } from './in-order.ts'
import { refusePublish } from './refuse.ts'
import { permissionBit, TopicCache, type TopicEntry } from './topic-cache.ts'

const noProperties: Properties = Object.freeze({})
/** Topics of one client that are remembered when permissions are not. */
const topicsWithoutCache = 32

/**
 * The ordinary way of a PUBLISH. Each step is taken at once, unless a hook makes it wait; then the packet keeps its
 * place among the client's packets and takes effect when its turn comes.
 */
export function receivePublish(channel: Channel, frame: PublishFrame): void {
  const { session } = channel
  if (session === undefined) return
  const { qos, retain, packetId } = frame
  // A PUBLISH sent again that already was accepted: only the answer is repeated. [MQTT-4.3.3-10]
  if (qos === 2 && isRepeated(channel, session, packetId, frame.dup)) return repeatAnswer(channel, session, packetId)
  const properties =
    frame.propertiesStart === frame.propertiesEnd
      ? noProperties
      : decodeProperties(frame.buffer, frame.propertiesStart, frame.propertiesEnd, 'publish')
  const entry = resolveTopic(channel, frame, properties)
  if (entry === undefined) {
    channel.broker.metrics.counters[M.PACKETS_PUBLISH_ERROR]++
    return
  }
  const payload = channel.broker.payloads.own(frame)
  const permission = permissionOf(channel, entry, qos, retain)
  const packet = new WaitingPublish(channel, entry, qos, packetId)
  if (permission instanceof Promise) {
    channel.waitIn(packet)
    decideLater(packet, permission, retain, frame.dup, payload, properties)
    return
  }
  const decision = decide(packet, permission, retain, frame.dup, payload, properties)
  if (
    decision === pending ||
    decision instanceof Promise ||
    (channel.order !== undefined && channel.order.length > 0)
  ) {
    packet.decided(decision)
    return channel.waitIn(packet)
  }
  const work = finish(channel, entry, decision, qos, packetId)
  if (work instanceof Promise) waitFor(channel, work)
}

// Closures stand in functions of their own: one that has any pays for them with each call.

function waitFor(channel: Channel, work: Promise<unknown>): void {
  channel.inOrder().push(() => work)
}

function decideLater(
  packet: WaitingPublish,
  permission: Promise<boolean>,
  retain: boolean,
  dup: boolean,
  payload: Buffer,
  properties: Properties,
): void {
  packet.decided(permission.then((allowed) => decide(packet, allowed, retain, dup, payload, properties)))
}

function repeatAnswer(channel: Channel, session: Session, packetId: number): void {
  effect(channel, () => {
    const write = (): undefined => channel.writeAck('pubrec', packetId, ReasonCode.Success) as undefined
    const safe = session.number === 0 ? undefined : channel.broker.durable?.pending()
    if (safe === undefined && !channel.acknowledgesLate) write()
    else channel.acknowledgeWhen(safe, write)
  })
}

/** The rest of `receivePublish` for a QoS 0 message with a remembered permission that the hooks have seen already. Always true. */
export function publishHeard(channel: Channel, entry: TopicEntry, outcome: Outcome | Promise<Outcome>): true {
  const { counters } = channel.broker.metrics
  counters[M.CLIENT_ACL_CACHE_HIT]++
  counters[M.CLIENT_ACL_ALLOW]++
  if (outcome instanceof Promise) {
    const packet = new WaitingPublish(channel, entry, 0, 0)
    packet.decided(outcome)
    channel.waitIn(packet)
  } else finish(channel, entry, outcome, 0, 0)
  return true
}

/** A PUBLISH that keeps its place while something is asked about it. */
class WaitingPublish implements Slot, RunEnd<BrokerMessage | Refusal> {
  readonly channel: Channel
  readonly entry: TopicEntry
  readonly qos: QoS
  readonly packetId: number
  /** What the hooks are asked about. */
  message: BrokerMessage | undefined
  client: ClientInfo | undefined
  #outcome: Outcome | undefined
  #error: unknown
  ready = false

  constructor(channel: Channel, entry: TopicEntry, qos: QoS, packetId: number) {
    this.channel = channel
    this.entry = entry
    this.qos = qos
    this.packetId = packetId
  }

  /** What the hooks have made of the message. */
  ended(changed: Outcome): void {
    const { channel, message, client } = this
    this.decided(message === undefined ? changed : channel.broker.settlePublish(message, changed, client))
  }

  decided(decision: Decision | Promise<Decision>): void {
    if (decision === pending) return
    if (decision instanceof Promise) return this.#decidedLater(decision)
    this.#outcome = decision
    this.ready = true
    this.channel.order?.proceed()
  }

  run(): undefined | Promise<unknown> {
    if (this.#outcome === undefined) throw this.#error
    return finish(this.channel, this.entry, this.#outcome, this.qos, this.packetId)
  }

  #decidedLater(decision: Promise<Decision>): void {
    decision.then(
      (outcome) => this.decided(outcome),
      (error) => this.#failed(error),
    )
  }

  #failed(error: unknown): void {
    this.#error = error
    this.ready = true
    this.channel.order?.proceed()
  }
}

/**
 * The identifier stands for a message that was accepted. DUP says so; without DUP it does for a message of an earlier connection:
 * some clients repeat those without setting it, and must not be told that the identifier is in use.
 */
function isRepeated(channel: Channel, session: Session, packetId: number, dup: boolean): boolean {
  const since = session.awaitingRel?.get(packetId)
  return since !== undefined && (dup || since < channel.acceptedAt)
}

/** Does something that must come after what still waits. */
function effect(channel: Channel, run: () => void): void {
  if (channel.order !== undefined && channel.order.length > 0) {
    channel.order.push(() => {
      run()
      return undefined
    })
  } else run()
}

/** The topic of a frame, by name or alias, checked. undefined: refused, the connection is closing. */
function resolveTopic(channel: Channel, frame: PublishFrame, properties: Properties): TopicEntry | undefined {
  const { options } = channel.broker
  const { topicAlias } = properties
  if (topicAlias !== undefined && topicAlias > options.maxTopicAlias) {
    channel.fail(ReasonCode.TopicAliasInvalid, `topic alias ${topicAlias} is above ${options.maxTopicAlias}`) // [MQTT-3.3.2-9]
    return undefined
  }
  if (frame.topicStart === frame.topicEnd) {
    const entry = topicAlias === undefined ? undefined : channel.topicAliases?.get(topicAlias)
    // [MQTT-3.3.2-8] [MQTT-3.3.2-12] [MQTT-4.7.3-1 v3.1.1]
    if (entry === undefined)
      channel.fail(topicAlias === undefined ? ReasonCode.TopicNameInvalid : ReasonCode.ProtocolError, 'no topic')
    return entry
  }
  channel.topics ??= new TopicCache(options.aclCache ? options.aclCacheMaxSize : topicsWithoutCache)
  let entry = channel.topics.find(frame.buffer, frame.topicStart, frame.topicEnd)
  if (entry === undefined) {
    let topic: string
    try {
      topic = channel.topicOf(frame)
    } catch (error) {
      if (!(error instanceof MqttError)) throw error
      channel.fail(error.reasonCode, error.message)
      return undefined
    }
    const fault =
      topicNameError(topic, { maxLength: options.maxTopicLength, maxLevels: options.maxTopicLevels }) ??
      (channel.mountpoint === '' ? undefined : topicNameError(channel.mountpoint + topic))
    if (fault !== undefined) {
      channel.fail(fault.reasonCode, fault.message) // [MQTT-3.3.2-2] [MQTT-3.3.2-2 v3.1.1]
      return undefined
    }
    entry = channel.topics.add(frame.buffer, frame.topicStart, frame.topicEnd, topic)
  }
  if (topicAlias !== undefined) {
    channel.topicAliases ??= new Map()
    channel.topicAliases.set(topicAlias, entry) // [MQTT-3.3.2-7]: for this connection only
  }
  return entry
}

/** May the client publish this? Answers are remembered in the entry. */
function permissionOf(channel: Channel, entry: TopicEntry, qos: QoS, retain: boolean): boolean | Promise<boolean> {
  const { broker, client } = channel
  if (client === undefined) return false
  const { access, options } = broker
  const bit = permissionBit(qos, retain)
  if (entry.generation !== access.generation || entry.expiresAt < channel.lastReceived) {
    entry.generation = access.generation
    entry.known = 0
    entry.expiresAt = channel.lastReceived + options.aclCacheTtl
  }
  if (options.aclCache && (entry.known & bit) !== 0) {
    const allowed = (entry.allowed & bit) !== 0
    access.cacheHit(client, entry.topic, qos, retain, allowed)
    return allowed
  }
  return authorize(
    access,
    { client, action: 'publish', topic: entry.topic, qos, retain },
    options.aclCache ? entry : undefined,
  )
}

function authorize(
  access: Access,
  request: AuthorizeRequest,
  remember: TopicEntry | undefined,
): boolean | Promise<boolean> {
  return after(access.authorize(request), ({ result, cacheable }) => {
    const allowed = result === 'allow'
    if (cacheable !== false && remember !== undefined) {
      const bit = permissionBit(request.qos, request.retain)
      remember.known |= bit
      if (allowed) remember.allowed |= bit
      else remember.allowed &= ~bit
    }
    return allowed
  })
}

type Outcome = BrokerMessage | Refusal
type Decision = Outcome | Promise<Outcome> | typeof pending

/** Permission, capabilities, packet identifier, then the hooks. */
function decide(
  packet: WaitingPublish,
  allowed: boolean,
  retain: boolean,
  dup: boolean,
  payload: Buffer,
  wireProperties: Properties,
): Decision {
  const { channel, entry, qos, packetId } = packet
  const { broker, client, session, connInfo } = channel
  if (client === undefined || session === undefined || connInfo === undefined) return new Refusal('drop', 0, 'core')
  const { options, metrics } = broker
  if (!allowed) {
    metrics.counters[M.PACKETS_PUBLISH_AUTH_ERROR]++
    const kind = options.aclDenyAction === 'disconnect' ? 'disconnect' : 'reject'
    return new Refusal(kind, ReasonCode.NotAuthorized, 'client.authorize')
  }
  if (qos > options.maxQosAllowed) return new Refusal('disconnect', ReasonCode.QoSNotSupported, 'core') // [MQTT-3.2.2-11]
  if (retain && !options.retainAvailable) return new Refusal('disconnect', ReasonCode.RetainNotSupported, 'core') // [MQTT-3.2.2-14]
  const headers = channel.messageHeaders(client)
  const topic = channel.mountpoint === '' ? entry.topic : channel.mountpoint + entry.topic
  const message = new BrokerMessage(
    topic,
    payload,
    qos,
    retain,
    dup,
    client.clientId,
    channel.lastReceived,
    forwardable(wireProperties),
    headers,
  )
  if (topic === entry.topic) message.topicBytes = entry.bytes
  if (qos === 2) {
    const fault = reserve(channel, packetId, message)
    if (fault !== undefined) return fault
  }
  packet.message = message
  packet.client = client
  return broker.runPublishThen(message, client, packet)
}

/** A QoS 2 packet identifier is taken from here to PUBREL. */
function reserve(channel: Channel, packetId: number, message: BrokerMessage): Refusal | undefined {
  const { broker, session } = channel
  if (session === undefined) return undefined
  session.awaitingRel ??= new Map()
  if (session.awaitingRel.has(packetId)) {
    broker.metrics.counters[M.PACKETS_PUBLISH_INUSE]++
    broker.dropMessage(message, 'packet_identifier_inuse')
    return new Refusal('reject', ReasonCode.PacketIdentifierInUse, 'core')
  }
  if (session.awaitingRel.size >= mostUnreleased(broker.options)) {
    broker.dropMessage(message, 'receive_maximum_exceeded')
    return new Refusal('disconnect', ReasonCode.ReceiveMaximumExceeded, 'core') // [MQTT-3.3.4-8]
  }
  session.awaitingRel.set(packetId, channel.lastReceived)
  return undefined
}

/** QoS 2 messages that a client may have on their way to the broker: what CONNACK promises is what it is held to. */
export function mostUnreleased({ maxAwaitingRel, receiveMaximum }: BrokerOptions): number {
  return Math.min(maxAwaitingRel || 0xffff, receiveMaximum || 0xffff)
}

/** What goes on to subscribers: all but what belongs to this hop. [MQTT-3.3.2-17] [MQTT-3.3.2-18] */
function forwardable(properties: Properties): Properties {
  if (properties.topicAlias === undefined) return properties
  const { topicAlias: _, ...rest } = properties
  return rest
}

/** The packet's turn: route and acknowledge, or refuse. */
function finish(
  channel: Channel,
  entry: TopicEntry,
  outcome: Outcome,
  qos: QoS,
  packetId: number,
): undefined | Promise<unknown> {
  const { broker, session } = channel
  if (session === undefined) return undefined
  if (outcome instanceof Refusal) {
    broker.metrics.counters[M.PACKETS_PUBLISH_DROPPED]++
    if (outcome.kind === 'drop') broker.metrics.counters[M.MESSAGES_DROPPED_HOOK]++
    return refusePublish(channel, session, outcome, qos, packetId)
  }
  const routes = routesOf(channel, entry, outcome)
  const { peers, durable } = broker
  const changes = durable?.store.changes ?? 0
  if (qos > 0 && durable?.store.problem !== undefined && durable.concerns(session, outcome, routes)) {
    broker.metrics.counters[M.STORE_REFUSED]++
    return refusePublish(channel, session, storeDown(channel), qos, packetId)
  }
  // In one batch with the message: after a crash both are there, or none. [MQTT-4.3.3-10]
  if (qos === 2 && (peers === undefined || channel.state !== 'connected')) session.keepAwaiting(packetId)
  // The client may have left while hooks were thinking: its message counts all the same.
  if (qos === 0 || channel.state !== 'connected') {
    broker.route(outcome, routes)
    channel.slowDown()
    return undefined
  }
  const publisher: PublisherRoute = { session, route: undefined }
  const far = peers === undefined ? undefined : new FarReceivers(peers)
  // The own copy of a durable session must be stored before the acknowledgement leaves.
  const count = broker.route(outcome, routes, session.number === 0 ? publisher : undefined, far)
  let taken = far && peers?.taken(far.since)
  if (qos === 2 && peers !== undefined) {
    if (taken === undefined) session.keepAwaiting(packetId)
    else taken = keepAwaitingWhen(taken, session, packetId)
  }
  const batch = durable?.batchSince(changes)
  if (taken === undefined && batch !== undefined)
    return channel.acknowledgeStored(
      new StoredAcknowledgement(channel, session, outcome, count, qos, packetId, publisher, batch),
    )
  const safe = whenSafe(taken, durable?.since(changes))
  if (safe !== undefined || channel.acknowledgesLate)
    return acknowledgeLater(channel, session, outcome, count, far, qos, packetId, publisher, safe)
  return acknowledgeRouted(channel, session, outcome, count, qos, packetId, publisher)
}

/**
 * What another process has not stored yet could be lost in a crash while the identifier counts as taken: the client would be told, when it sends the
 * message again, that all is well. So it comes after, and a crash in between makes the message come twice.
 */
function keepAwaitingWhen(taken: Promise<boolean>, session: Session, packetId: number): Promise<boolean> {
  return taken.then((done) => {
    if (!done) return false
    session.keepAwaiting(packetId)
    const stored = session.broker.durable?.pending()
    return stored === undefined ? true : stored.then(() => true)
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
  channel: Channel,
  session: Session,
  outcome: BrokerMessage,
  count: number,
  far: FarReceivers | undefined,
  qos: QoS,
  packetId: number,
  publisher: PublisherRoute,
  safe: Promise<boolean | void> | undefined,
): undefined {
  return channel.acknowledgeWhen(safe, (taken) => {
    if (!taken) return refusePublish(channel, session, workerAway(channel), qos, packetId)
    const receivers = channel.broker.total(outcome, count, far)
    return acknowledgeRouted(channel, session, outcome, receivers, qos, packetId, publisher)
  })
}

/** The message may be lost on its way to receivers elsewhere: the client must not take it for accepted. */
function workerAway({ version }: Channel): Refusal {
  const kind = version === 5 ? 'reject' : 'disconnect'
  return new Refusal(kind, ReasonCode.ImplementationSpecificError, 'cluster', 'a process with receivers is away')
}

/** An older client cannot be told: it must not take the message for accepted, and sends it again when it is back. */
function storeDown({ version }: Channel): Refusal {
  const kind = version === 5 ? 'reject' : 'disconnect'
  return new Refusal(kind, ReasonCode.QuotaExceeded, 'store', 'the store does not work at present')
}

/** The acknowledgement of a message that the store takes. */
class StoredAcknowledgement implements Slot {
  readonly #channel: Channel
  readonly #session: Session
  readonly #outcome: BrokerMessage
  readonly #count: number
  readonly #qos: QoS
  readonly #packetId: number
  readonly #publisher: PublisherRoute
  readonly #batch: number

  constructor(
    channel: Channel,
    session: Session,
    outcome: BrokerMessage,
    count: number,
    qos: QoS,
    packetId: number,
    publisher: PublisherRoute,
    batch: number,
  ) {
    this.#channel = channel
    this.#session = session
    this.#outcome = outcome
    this.#count = count
    this.#qos = qos
    this.#packetId = packetId
    this.#publisher = publisher
    this.#batch = batch
  }

  get ready(): boolean {
    return this.#batch <= (this.#channel.broker.durable?.store.committed ?? 0)
  }

  run(): undefined | Promise<unknown> {
    return acknowledgeRouted(
      this.#channel,
      this.#session,
      this.#outcome,
      this.#count,
      this.#qos,
      this.#packetId,
      this.#publisher,
    )
  }
}

/** The acknowledgement, then the publisher's own copy. */
function acknowledgeRouted(
  channel: Channel,
  session: Session,
  outcome: BrokerMessage,
  count: number,
  qos: QoS,
  packetId: number,
  { route }: PublisherRoute,
): undefined | Promise<unknown> {
  const work = channel.state === 'connected' ? answer(channel, outcome, count, qos, packetId) : undefined
  if (route === undefined) return work
  return after(work, () => session.deliver(outcome, route)) as undefined | Promise<unknown>
}

/** The acknowledgement of a routed message. */
function answer(
  channel: Channel,
  outcome: BrokerMessage,
  count: number,
  qos: QoS,
  packetId: number,
): undefined | Promise<unknown> {
  const reasonCode = count === 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success
  if (qos === 2) {
    channel.writeAck('pubrec', packetId, reasonCode)
    return undefined
  }
  return acknowledge(channel, packetId, outcome, count, reasonCode)
}

/** PUBACK, after message.puback had its say. */
function acknowledge(
  channel: Channel,
  packetId: number,
  message: BrokerMessage,
  routes: number,
  reasonCode: number,
): undefined | Promise<unknown> {
  const { broker, client } = channel
  const chain = broker.chains.messagePuback
  if (chain.size === 0 || client === undefined) {
    channel.writeAck('puback', packetId, reasonCode)
    return undefined
  }
  return after(chain.fold({ client, packetId, message, routes }, reasonCode), (code) => {
    channel.writeAck('puback', packetId, typeof code === 'number' ? code : reasonCode)
    return undefined
  })
}

/** Receivers, from the entry while it is right: a hook may have changed the topic. */
function routesOf(channel: Channel, entry: TopicEntry, message: BrokerMessage) {
  if (message.topic !== entry.topic) return channel.broker.router.match(message.topic)
  if (entry.routes === undefined || entry.routes.stale) entry.routes = channel.broker.router.match(entry.topic)
  return entry.routes
}
