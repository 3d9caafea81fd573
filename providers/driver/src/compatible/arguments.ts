import {
  type ClientInfo,
  type ConnInfo,
  type Credential,
  type HookAccumulator,
  type HookArgs,
  type HookPointName,
  type Message,
  parseShared,
} from '@hookmq/api'
import { propertyPairs } from '../property-names.ts'
import { Atom, Pairs, Tuple, type Value } from '../value.ts'

/** A hook of EMQX 4.1: where it is on the broker, and what its callbacks get. */
export interface CompatibleHook<P extends HookPointName = HookPointName> {
  readonly point: P
  /** The broker waits for what it returns and does something with it. */
  readonly valued: boolean
  /** Whose event it is: the events of one key are handled in order. */
  key(args: HookArgs<P>, accumulator: HookAccumulator<P>): string
  /** In the order of the callback's arguments, without the state. */
  args(args: HookArgs<P>, accumulator: HookAccumulator<P>, node: string): readonly Value[]
}

const connInfoKeys = ['node', 'clientid', 'username', 'peerhost', 'sockport', 'proto_name', 'proto_ver', 'keepalive']
const clientInfoKeys = [
  'node',
  'clientid',
  'username',
  'password',
  'peerhost',
  'sockport',
  'protocol',
  'mountpoint',
  'is_superuser',
  'anonymous',
]
const messageKeys = ['node', 'id', 'qos', 'from', 'topic', 'payload', 'timestamp']

// Symbols are few: node names, protocols, reason codes.
const atoms = new Map<string, Atom>()

function atom(name: string): Atom {
  let known = atoms.get(name)
  if (known === undefined) {
    known = new Atom(name)
    if (atoms.size < 1024) atoms.set(name, known)
  }
  return known
}

function connInfo(info: ConnInfo, node: string): Pairs {
  return new Pairs(connInfoKeys, [
    atom(node),
    info.clientId,
    info.username ?? '',
    info.peerhost,
    info.sockport,
    info.protocolName,
    info.protocolVersion,
    info.keepAlive,
  ])
}

function clientInfo(client: ClientInfo, node: string): Pairs {
  return new Pairs(clientInfoKeys, [
    atom(node),
    client.clientId,
    client.username ?? '',
    (client as Credential).password ?? '',
    client.peerhost,
    client.sockport,
    atom(client.protocol),
    client.mountpoint,
    client.superuser,
    client.anonymous,
  ])
}

function message(one: Message, node: string): Pairs {
  return new Pairs(messageKeys, [atom(node), one.id, one.qos, one.from, one.topic, one.payload, one.timestamp])
}

/** In the order of their names, as EMQX sorts them; the share group and the identifier only where there is one. */
function subscriptionOptions(
  options: HookArgs<'session.subscribed'>['options'],
  isNew: boolean,
  share: string | undefined,
): Value {
  const pairs: Tuple[] = [
    new Tuple(atom('is_new'), isNew),
    new Tuple(atom('nl'), options.noLocal ? 1 : 0),
    new Tuple(atom('qos'), options.qos),
    new Tuple(atom('rap'), options.retainAsPublished ? 1 : 0),
    new Tuple(atom('rh'), options.retainHandling),
  ]
  if (share !== undefined) pairs.push(new Tuple(atom('share'), share))
  if (options.subscriptionIdentifier !== undefined) pairs.push(new Tuple(atom('subid'), options.subscriptionIdentifier))
  return pairs
}

/** The filter without its share prefix, and the group. */
function unshared(filter: string): { readonly filter: string; readonly group?: string } {
  return parseShared(filter) ?? { filter }
}

function hook<P extends HookPointName>(definition: CompatibleHook<P>): CompatibleHook {
  return definition as unknown as CompatibleHook
}

const ofClient = ({ client }: { readonly client: ClientInfo }): string => client.clientId
const ofConnection = ({ connInfo: info }: { readonly connInfo: ConnInfo }): string => info.clientId

function clientOnly<P extends 'client.connected' | `session.${'created' | 'resumed' | 'discarded' | 'takenover'}`>(
  point: P,
): CompatibleHook {
  return hook<'session.created'>({
    point: point as 'session.created',
    valued: false,
    key: ofClient,
    args: ({ client }, _none, node) => [clientInfo(client, node)],
  })
}

