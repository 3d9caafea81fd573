import { define, type KeyDefinition } from './definition.ts'
import type { BrokerSettings, SharedStrategy } from './settings.ts'
import {
  byteRate,
  byteSize,
  flag,
  integer,
  limit,
  matching,
  messageRate,
  number,
  oneOf,
  path,
  seconds,
  string,
  timer,
  type ValueType,
} from './types.ts'

const UINT16 = 65_535
const UINT32 = 0xffffffff

const allowDeny = oneOf({ allow: 'allow', deny: 'deny' })
const drop = oneOf({ oldest: 'oldest', newest: 'newest' })
const certificatePart = oneOf({ off: 'off', cn: 'cn', dn: 'dn' })
const strategies = oneOf<SharedStrategy>(
  {
    random: 'random',
    round_robin: 'round_robin',
    sticky: 'sticky',
    hash_clientid: 'hash_clientid',
    hash_topic: 'hash_topic',
  },
  { hash: 'hash_clientid' },
)

let section = ''

/** A key that sets one option of the broker. */
function option<K extends keyof BrokerSettings>(
  key: string,
  name: K,
  type: ValueType<BrokerSettings[K]>,
  initial: string | undefined,
  text: string,
  ...aliases: string[]
): KeyDefinition {
  return define(section, {
    key,
    type,
    default: initial,
    text,
    aliases,
    apply: (draft, value) => {
      draft.options[name] = value
    },
  })
}

/** 4.x sets many limits for all clients as `mqtt.*` and again for its outer zone; here they are the same. */
const inZone = (name: string): string => `zone.external.${name}`

function access(): KeyDefinition[] {
  section = 'Access'
  return [
    option(
      'allow_anonymous',
      'allowAnonymous',
      oneOf<boolean | 'quick_deny'>(
        { true: true, false: false, false_quick_deny: 'quick_deny' },
        { on: true, off: false },
      ),
      'true',
      'Lets in clients that no authentication plugin knows. `false_quick_deny` refuses a client without user name before any ' +
        'plugin is asked. A listener that other machines can reach needs an authentication plugin, or this line written out.',
      'mqtt.allow_anonymous',
    ),
    option(
      'acl_nomatch',
      'aclNoMatch',
      allowDeny,
      'allow',
      'What happens when no access rule matches.',
      'mqtt.acl_nomatch',
    ),
    define(section, {
      key: 'acl_file',
      type: path,
      text: 'File with access rules. Not set: no rules from a file.',
      aliases: ['mqtt.acl_file'],
      apply: (draft, value) => {
        draft.aclFile = value
      },
    }),
    option(
      'acl_deny_action',
      'aclDenyAction',
      oneOf({ ignore: 'ignore', disconnect: 'disconnect' }),
      'ignore',
      'What else happens to a client that was denied: nothing, or it is disconnected.',
      inZone('acl_deny_action'),
    ),
    option(
      'enable_acl_cache',
      'aclCache',
      flag,
      'on',
      'Remembers decisions of the access rules for each client.',
      'mqtt.cache_acl',
    ),
    option('acl_cache_max_size', 'aclCacheMaxSize', integer({ min: 1 }), '32', 'Decisions remembered for one client.'),
    option('acl_cache_ttl', 'aclCacheTtl', timer({ min: 1 }), '1m', 'How long a decision is remembered.'),
  ]
}

