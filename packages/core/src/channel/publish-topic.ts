import type { AuthorizeRequest } from '@hookmq/api'
import { MqttError, type Properties, type PublishFrame, type QoS, ReasonCode, topicNameError } from '@hookmq/mqtt'
import type { Access } from '../access/access.ts'
import { after } from '../after.ts'
import type { BrokerMessage } from '../message.ts'
import type { Routes } from '../routing/types.ts'
import type { Channel } from './channel.ts'
import { permissionBit, TopicCache, type TopicEntry } from './topic-cache.ts'

/** Topics of one client that are remembered when permissions are not. */
const topicsWithoutCache = 32

/** The topic of a frame, by name or alias, checked. undefined: refused, the connection is closing. */
export function resolveTopic(channel: Channel, frame: PublishFrame, properties: Properties): TopicEntry | undefined {
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
export function permissionOf(
  channel: Channel,
  entry: TopicEntry,
  qos: QoS,
  retain: boolean,
): boolean | Promise<boolean> {
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

/** Receivers, from the entry while it is right: a hook may have changed the topic. */
export function routesOf(channel: Channel, entry: TopicEntry, message: BrokerMessage): Routes {
  if (message.topic !== entry.topic) return channel.broker.router.match(message.topic)
  if (entry.routes === undefined || entry.routes.stale) entry.routes = channel.broker.router.match(entry.topic)
  return entry.routes
}