/** By the names that a handler uses. */
export const compatibleHooks: ReadonlyMap<string, CompatibleHook> = new Map<string, CompatibleHook>([
  [
    'client_connect',
    hook({
      point: 'client.connect',
      valued: false,
      key: ofConnection,
      args: ({ connInfo: info }, properties, node) => [connInfo(info, node), propertyPairs(properties)],
    }),
  ],
  [
    'client_connack',
    hook({
      point: 'client.connack',
      valued: false,
      key: ofConnection,
      args: ({ connInfo: info, reason }, properties, node) => [
        connInfo(info, node),
        atom(reason),
        propertyPairs(properties),
      ],
    }),
  ],
  ['client_connected', clientOnly('client.connected')],
  [
    'client_disconnected',
    hook({
      point: 'client.disconnected',
      valued: false,
      key: ofClient,
      args: ({ client, reason }, _none, node) => [clientInfo(client, node), reason],
    }),
  ],
  [
    'client_authenticate',
    hook({
      point: 'client.authenticate',
      valued: true,
      key: ofClient,
      args: ({ client }, before, node) => [clientInfo(client, node), before.result === 'allow'],
    }),
  ],
  [
    'client_check_acl',
    hook({
      point: 'client.authorize',
      valued: true,
      key: ofClient,
      args: ({ client, action, topic }, before, node) => [
        clientInfo(client, node),
        atom(action),
        topic,
        before.result === 'allow',
      ],
    }),
  ],
  [
    'client_subscribe',
    hook({
      point: 'client.subscribe',
      valued: false,
      key: ofClient,
      args: ({ client, properties }, subscriptions, node) => [
        clientInfo(client, node),
        propertyPairs(properties),
        subscriptions.map(({ filter, options }) => new Tuple(unshared(filter).filter, options.qos)),
      ],
    }),
  ],
  [
    'client_unsubscribe',
    hook({
      point: 'client.unsubscribe',
      valued: false,
      key: ofClient,
      // EMQX 4 never gave the filters here, and handlers do not expect any.
      args: ({ client, properties }, _filters, node) => [clientInfo(client, node), propertyPairs(properties), []],
    }),
  ],
  ['session_created', clientOnly('session.created')],
  ['session_resumed', clientOnly('session.resumed')],
  ['session_discarded', clientOnly('session.discarded')],
  ['session_takeovered', clientOnly('session.takenover')],
  [
    'session_subscribed',
    hook({
      point: 'session.subscribed',
      valued: false,
      key: ofClient,
      args: ({ client, topic, options, isNew }, _none, node) => {
        const { filter, group } = unshared(topic)
        return [clientInfo(client, node), filter, subscriptionOptions(options, isNew, group)]
      },
    }),
  ],
  [
    'session_unsubscribed',
    hook({
      point: 'session.unsubscribed',
      valued: false,
      key: ofClient,
      args: ({ client, topic }, _none, node) => [clientInfo(client, node), unshared(topic).filter],
    }),
  ],
  [
    'session_terminated',
    hook({
      point: 'session.terminated',
      valued: false,
      key: ofClient,
      args: ({ client, reason }, _none, node) => [clientInfo(client, node), reason],
    }),
  ],
  [
    'message_publish',
    hook({
      point: 'message.publish',
      valued: true,
      key: (_args, one) => one.from,
      args: (_args, one, node) => [message(one, node)],
    }),
  ],
  [
    'message_delivered',
    hook({
      point: 'message.delivered',
      valued: false,
      key: ofClient,
      args: ({ client }, one, node) => [clientInfo(client, node), message(one, node)],
    }),
  ],
  [
    'message_acked',
    hook({
      point: 'message.acked',
      valued: false,
      key: ofClient,
      args: ({ client, message: one }, _none, node) => [clientInfo(client, node), message(one, node)],
    }),
  ],
  [
    'message_dropped',
    hook({
      point: 'message.dropped',
      valued: false,
      key: ({ message: one }) => one.from,
      args: ({ message: one, reason }, _none, node) => [message(one, node), reason],
    }),
  ],
])