function protocol(): KeyDefinition[] {
  section = 'MQTT protocol'
  return [
    option(
      'mqtt.max_packet_size',
      'maxPacketSize',
      byteSize({ min: 64, max: 268_435_460 }),
      '1MB',
      'Largest packet that a client may send.',
      inZone('max_packet_size'),
    ),
    option(
      'mqtt.max_clientid_len',
      'maxClientIdLength',
      integer({ min: 23, max: UINT16 }),
      '65535',
      'Longest client id, in bytes. Every version of MQTT guarantees clients 23.',
      inZone('max_clientid_len'),
    ),
    option(
      'mqtt.max_topic_len',
      'maxTopicLength',
      integer({ min: 1, max: UINT16 }),
      '65535',
      'Longest topic name or filter, in bytes.',
    ),
    option(
      'mqtt.max_topic_levels',
      'maxTopicLevels',
      limit,
      '128',
      'Most levels of a topic name or filter; 0 is no limit.',
      inZone('max_topic_levels'),
    ),
    option(
      'mqtt.max_qos_allowed',
      'maxQosAllowed',
      oneOf<0 | 1 | 2>({ 0: 0, 1: 1, 2: 2 }),
      '2',
      'Highest QoS that clients may publish with; subscriptions are granted no more.',
      inZone('max_qos_allowed'),
    ),
    option(
      'mqtt.max_topic_alias',
      'maxTopicAlias',
      integer({ min: 0, max: UINT16 }),
      '1024',
      'Topic aliases that an MQTT 5 client may use; 0 forbids them.',
      inZone('max_topic_alias'),
    ),
    option(
      'mqtt.retain_available',
      'retainAvailable',
      flag,
      'true',
      'Whether clients may publish retained messages.',
      inZone('retain_available'),
    ),
    option(
      'mqtt.wildcard_subscription',
      'wildcardSubscription',
      flag,
      'true',
      'Whether clients may subscribe with `+` and `#`.',
      inZone('wildcard_subscription'),
    ),
    option(
      'mqtt.shared_subscription',
      'sharedSubscription',
      flag,
      'true',
      'Whether clients may use `$share/…` and `$queue/…`.',
      inZone('shared_subscription'),
    ),
    option(
      'mqtt.ignore_loop_deliver',
      'ignoreLoopDeliver',
      flag,
      'false',
      'Keeps a client from getting its own messages: No Local for MQTT 3 clients too.',
      inZone('ignore_loop_deliver'),
    ),
    option(
      'mqtt.response_information',
      'responseInformation',
      string,
      undefined,
      'What MQTT 5 clients get that ask for Response Information, such as `responses/%c`; `%c` is the client id.',
      inZone('response_information'),
    ),
    option(
      'mqtt.use_username_as_clientid',
      'useUsernameAsClientId',
      flag,
      'false',
      'Takes the user name for the client id.',
      inZone('use_username_as_clientid'),
    ),
    option(
      'mqtt.peer_cert_as_username',
      'peerCertAsUsername',
      certificatePart,
      'off',
      'Takes the common name (`cn`) or the subject (`dn`) of the TLS client certificate for the user name.',
    ),
    option('mqtt.peer_cert_as_clientid', 'peerCertAsClientId', certificatePart, 'off', 'The same, for the client id.'),
  ]
}

