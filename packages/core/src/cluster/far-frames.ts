import { decodeTopic } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import { TopicCache } from '../channel/topic-cache.ts'
import { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import type { Route } from '../routing/types.ts'
import { Session } from '../session/session.ts'
import { isRemote } from './remote.ts'

/** Topics of other members' publishers that are remembered with their receivers. */
const topics = 4096

/** The short way of a QoS 0 PUBLISH that another member forwards as it is: from its frame into the receivers' outgoing buffers. */
export class FarFrames {
  readonly #broker: Broker
  readonly #topics = new TopicCache(topics)

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** Returns the message when the ordinary way has to be taken; nothing was done then. */
  deliver(buffer: Buffer, start: number, end: number, version: 4 | 5, from: string): BrokerMessage | undefined {
    const broker = this.#broker
    let at = start + 1
    while ((buffer[at++]! & 0x80) !== 0);
    const topicStart = at + 2
    const topicEnd = topicStart + buffer.readUInt16BE(at)
    const payloadStart = version === 5 ? topicEnd + 1 : topicEnd
    let entry = this.#topics.find(buffer, topicStart, topicEnd)
    entry ??= this.#topics.add(buffer, topicStart, topicEnd, decodeTopic(buffer, topicStart, topicEnd))
    if (entry.routes === undefined || entry.routes.stale) entry.routes = broker.router.match(entry.topic)
    const { direct } = entry.routes
    const count = direct.length
    let plain = !broker.chains.publishObserved && !broker.options.upgradeQos && !broker.options.ignoreLoopDeliver
    for (let index = 0; plain && index < count; index++) plain = takes(direct[index]!, version)
    if (!plain) {
      const payload = Buffer.from(buffer.subarray(payloadStart, end))
      return new BrokerMessage(entry.topic, payload, 0, false, false, from, broker.clock.now())
    }
    const size = end - start
    let sent = 0
    for (let index = 0; index < count; index++) {
      const { receiver } = direct[index]!
      if (!(receiver instanceof Session)) continue
      const channel = receiver.channel!
      channel.sentMessages++
      const { writer } = channel.outbox
      writer.ensure(size)
      buffer.copy(writer.buffer, writer.length, start, end)
      writer.buffer[writer.length] = 0x30
      writer.length += size
      sent++
    }
    const { counters } = broker.metrics
    counters[M.PACKETS_SENT] += sent
    counters[M.PACKETS_PUBLISH_SENT] += sent
    counters[M.MESSAGES_SENT] += sent
    counters[M.MESSAGES_QOS0_SENT] += sent
    counters[M.MESSAGES_DELIVERED] += sent
    counters[M.BYTES_SENT] += sent * size
    return undefined
  }
}

/** Another member, which is passed over, or a session that takes frames of this version as they are. */
function takes(route: Route, version: 4 | 5): boolean {
  const { receiver } = route
  if (!(receiver instanceof Session)) return isRemote(receiver)
  const { channel } = receiver
  return (
    channel !== undefined &&
    channel.frameVersion === version &&
    route.subscriptionIdentifiers === undefined &&
    !route.noLocal &&
    receiver.idle &&
    !channel.congested
  )
}
