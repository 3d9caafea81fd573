import type { HookArgs } from '@hookmq/api'
import { create, type MessageInitShape, v3 } from '@hookmq/exhook-proto'
import { clientInfoOf, connInfoOf } from './client-info.ts'
import { encode, type MapContext } from './context.ts'
import { propertiesOf } from './properties.ts'
import type { Encoders } from './requests.ts'

export const clientRequests: Pick<
  Encoders,
  | 'client.connect'
  | 'client.connack'
  | 'client.connected'
  | 'client.disconnected'
  | 'client.subscribe'
  | 'client.unsubscribe'
> = {
  'client.connect': (context, { connInfo }, properties) =>
    encode(v3.ClientConnectRequestSchema, {
      conninfo: connInfoOf(context, connInfo),
      ...propertiesOf(properties ?? connInfo.properties, context.version),
      meta: context.meta?.fields,
    }),

  'client.connack': (context, { connInfo, reason }, properties) =>
    encode(v3.ClientConnackRequestSchema, {
      conninfo: connInfoOf(context, connInfo),
      resultCode: reason,
      ...propertiesOf(properties ?? {}, context.version),
      meta: context.meta?.fields,
    }),

  'client.connected': (context, { client }) =>
    encode(v3.ClientConnectedRequestSchema, { clientinfo: clientInfoOf(context, client), meta: context.meta?.fields }),

  'client.disconnected': (context, { client, reason }) =>
    encode(v3.ClientDisconnectedRequestSchema, {
      clientinfo: clientInfoOf(context, client),
      reason,
      meta: context.meta?.fields,
    }),

  'client.subscribe': (context, { client, properties }, subscriptions = []) =>
    encode(v3.ClientSubscribeRequestSchema, {
      clientinfo: clientInfoOf(context, client),
      ...propertiesOf(properties, context.version),
      topicFilters: subscriptions.map(({ filter, options }) => topicFilter(context, filter, options)),
      meta: context.meta?.fields,
    }),

  'client.unsubscribe': (context, { client, properties }, filters = []) =>
    encode(v3.ClientUnsubscribeRequestSchema, {
      clientinfo: clientInfoOf(context, client),
      ...propertiesOf(properties, context.version),
      topicFilters: filters.map(({ filter }) => topicFilter(context, filter, undefined)),
      meta: context.meta?.fields,
    }),
}

type SubscriptionOptions = HookArgs<'session.unsubscribed'>['options']
type SubscriptionFields = MessageInitShape<typeof v3.SubOptsSchema>

/** As they are now; in v2 with the share group as number 2 as well, which servers of EMQX 5.0 to 5.3 read. */
export function subscriptionOptionsOf(
  { version }: MapContext,
  filter: string,
  options: SubscriptionOptions | undefined,
): SubscriptionFields {
  const fields: SubscriptionFields = {
    qos: options?.qos ?? 0,
    rh: options?.retainHandling ?? 0,
    rap: options?.retainAsPublished === true ? 1 : 0,
    nl: options?.noLocal === true ? 1 : 0,
  }
  if (version === 'v3') return fields
  const group = shareGroup(filter)
  if (group === '') return fields
  const message = create(v3.SubOptsSchema, fields)
  const bytes = Buffer.from(group)
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  message.$unknown = [{ no: 2, wireType: 2, data: Buffer.concat([Buffer.from(length), bytes]) }]
  return message
}

/** In v2 with the QoS as number 2 as well, which servers of EMQX 5.0 to 5.3 read. */
function topicFilter(
  context: MapContext,
  name: string,
  options: SubscriptionOptions | undefined,
): MessageInitShape<typeof v3.TopicFilterSchema> {
  const filter = { name, subopts: subscriptionOptionsOf(context, name, options) }
  const qos = options?.qos ?? 0
  if (context.version === 'v3' || qos === 0) return filter
  const message = create(v3.TopicFilterSchema, filter)
  message.$unknown = [{ no: 2, wireType: 0, data: Uint8Array.of(qos) }]
  return message
}

function shareGroup(filter: string): string {
  if (filter.startsWith('$queue/')) return '$queue'
  return /^\$share\/([^/]+)\//.exec(filter)?.[1] ?? ''
}