function connections(): KeyDefinition[] {
  section = 'Connections'
  return [
    option(
      'zone.external.idle_timeout',
      'idleTimeout',
      timer({ min: 1, bareSeconds: true }),
      '15s',
      'Time from the start of a connection to its complete CONNECT packet.',
      'mqtt.idle_timeout',
      'mqtt.client.idle_timeout',
    ),
    option(
      'zone.external.server_keepalive',
      'serverKeepAlive',
      seconds(UINT16),
      '0',
      'Keep alive that MQTT 5 clients are told to use; 0 leaves it to the client.',
      'mqtt.server_keepalive',
    ),
    option(
      'zone.external.keepalive_backoff',
      'keepAliveBackoff',
      number({ min: 0.5, max: 100 }),
      '0.75',
      'A silent client is closed after its keep alive × this × 2. 0.75 gives the 1.5 that MQTT asks for.',
      'mqtt.keepalive_backoff',
    ),
    option(
      'broker.max_connections',
      'maxConnections',
      limit,
      '1000000',
      'Connections of the whole broker; 0 is no limit.',
    ),
    option(
      'broker.max_connections_per_address',
      'maxConnectionsPerAddress',
      limit,
      '0',
      'Connections from one address; 0 is no limit.',
    ),
    define(section, {
      key: 'zone.external.rate_limit.conn_messages_in',
      type: messageRate,
      text:
        'Messages that one client may publish: `100,10s` is 100 in 10 seconds. A client that is faster is read more slowly. ' +
        'Not set: no limit.',
      apply: (draft, value) => {
        draft.options.messageRate = value.rate
        draft.options.messageBurst = value.burst
      },
    }),
    define(section, {
      key: 'zone.external.rate_limit.conn_bytes_in',
      type: byteRate,
      text: 'Bytes that one client may send, such as `100KB,10s`. Not set: no limit.',
      apply: (draft, value) => {
        draft.options.byteRate = value.rate
        draft.options.byteBurst = value.burst
      },
    }),
    option(
      'zone.external.max_pending_bytes',
      'maxPendingBytes',
      byteSize({ min: 1024 }),
      '16MB',
      'Bytes that may wait for a client that does not read. Beyond it QoS 0 messages for it are dropped, others are queued.',
    ),
    option(
      'broker.max_pending_bytes',
      'maxPendingBytesTotal',
      byteSize({ min: 1024 }),
      '1GB',
      'Bytes that may wait for all such clients together.',
    ),
    option(
      'zone.external.send_timeout',
      'sendTimeout',
      timer({ min: 1 }),
      '15s',
      'A client that takes nothing for so long, while bytes wait for it, is disconnected.',
    ),
  ]
}

function sessions(): KeyDefinition[] {
  section = 'Sessions'
  return [
    option(
      'zone.external.max_subscriptions',
      'maxSubscriptions',
      limit,
      '0',
      'Subscriptions of one client; 0 is no limit.',
      'mqtt.session.max_subscriptions',
    ),
    option(
      'zone.external.upgrade_qos',
      'upgradeQos',
      flag,
      'off',
      'Delivers with the QoS of the subscription even when the message was published with a lower one.',
      'mqtt.session.upgrade_qos',
    ),
    option(
      'zone.external.max_inflight',
      'maxInflight',
      integer({ min: 1, max: UINT16 }),
      '128',
      'QoS 1 and 2 messages on their way to one client at a time.',
      'mqtt.session.max_inflight',
    ),
    option(
      'zone.external.receive_maximum',
      'receiveMaximum',
      integer({ min: 1, max: UINT16 }),
      '1000',
      'QoS 1 and 2 messages that an MQTT 5 client may have on their way to the broker at a time.',
      'mqtt.receive_maximum',
    ),
    option(
      'zone.external.max_awaiting_rel',
      'maxAwaitingRel',
      limit,
      '1000',
      'QoS 2 messages from one client that wait for its PUBREL; 0 is no limit.',
      'mqtt.session.max_awaiting_rel',
    ),
    option(
      'zone.external.await_rel_timeout',
      'awaitRelTimeout',
      timer({ min: 1 }),
      '300s',
      'How long a QoS 2 message waits for the PUBREL of its client.',
      'mqtt.session.await_rel_timeout',
    ),
    option(
      'zone.external.session_expiry_interval',
      'sessionExpiryInterval',
      seconds(UINT32),
      '2h',
      'How long the session of an MQTT 3 client without clean session outlives its connection.',
      'mqtt.session.expiry_interval',
      'mqtt.session.expired_after',
    ),
    option(
      'zone.external.max_session_expiry_interval',
      'maxSessionExpiryInterval',
      seconds(UINT32),
      'infinity',
      'The longest session expiry interval that MQTT 5 clients get.',
    ),
    option(
      'broker.max_sessions',
      'maxSessions',
      limit,
      '1000000',
      'Sessions of the whole broker, connected or not; 0 is no limit.',
    ),
  ]
}

