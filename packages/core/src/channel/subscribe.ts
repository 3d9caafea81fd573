import type { AuthorizeResult, TopicSubscription } from '@hookmq/api'
import {
  parseShared,
  type QoS,
  ReasonCode,
  type SubscribePacket,
  topicFilterError,
  type UnsubscribePacket,
} from '@hookmq/mqtt'
import { after, bothOf } from '../after.ts'
import type { Broker } from '../broker.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import type { StoredOptions } from '../routing/types.ts'
import { type RetainedReplay, retainedFor } from '../session/replay.ts'
import type { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'

interface Request {
  readonly filter: string
  /** Without the share prefix: what the client will see messages of. */
  readonly topic: string
  readonly shared: boolean
  readonly options: StoredOptions
  /** Set when this filter is refused. */
  code: number | undefined
}

/** SUBSCRIBE: authorize each filter, ask the hooks, store, answer, then send retained messages. */
export function handleSubscribe(channel: Channel, packet: SubscribePacket): undefined | Promise<unknown> {
  const { broker } = channel
  broker.metrics.counters[M.PACKETS_SUBSCRIBE_RECEIVED]++
  const requests = readRequests(channel, packet)
  if (requests === undefined) return undefined
  return after(authorizeAll(channel, requests, 0), () => {
    if (channel.state !== 'connected' || channel.client === undefined) return undefined
    const denied = requests.some((request) => request.code === ReasonCode.NotAuthorized)
    if (denied) broker.metrics.counters[M.PACKETS_SUBSCRIBE_AUTH_ERROR]++
    if (denied && broker.options.aclDenyAction === 'disconnect') {
      channel.fail(ReasonCode.NotAuthorized)
      return undefined
    }
    for (const request of requests) request.code ??= refusedCapability(channel, request)
    const accepted = requests.filter((request) => request.code === undefined)
    const list: readonly TopicSubscription[] = accepted
    broker.metrics.counters[M.CLIENT_SUBSCRIBE]++
    const chain = broker.chains.clientSubscribe
    return after(
      chain.size === 0
        ? list
        : chain.fold({ client: channel.client, properties: packet.properties }, list, channel.scope),
      (subscriptions) => finishSubscribe(channel, packet.packetId, requests, accepted, subscriptions),
    )
  }) as undefined | Promise<unknown>
}

/** The filters of the packet; undefined when one breaks the rules and the connection is closing. */
function readRequests(channel: Channel, packet: SubscribePacket): Request[] | undefined {
  const { options } = channel.broker
  const subscriptionIdentifier = packet.properties.subscriptionIdentifiers?.[0]
  const requests: Request[] = []
  for (const subscription of packet.subscriptions) {
    const { mountpoint } = channel
    const fault =
      topicFilterError(subscription.filter, {
        maxLength: options.maxTopicLength,
        maxLevels: options.maxTopicLevels,
      }) ?? (mountpoint === '' ? undefined : topicFilterError(mounted(mountpoint, subscription.filter)))
    if (fault !== undefined) {
      // [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1] [MQTT-4.8.2-2]
      channel.broker.metrics.counters[M.PACKETS_SUBSCRIBE_ERROR]++
      channel.fail(fault.reasonCode, fault.message)
      return undefined
    }
    const share = parseShared(subscription.filter)
    if (share !== undefined && subscription.options.noLocal) {
      channel.fail(ReasonCode.ProtocolError, 'no local on a shared subscription') // [MQTT-3.8.3-4]
      return undefined
    }
    requests.push({
      filter: subscription.filter,
      topic: share?.filter ?? subscription.filter,
      shared: share !== undefined,
      options:
        subscriptionIdentifier === undefined
          ? subscription.options
          : { ...subscription.options, subscriptionIdentifier },
      code: undefined,
    })
  }
  return requests
}

/** One after the other, in the order of the packet. */
function authorizeAll(channel: Channel, requests: Request[], from: number): undefined | Promise<undefined> {
  const { broker } = channel
  for (let index = from; index < requests.length; index++) {
    const request = requests[index]!
    const { client } = channel
    if (client === undefined) return undefined
    const note = (result: AuthorizeResult): void => {
      if (result.result === 'deny') request.code = ReasonCode.NotAuthorized
    }
    const answer = broker.access.authorize({
      client,
      action: 'subscribe',
      topic: request.topic,
      qos: request.options.qos,
      retain: false,
    })
    if (answer instanceof Promise) {
      return answer.then((result) => {
        note(result)
        return authorizeAll(channel, requests, index + 1)
      })
    }
    note(answer)
  }
  return undefined
}

/** What the broker as it is set up does not grant to anybody, or not to this session any more. */
export function refusedCapability(
  { broker, session }: { readonly broker: Broker; readonly session?: Session },
  request: Pick<Request, 'filter' | 'topic' | 'shared'>,
): number | undefined {
  const { options } = broker
  if (request.shared && !options.sharedSubscription) return ReasonCode.SharedSubscriptionsNotSupported
  if (!options.wildcardSubscription && /[+#]/.test(request.topic)) return ReasonCode.WildcardSubscriptionsNotSupported
  if (session !== undefined && session.number !== 0 && broker.durable?.store.problem !== undefined)
    return ReasonCode.QuotaExceeded
  if (
    options.maxSubscriptions > 0 &&
    session !== undefined &&
    session.subscriptions.size >= options.maxSubscriptions &&
    !session.subscriptions.has(mounted(session.client.mountpoint, request.filter))
  ) {
    broker.metrics.counters[M.SUBSCRIPTIONS_REFUSED_LIMIT]++
    return ReasonCode.QuotaExceeded
  }
  return undefined
}

function finishSubscribe(
  channel: Channel,
  packetId: number,
  requests: readonly Request[],
  accepted: Request[],
  subscriptions: readonly TopicSubscription[] | Refusal,
): undefined | Promise<unknown> {
  const { broker, session, client } = channel
  if (channel.state !== 'connected' || session === undefined || client === undefined) return
  if (subscriptions instanceof Refusal) {
    channel.fail(subscriptions.reasonCode, subscriptions.reasonString)
    return
  }
  const { peers } = broker
  const handed = peers?.handed ?? 0
  const granted = new Map<Request, number>()
  const retained: (RetainedReplay | undefined)[] = []
  accepted.forEach((request, index) => {
    const subscription = subscriptions[index] ?? request
    // Filters of one packet count as well: the second of two may be one too many.
    const share = parseShared(subscription.filter)
    const refused = refusedCapability(channel, {
      filter: subscription.filter,
      topic: share?.filter ?? subscription.filter,
      shared: share !== undefined,
    })
    if (refused !== undefined) {
      request.code = refused
      return
    }
    const qos = Math.min(subscription.options.qos, broker.options.maxQosAllowed) as QoS
    const options: StoredOptions = { ...subscription.options, qos }
    const filter = mounted(channel.mountpoint, subscription.filter)
    const isNew = session.subscribe(filter, options)
    granted.set(request, qos)
    retained.push(retainedFor(session, filter, options, isNew))
    if (broker.chains.sessionSubscribed.size !== 0) {
      broker.chains.sessionSubscribed.notify({ client, topic: filter, options, isNew })
    }
  })
  broker.metrics.counters[M.PACKETS_SUBACK_SENT]++
  // One code for each filter, in their order. [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1]
  const reasonCodes = requests.map((request) => request.code ?? granted.get(request) ?? ReasonCode.UnspecifiedError)
  // Who has its SUBACK gets what is published from then on, at whichever process.
  // While the store fails nothing was granted that it would have to keep.
  const works = session.number !== 0 && broker.durable?.store.problem === undefined
  const stored = works ? broker.durable?.pending() : undefined
  return after(bothOf(peers?.taken(handed), stored), () => {
    if (channel.state !== 'connected') return undefined
    channel.send({ type: 'suback', packetId, reasonCodes, properties: {} })
    for (const replay of retained) session.replay(replay)
    return undefined
  }) as undefined | Promise<unknown>
}

/** `$share/g/f` becomes `$share/g/<mountpoint>f`. */
export function mounted(mountpoint: string, filter: string): string {
  if (mountpoint === '') return filter
  const share = parseShared(filter)
  if (share === undefined) return mountpoint + filter
  return filter.slice(0, filter.length - share.filter.length) + mountpoint + share.filter
}

/** UNSUBSCRIBE. */
export function handleUnsubscribe(channel: Channel, packet: UnsubscribePacket): undefined | Promise<unknown> {
  const { broker, client } = channel
  broker.metrics.counters[M.PACKETS_UNSUBSCRIBE_RECEIVED]++
  if (client === undefined) return undefined
  for (const filter of packet.filters) {
    const fault = topicFilterError(filter, { maxLength: 0xffff, maxLevels: 0xffff })
    if (fault !== undefined) {
      broker.metrics.counters[M.PACKETS_UNSUBSCRIBE_ERROR]++
      channel.fail(fault.reasonCode, fault.message)
      return undefined
    }
  }
  broker.metrics.counters[M.CLIENT_UNSUBSCRIBE]++
  const list = packet.filters.map((filter) => ({ filter }))
  const chain = broker.chains.clientUnsubscribe
  return after(
    chain.size === 0 ? list : chain.fold({ client, properties: packet.properties }, list, channel.scope),
    (filters) => {
      const { session } = channel
      if (channel.state !== 'connected' || session === undefined) return
      if (filters instanceof Refusal) return channel.fail(filters.reasonCode, filters.reasonString)
      // What nobody can store would be there again after a crash.
      const down = session.number !== 0 && broker.durable?.store.problem !== undefined
      if (down && channel.version < 5) return channel.fail(ReasonCode.ServerUnavailable, 'the store does not work')
      const reasonCodes = filters.map(({ filter }) => {
        const topic = mounted(channel.mountpoint, filter)
        if (down)
          return session.subscriptions.has(topic)
            ? ReasonCode.ImplementationSpecificError
            : ReasonCode.NoSubscriptionExisted
        const options = session.unsubscribe(topic)
        if (options === undefined) return ReasonCode.NoSubscriptionExisted
        if (broker.chains.sessionUnsubscribed.size !== 0) {
          broker.chains.sessionUnsubscribed.notify({ client, topic, options })
        }
        return ReasonCode.Success
      })
      // [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.11.3-1]
      broker.metrics.counters[M.PACKETS_UNSUBACK_SENT]++
      const stored = session.number === 0 || down ? undefined : broker.durable?.pending()
      return after(stored, () => {
        if (channel.state === 'connected')
          channel.send({ type: 'unsuback', packetId: packet.packetId, reasonCodes, properties: {} })
      })
    },
  ) as undefined | Promise<unknown>
}
