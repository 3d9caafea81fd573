import type { ClientInfo, ConnInfo, Credential, HookAccumulator, HookArgs, Message, SessionInfo } from '@hookmq/api'
import { ClientInfoCache, type ExHookPoint, type ExHookVersion, encodeRequest } from '@hookmq/provider-exhook/client'
import { identity, meta } from '../link.ts'

/** An event as a broker meets it. */
export interface Sample {
  readonly hook: ExHookPoint
  /** What is special about it: 'greenhouse-7, MQTT 5, user ann'. */
  readonly about: string
  /** The request in this version. */
  request(version: ExHookVersion): Uint8Array
}

type Encoded<P extends ExHookPoint> = readonly [args: HookArgs<P>, accumulator?: HookAccumulator<P>]

const properties = {
  sessionExpiryInterval: 120,
  receiveMaximum: 20,
  userProperties: [
    ['site', 'north'],
    ['site', 'south'],
  ] as [string, string][],
}

const connection: ConnInfo = {
  socketType: 'tcp',
  listener: 'tcp:external',
  peerhost: '192.0.2.17',
  peerport: 50_123,
  sockhost: '192.0.2.1',
  sockport: 1883,
  protocolName: 'MQTT',
  protocolVersion: 5,
  cleanStart: true,
  clientId: 'greenhouse-7',
  username: 'ann',
  keepAlive: 60,
  properties,
  sessionExpiryInterval: 120,
  receiveMaximum: 20,
  connectedAt: 0,
}

const client: ClientInfo = {
  clientId: 'greenhouse-7',
  username: 'ann',
  protocol: 'mqtt',
  protocolVersion: 5,
  listener: 'tcp:external',
  peerhost: '192.0.2.17',
  peerport: 50_123,
  sockport: 1883,
  mountpoint: '',
  superuser: false,
  anonymous: false,
  bridge: false,
  attributes: {},
}

/** One of whom little is known, over IPv6, with MQTT 3.1.1: what providers forget. */
const bareConnection: ConnInfo = {
  ...connection,
  peerhost: '2001:db8::17',
  protocolVersion: 4,
  clientId: '',
  username: undefined,
  keepAlive: 0,
  properties: {},
  sessionExpiryInterval: 0,
  receiveMaximum: 65_535,
}
const bareClient: ClientInfo = {
  ...client,
  clientId: 'auto-4f1a',
  username: undefined,
  peerhost: '2001:db8::17',
  protocolVersion: 4,
}

const session: SessionInfo = {
  clientId: 'greenhouse-7',
  createdAt: 0,
  persistent: true,
  expiryInterval: 120,
  subscriptions: new Map(),
  inflight: 0,
  queued: 0,
  awaitingRel: 0,
}

const options = { qos: 1, noLocal: false, retainAsPublished: true, retainHandling: 0 } as const

function message(topic: string, payload: Uint8Array, fields: Partial<Message> = {}): Message {
  return {
    id: '0006123456789ABCF44500000A120001',
    topic,
    payload,
    qos: 1,
    retain: false,
    dup: false,
    from: client.clientId,
    timestamp: Date.now(),
    properties: { contentType: 'application/json', messageExpiryInterval: 60, userProperties: [['unit', 'C']] },
    headers: { username: 'ann', protocol: 'mqtt', peerhost: '192.0.2.17' },
    ...fields,
  }
}

const reading = Buffer.from('{"temperature":21.5}')
/** 256 bytes that are no text. */
const binary = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
const bare: Partial<Message> = {
  qos: 0,
  from: 'auto-4f1a',
  properties: {},
  headers: { protocol: 'mqtt', peerhost: '2001:db8::17' },
}

const known = 'greenhouse-7 (MQTT 5, user ann)'
const stranger = 'auto-4f1a (MQTT 3.1.1 over IPv6, no user name)'

function credential(of: ClientInfo, password?: string): Credential {
  return { ...of, step: 'connect', ...(password === undefined ? {} : { password: Buffer.from(password) }) }
}

