import type { ClientInfo, ConnInfo, Credential, HookArgs, Message, SessionInfo } from '@hookmq/api'
import { propertyPairs } from '../property-names.ts'
import { Pairs, Tuple, type Value } from '../value.ts'

/** The fields of each record in the order in which they travel. `sdk/python/hookmq_driver/modern.py` has the same lists. */
const records = {
  conn_info: [
    'socket_type',
    'listener',
    'peer_host',
    'peer_port',
    'socket_host',
    'socket_port',
    'protocol_name',
    'protocol_version',
    'clean_start',
    'client_id',
    'username',
    'keep_alive',
    'properties',
    'session_expiry_interval',
    'receive_maximum',
    'connected_at',
    'disconnected_at',
  ],
  client: [
    'client_id',
    'username',
    'protocol',
    'protocol_version',
    'listener',
    'peer_host',
    'peer_port',
    'socket_port',
    'mountpoint',
    'superuser',
    'anonymous',
    'bridge',
    'common_name',
    'subject',
    'attributes',
    'expires_at',
    'node',
  ],
  credential: ['client', 'password', 'authentication_method', 'authentication_data', 'step'],
  session: ['client_id', 'created_at', 'persistent', 'expiry_interval', 'subscriptions', 'inflight', 'queued'],
  message: [
    'id',
    'topic',
    'payload',
    'qos',
    'retain',
    'dup',
    'sender',
    'timestamp',
    'properties',
    'username',
    'protocol',
    'peer_host',
    'node',
  ],
  subscription: ['filter', 'qos', 'no_local', 'retain_as_published', 'retain_handling', 'subscription_identifier'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export function connInfoRecord(info: ConnInfo): Pairs {
  return new Pairs(records.conn_info, [
    info.socketType,
    info.listener,
    info.peerhost,
    info.peerport,
    info.sockhost,
    info.sockport,
    info.protocolName,
    info.protocolVersion,
    info.cleanStart,
    info.clientId,
    info.username,
    info.keepAlive,
    propertyPairs(info.properties),
    info.sessionExpiryInterval,
    info.receiveMaximum,
    info.connectedAt,
    info.disconnectedAt,
  ])
}

export function clientRecord(client: ClientInfo, node: string): Pairs {
  return new Pairs(records.client, [
    client.clientId,
    client.username,
    client.protocol,
    client.protocolVersion,
    client.listener,
    client.peerhost,
    client.peerport,
    client.sockport,
    client.mountpoint,
    client.superuser,
    client.anonymous,
    client.bridge,
    client.cn,
    client.dn,
    attributePairs(client.attributes),
    client.expiresAt,
    node,
  ])
}

export function credentialRecord(credential: Credential, node: string): Pairs {
  return new Pairs(records.credential, [
    clientRecord(credential, node),
    credential.password,
    credential.authenticationMethod,
    credential.authenticationData,
    credential.step,
  ])
}

export function sessionRecord(session: SessionInfo): Pairs {
  return new Pairs(records.session, [
    session.clientId,
    session.createdAt,
    session.persistent,
    session.expiryInterval,
    session.subscriptions.size,
    session.inflight,
    session.queued,
  ])
}

export function messageRecord(message: Message, node: string): Pairs {
  const { headers } = message
  return new Pairs(records.message, [
    message.id,
    message.topic,
    message.payload,
    message.qos,
    message.retain,
    message.dup,
    message.from,
    message.timestamp,
    propertyPairs(message.properties),
    headers.username,
    headers.protocol,
    headers.peerhost,
    node,
  ])
}

export function subscriptionRecord(
  filter: string,
  options: HookArgs<'session.subscribed'>['options'] | HookArgs<'session.unsubscribed'>['options'],
): Pairs {
  return new Pairs(records.subscription, [
    filter,
    options.qos,
    options.noLocal,
    options.retainAsPublished,
    options.retainHandling,
    'subscriptionIdentifier' in options ? options.subscriptionIdentifier : undefined,
  ])
}

const none: readonly Value[] = []

function attributePairs(attributes: ClientInfo['attributes']): readonly Value[] {
  let pairs: Value[] | undefined
  for (const name in attributes) {
    pairs ??= []
    pairs.push(new Tuple(name, attributes[name]))
  }
  return pairs ?? none
}
