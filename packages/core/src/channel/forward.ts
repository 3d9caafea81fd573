import type { ClientInfo, PayloadUse } from '@hookmq/api'
import type { PublishFrame } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import { RemoteMember } from '../cluster/remote.ts'
import { BrokerMessage, unseenPayload } from '../message.ts'
import * as M from '../metrics/index.ts'
import type { Refusal } from '../refusal.ts'
import type { Route } from '../routing/types.ts'
import { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'
import { borrowedPayload } from './payloads.ts'
import { publishHeard } from './publish.ts'
import { permissionBit, type TopicEntry } from './topic-cache.ts'

const qos0 = permissionBit(0, false)

/**
 * The shortest way: a QoS 0 PUBLISH whose topic, permission and receivers are known, that no other hook wants to see and every
 * receiver can take as it is, is copied from the read buffer into the receivers' outgoing buffers. A message object is made only for hooks of
 * message.publish, and dropped when they leave it as it is.
 * Says false, with nothing done, when the ordinary way has to be taken.
 */
export function forwardFrame(channel: Channel, frame: PublishFrame): boolean {
  const { broker } = channel
  const { options } = broker
  if (broker.chains.forwardingObserved || options.upgradeQos || options.ignoreLoopDeliver) return false
  const { topics } = channel
  if (topics === undefined) return false
  const entry = topics.find(frame.buffer, frame.topicStart, frame.topicEnd)
  if (
    entry === undefined ||
    (entry.known & entry.allowed & qos0) === 0 ||
    entry.expiresAt < channel.lastReceived ||
    entry.generation !== broker.access.generation ||
    channel.mountpoint !== ''
  ) {
    return false
  }
  const { routes } = entry
  if (routes === undefined || routes.stale || routes.shared.length > 0) return false
  const { direct } = routes
  const count = direct.length
  if (count === 0) return false
  let heard: BrokerMessage | undefined
  const { messagePublish } = broker.chains
  if (messagePublish.size !== 0) {
    if (broker.peers !== undefined || !messagePublish.answersAtOnce) return false
    const use = messagePublish.payloadUse(entry.topic)
    if (use !== undefined) {
      const { client } = channel
      if (client === undefined) return false
      heard = makeMessage(channel, client, entry, frame, use)
      const folded = messagePublish.fold(channel.publishArgs(client), heard)
      // Hooks can do anything, such as to subscribe or to disconnect clients.
      if (folded !== heard || routes.stale || messagePublish.sinkSize !== 0) {
        if (folded instanceof BrokerMessage) makeOwn(folded, entry, frame, broker)
        return publishHeard(channel, entry, later(broker, heard, folded, client))
      }
    }
  }
  const version = channel.version === 5 ? 5 : 4
  let far = 0
  for (let index = 0; index < count; index++) {
    const route = direct[index]!
    if (takesFrames(route, version, channel)) continue
    if (heard !== undefined) {
      makeOwn(heard, entry, frame, broker)
      return publishHeard(channel, entry, heard)
    }
    if (!(route.receiver instanceof RemoteMember)) return false
    far++
  }

  const { counters } = broker.metrics
  counters[M.CLIENT_ACL_CACHE_HIT]++
  counters[M.CLIENT_ACL_ALLOW]++
  const { buffer, start, end } = frame
  const size = end - start
  if (far > 0) forwardFar(channel, direct, frame, version)
  for (let index = 0; index < count; index++) {
    const session = direct[index]!.receiver as Session
    if (far > 0 && !(session instanceof Session)) continue
    const receiver = session.channel!
    receiver.sentMessages++
    const { writer } = receiver.outbox
    writer.ensure(size)
    buffer.copy(writer.buffer, writer.length, start, end)
    // DUP is this hop's business, and retain is 0 here. [MQTT-3.3.1-3] [MQTT-3.3.1-12]
    writer.buffer[writer.length] = 0x30
    writer.length += size
  }
  const sent = count - far
  counters[M.MESSAGES_PUBLISH] += 1
  counters[M.PACKETS_SENT] += sent
  counters[M.PACKETS_PUBLISH_SENT] += sent
  counters[M.MESSAGES_SENT] += sent
  counters[M.MESSAGES_QOS0_SENT] += sent
  counters[M.MESSAGES_DELIVERED] += sent
  counters[M.BYTES_SENT] += sent * size
  return true
}

/** What hooks get to see. */
function makeMessage(
  channel: Channel,
  client: ClientInfo,
  entry: TopicEntry,
  frame: PublishFrame,
  use: PayloadUse,
): BrokerMessage {
  return new BrokerMessage(
    entry.topic,
    payloadFor(use, frame, channel.broker),
    0,
    false,
    frame.dup,
    client.clientId,
    channel.lastReceived,
    undefined,
    channel.messageHeaders(client),
  )
}

/** Only who may keep a payload needs memory of its own for it. */
function payloadFor(use: PayloadUse, frame: PublishFrame, { payloads }: Broker): Buffer {
  if (use === 'keep') return payloads.own(frame)
  return use === 'borrow' ? borrowedPayload(frame) : unseenPayload
}

/** Before a message goes on its way: its payload must not lie in the read buffer. */
function makeOwn(message: BrokerMessage, entry: TopicEntry, frame: PublishFrame, { payloads }: Broker): void {
  const { payload } = message
  if (message.topic === entry.topic) message.topicBytes = entry.bytes
  if (payload === unseenPayload) message.payload = payloads.own(frame)
  else if (payload.buffer === frame.buffer.buffer) message.payload = Buffer.from(payload)
}

/** What is to be routed, when hooks have changed something. */
function later(
  broker: Broker,
  heard: BrokerMessage,
  folded: BrokerMessage | Refusal | Promise<BrokerMessage | Refusal>,
  client: ClientInfo,
): BrokerMessage | Refusal | Promise<BrokerMessage | Refusal> {
  return folded instanceof Promise
    ? folded.then((changed) => broker.settlePublish(heard, changed, client))
    : broker.settlePublish(heard, folded, client)
}

/** The same bytes once to each process that has receivers. */
function forwardFar(channel: Channel, direct: readonly Route[], frame: PublishFrame, version: 4 | 5): void {
  const { broker } = channel
  for (const { receiver } of direct) {
    if (!(receiver instanceof RemoteMember)) continue
    broker.metrics.counters[M.MESSAGES_FORWARD]++
    receiver.member.forwardFrame(frame.buffer, frame.start, frame.end, version, channel.clientId)
  }
  channel.slowDown()
}

/** The receiver is connected, reads, and needs nothing changed in a frame of this version. */
function takesFrames(route: Route, version: 4 | 5, sender: Channel): boolean {
  const { receiver } = route
  if (!(receiver instanceof Session)) return false
  const { channel } = receiver
  return (
    channel !== undefined &&
    channel.frameVersion === version &&
    route.subscriptionIdentifiers === undefined &&
    !(route.noLocal && channel === sender) &&
    receiver.idle &&
    !channel.congested
  )
}