function queues(): KeyDefinition[] {
  section = 'Queues'
  return [
    option(
      'zone.external.max_mqueue_len',
      'maxQueueLength',
      limit,
      '10000',
      'Messages that wait for one client; 0 is no limit.',
      'mqtt.mqueue.max_length',
      'mqtt.queue.max_length',
    ),
    option(
      'zone.external.max_mqueue_bytes',
      'maxQueueBytes',
      byteSize(),
      '64MB',
      'Bytes of topics and payloads that wait for one client; 0 is no limit.',
    ),
    option('zone.external.mqueue_drop', 'queueDrop', drop, 'oldest', 'Which message goes when a queue is full.'),
    option(
      'zone.external.mqueue_store_qos0',
      'queueQos0',
      flag,
      'true',
      'Queues QoS 0 messages too while a client is away or busy.',
      'mqtt.mqueue.store_qos0',
      'mqtt.mqueue.qos0',
      'mqtt.queue.qos0',
    ),
  ]
}

function broker(): KeyDefinition[] {
  section = 'Broker'
  return [
    option(
      'node.name',
      'node',
      matching('name', /^[^\s@/+#]+@[^\s/+#]+$/, 'name@host without blanks, /, + and #'),
      'hookmq@127.0.0.1',
      'Name of this broker, in `$SYS` topics and in a cluster.',
    ),
    option(
      'broker.sys_interval',
      'sysInterval',
      timer({ bareSeconds: true }),
      '1m',
      'Time between two rounds of `$SYS` messages; 0 turns them off.',
      'mqtt.broker.sys_interval',
    ),
    option(
      'broker.sys_heartbeat',
      'sysHeartbeat',
      timer({ bareSeconds: true }),
      '30s',
      'Time between two `$SYS` uptime and datetime messages; 0 turns them off.',
    ),
    option(
      'broker.shared_subscription_strategy',
      'sharedStrategy',
      strategies,
      'random',
      'Which member of a shared subscription gets a message.',
    ),
    define(section, {
      key: 'broker.$group.shared_subscription_strategy',
      type: strategies,
      text: 'The same, for one group.',
      apply: (draft, value, { group }) => {
        draft.options.sharedStrategyOfGroup[group] = value
      },
    }),
    option(
      'broker.route_cache_size',
      'routeCacheSize',
      integer({ min: 0, max: 2 ** 24 }),
      '65536',
      'Topics whose receivers are remembered between messages.',
    ),
    option(
      'retainer.max_retained_messages',
      'maxRetainedMessages',
      limit,
      '1000000',
      'Retained messages; 0 is no limit. When it is full, topics that have one can still change it.',
      'retainer.max_message_num',
      'module.retainer.max_message_num',
    ),
    option(
      'retainer.max_payload_size',
      'maxRetainedPayload',
      byteSize(),
      '1MB',
      'A message with a larger payload is delivered but not retained; 0 is no limit.',
      'module.retainer.max_payload_size',
    ),
  ]
}

function hooks(): KeyDefinition[] {
  section = 'Hooks'
  return [
    option(
      'hooks.timeout',
      'hookTimeout',
      timer({ min: 1 }),
      '5s',
      'How long an asynchronous hook may take when it names no time itself.',
    ),
    option(
      'hooks.window',
      'hookWindow',
      integer({ min: 1, max: UINT16 }),
      '64',
      'Calls to hooks in flight for one client before the broker stops reading from it.',
    ),
    option(
      'hooks.queue_limit',
      'hookQueueLimit',
      integer({ min: 1 }),
      '10000',
      'Notifications that may wait for one plugin.',
    ),
    option('hooks.queue_drop', 'hookQueueDrop', drop, 'oldest', 'Which notification goes when that queue is full.'),
  ]
}

export const brokerKeys: readonly KeyDefinition[] = [
  ...broker(),
  ...access(),
  ...protocol(),
  ...connections(),
  ...sessions(),
  ...queues(),
  ...hooks(),
]
