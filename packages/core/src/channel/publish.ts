import type { ClientInfo } from '@hookmq/api'
import { decodeProperties, type Properties, type PublishFrame, type QoS, ReasonCode } from '@hookmq/mqtt'
import { pending, type RunEnd } from '../hooks/index.ts'
import { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'
import type { Slot } from './in-order.ts'
import { isRepeated, reserve } from './packet-identifiers.ts'
import { acknowledgeAgain, RepeatedPublish, routeAcknowledged } from './publish-acknowledgement.ts'
import { permissionOf, resolveTopic, routesOf } from './publish-topic.ts'
import { refusePublish } from './refuse.ts'
import type { TopicEntry } from './topic-cache.ts'
import { Undecided } from './undecided.ts'

const noProperties: Properties = Object.freeze({})
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
    packet.wait()
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
    return packet.wait()
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
  const undecided = session.undecided?.get(packetId)
  // What waits on this connection is before it anyway.
  if (undecided !== undefined && undecided.channel !== channel)
    return channel.waitIn(undecided.repeat(new RepeatedPublish(channel, session, packetId)))
  effect(channel, () => acknowledgeAgain(channel, session, packetId))
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

  /** Takes its place. */
  wait(): void {
    if (this.qos === 2) Undecided.note(this.channel, this.packetId, this)
    this.channel.waitIn(this)
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
    if (this.qos !== 2) return this.#finish()
    let outcome: Outcome | undefined
    try {
      const work = this.#finish()
      outcome = this.#outcome
      return work
    } finally {
      Undecided.settle(this.channel, this.packetId, this, outcome)
    }
  }

  #finish(): undefined | Promise<unknown> {
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

/** Does something that must come after what still waits. */
function effect(channel: Channel, run: () => void): void {
  if (channel.order !== undefined && channel.order.length > 0) {
    channel.order.push(() => {
      run()
      return undefined
    })
  } else run()
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
  if (qos > 0) return routeAcknowledged(channel, session, outcome, routes, qos, packetId)
  broker.route(outcome, routes)
  channel.slowDown()
  return undefined
}
