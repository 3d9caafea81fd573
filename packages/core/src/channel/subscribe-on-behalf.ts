import type { TopicSubscription } from '@hookmq/api'
import { parseShared, type QoS, topicFilterError } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import { mounted, refusedCapability } from './subscribe.ts'

/** What a SUBSCRIBE of the client would do, without access control and without SUBACK. See BrokerAdmin.subscribeOnBehalf. */
export async function subscribeOnBehalf(
  broker: Broker,
  clientId: string,
  subscriptions: readonly TopicSubscription[],
): Promise<readonly string[] | undefined> {
  for (const { filter } of subscriptions) check(broker, filter)
  const session = broker.sessions.get(clientId)
  if (session === undefined) return undefined
  await session.settled()
  if (broker.sessions.get(clientId) !== session) return undefined
  const { client, channel } = session
  const { clientSubscribe } = broker.chains
  broker.metrics.counters[M.CLIENT_SUBSCRIBE]++
  const folded =
    clientSubscribe.size === 0
      ? subscriptions
      : await clientSubscribe.fold({ client, properties: {} }, subscriptions, channel?.scope)
  if (broker.sessions.get(clientId) !== session) return undefined
  if (folded instanceof Refusal) {
    channel?.fail(folded.reasonCode, folded.reasonString)
    return undefined
  }
  const subscribed: string[] = []
  for (const { filter, options } of folded) {
    const shared = parseShared(filter)
    const request = { filter, topic: shared?.filter ?? filter, shared: shared !== undefined }
    if (refusedCapability({ broker, session }, request) !== undefined) continue
    const qos = Math.min(options.qos, broker.options.maxQosAllowed) as QoS
    const topic = mounted(client.mountpoint, filter)
    session.subscribeFor({ ...options, qos }, topic)
    subscribed.push(topic)
  }
  return subscribed
}

function check({ options }: Broker, filter: string): void {
  const fault = topicFilterError(filter, { maxLength: options.maxTopicLength, maxLevels: options.maxTopicLevels })
  if (fault !== undefined) throw new TypeError(`subscribe on behalf of a client: '${filter}': ${fault.message}`)
}
