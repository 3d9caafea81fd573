import type { ClientInfo, ConnInfo, HookAccumulator, HookArgs, HookPointName } from '@hookmq/api'
import type { DialectHook } from '../dialect.ts'
import { propertyPairs } from '../property-names.ts'
import type { Value } from '../value.ts'
import {
  clientRecord,
  connInfoRecord,
  credentialRecord,
  messageRecord,
  sessionRecord,
  subscriptionRecord,
} from './records.ts'

/** What the arguments of each hook are, in order; `sdk/python/hookmq_driver/modern.py` says the same in words. */
interface ModernHook<P extends HookPointName> {
  readonly valued?: boolean
  key(args: HookArgs<P>, accumulator: HookAccumulator<P>): string
  args(args: HookArgs<P>, accumulator: HookAccumulator<P>, node: string): readonly Value[]
}

const ofClient = ({ client }: { readonly client: ClientInfo }): string => client.clientId
const ofConnection = ({ connInfo }: { readonly connInfo: ConnInfo }): string => connInfo.clientId

const table: { readonly [P in HookPointName]?: ModernHook<P> } = {
  'client.connect': {
    key: ofConnection,
    args: ({ connInfo }, properties) => [connInfoRecord(connInfo), propertyPairs(properties)],
  },
  'client.connack': {
    key: ofConnection,
    args: ({ connInfo, reasonCode, reason }, properties) => [
      connInfoRecord(connInfo),
      reasonCode,
      reason,
      propertyPairs(properties),
    ],
  },
  'client.connected': {
    key: ofClient,
    args: ({ client, connInfo }, _none, node) => [clientRecord(client, node), connInfoRecord(connInfo)],
  },
  'client.disconnected': {
    key: ofClient,
    args: ({ client, reason, connInfo }, _none, node) => [clientRecord(client, node), reason, connInfoRecord(connInfo)],
  },
  'client.authenticate': {
    valued: true,
    key: ofClient,
    args: ({ client }, before, node) => [credentialRecord(client, node), before.result === 'allow'],
  },
  'client.authorize': {
    valued: true,
    key: ofClient,
    args: ({ client, action, topic, qos, retain }, before, node) => [
      clientRecord(client, node),
      action,
      topic,
      qos,
      retain,
      before.result === 'allow',
    ],
  },
  'client.subscribe': {
    key: ofClient,
    args: ({ client, properties }, subscriptions, node) => [
      clientRecord(client, node),
      propertyPairs(properties),
      subscriptions.map(({ filter, options }) => subscriptionRecord(filter, options)),
    ],
  },
  'client.unsubscribe': {
    key: ofClient,
    args: ({ client, properties }, filters, node) => [
      clientRecord(client, node),
      propertyPairs(properties),
      filters.map(({ filter }) => filter),
    ],
  },
  'client.ping': {
    key: ofClient,
    args: ({ client, connInfo }, _none, node) => [clientRecord(client, node), connInfoRecord(connInfo)],
  },
  'session.created': {
    key: ofClient,
    args: ({ client, session }, _none, node) => [clientRecord(client, node), sessionRecord(session)],
  },
  'session.resumed': {
    key: ofClient,
    args: ({ client, session }, _none, node) => [clientRecord(client, node), sessionRecord(session)],
  },
  'session.discarded': {
    key: ofClient,
    args: ({ client, session }, _none, node) => [clientRecord(client, node), sessionRecord(session)],
  },
  'session.takenover': {
    key: ofClient,
    args: ({ client, session }, _none, node) => [clientRecord(client, node), sessionRecord(session)],
  },
  'session.subscribed': {
    key: ofClient,
    args: ({ client, topic, options, isNew }, _none, node) => [
      clientRecord(client, node),
      subscriptionRecord(topic, options),
      isNew,
    ],
  },
  'session.unsubscribed': {
    key: ofClient,
    args: ({ client, topic, options }, _none, node) => [clientRecord(client, node), subscriptionRecord(topic, options)],
  },
  'session.terminated': {
    key: ofClient,
    args: ({ client, reason, session }, _none, node) => [clientRecord(client, node), reason, sessionRecord(session)],
  },
  'message.publish': {
    valued: true,
    key: (_args, message) => message.from,
    args: (_args, message, node) => [messageRecord(message, node)],
  },
  'message.delivered': {
    key: ofClient,
    args: ({ client }, message, node) => [clientRecord(client, node), messageRecord(message, node)],
  },
  'message.acked': {
    key: ofClient,
    args: ({ client, message }, _none, node) => [clientRecord(client, node), messageRecord(message, node)],
  },
  'message.dropped': {
    key: ({ message }) => message.from,
    args: ({ message, reason }, _none, node) => [messageRecord(message, node), reason],
  },
  'delivery.dropped': {
    key: ofClient,
    args: ({ client, message, reason }, _none, node) => [
      clientRecord(client, node),
      messageRecord(message, node),
      reason,
    ],
  },
}

/** By the name of the hook point. */
export const modernHooks: ReadonlyMap<string, DialectHook> = new Map(
  Object.entries(table).map(([point, { valued = false, key, args }]) => [
    point,
    { point: point as HookPointName, valued, key, args } as DialectHook,
  ]),
)