/** First the ordinary one, then the awkward one. `topic`: one that the provider asked for. */
const events: { readonly [P in ExHookPoint]: (topic: string) => readonly (readonly [about: string, ...Encoded<P>])[] } =
  {
    'client.connect': () => [
      [known, { connInfo: connection }, properties],
      [`${stranger}, no client id`, { connInfo: bareConnection }, {}],
    ],
    'client.connack': () => [
      [
        known,
        { connInfo: connection, reasonCode: 0, reason: 'success' },
        { sessionExpiryInterval: 120, topicAliasMaximum: 100 },
      ],
      ['a login that was refused', { connInfo: bareConnection, reasonCode: 0x87, reason: 'not_authorized' }, {}],
    ],
    'client.connected': () => [
      [known, { client, connInfo: connection }],
      [stranger, { client: bareClient, connInfo: bareConnection }],
    ],
    'client.disconnected': () => [
      [`${known}: normal`, { client, reason: 'normal', connInfo: connection }],
      [`${stranger}: tcp_closed`, { client: bareClient, reason: 'tcp_closed', connInfo: bareConnection }],
    ],
    'client.authenticate': () => [
      [`${known}, with a password`, { client: credential(client, 'doctor') }, { result: 'deny', reasonCode: 0x87 }],
      [stranger, { client: credential(bareClient) }, { result: 'allow', anonymous: true }],
    ],
    'client.authorize': (topic) => [
      [
        `${known} publishes to ${topic}`,
        { client, action: 'publish', topic, qos: 1, retain: false },
        { result: 'allow', from: 'default' },
      ],
      [
        `${stranger} subscribes to #`,
        { client: bareClient, action: 'subscribe', topic: '#', qos: 0, retain: false },
        { result: 'deny', from: 'default' },
      ],
    ],
    'client.subscribe': (topic) => [
      [`${known}: ${topic}`, { client, properties: { subscriptionIdentifiers: [7] } }, [{ filter: topic, options }]],
      [
        `${stranger}: two filters, one shared`,
        { client: bareClient, properties: {} },
        [
          { filter: '$share/g/a/+', options },
          { filter: '#', options },
        ],
      ],
    ],
    'client.unsubscribe': (topic) => [
      [`${known}: ${topic}`, { client, properties: {} }, [{ filter: topic }]],
      [`${stranger}: a shared filter`, { client: bareClient, properties: {} }, [{ filter: '$share/g/a/+' }]],
    ],
    'session.created': () => [[known, { client, session }]],
    'session.subscribed': (topic) => [
      [`${known}: ${topic}`, { client, topic, options, isNew: true }],
      [`${stranger}: a shared filter`, { client: bareClient, topic: '$share/g/a/+', options, isNew: true }],
    ],
    'session.unsubscribed': (topic) => [[`${known}: ${topic}`, { client, topic, options }]],
    'session.resumed': () => [[known, { client, session }]],
    'session.discarded': () => [[known, { client, session }]],
    'session.takenover': () => [[known, { client, session }]],
    'session.terminated': () => [[`${known}: tcp_closed`, { client, reason: 'tcp_closed', session }]],
    'message.publish': (topic) => [
      [`${topic}, QoS 1, ${reading.length} bytes of JSON`, { client }, message(topic, reading)],
      [`${topic}, QoS 0, 256 bytes that are no text`, { client: bareClient }, message(topic, binary, bare)],
      [`${topic}, QoS 0, no payload`, { client: bareClient }, message(topic, Buffer.alloc(0), bare)],
    ],
    'message.delivered': (topic) => [
      [`${topic}, QoS 1`, { client }, message(topic, reading)],
      [`${topic}, 256 bytes that are no text`, { client: bareClient }, message(topic, binary, bare)],
    ],
    'message.dropped': (topic) => [
      [`${topic}: no_subscribers`, { message: message(topic, reading), reason: 'no_subscribers' }],
    ],
    'message.acked': (topic) => [[`${topic}, QoS 1`, { client, message: message(topic, reading), properties: {} }]],
  }

const contexts = Object.fromEntries(
  (['v2', 'v3'] as const).map((version) => {
    const fields = { version, node: identity.node, meta, full: false }
    return [version, { ...fields, clients: new ClientInfoCache(fields) }]
  }),
)

/** What is tried on a hook. `filters`: the topics that the provider registered for it. */
export function samplesOf(hook: ExHookPoint, filters: readonly string[] = []): Sample[] {
  const topic = topicFor(filters)
  return events[hook](topic).map(([about, args, accumulator]) => ({
    hook,
    about,
    request: (version) =>
      encodeRequest(contexts[version], hook, args as never, accumulator as never) ?? new Uint8Array(),
  }))
}

/** For the burst: 256 bytes of payload, as in the project's measurements. */
export function burstSample(hook: ExHookPoint, filters: readonly string[] = []): Sample {
  return samplesOf(hook, filters)[hook === 'message.publish' ? 1 : 0]
}

/** A topic that one of the filters matches. */
function topicFor(filters: readonly string[]): string {
  const filter = filters.find((one) => !one.startsWith('$SYS/'))
  if (filter === undefined) return 'greenhouse/7/temperature'
  return filter
    .split('/')
    .map((level) => (level === '+' || level === '#' ? 'doctor' : level))
    .join('/')
}
