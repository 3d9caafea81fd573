import type { Logger } from '@hookmq/api'
import type { QoS } from '@hookmq/mqtt'

export type SharedStrategy = 'random' | 'round_robin' | 'sticky' | 'hash_clientid' | 'hash_topic'

/** Everything that can be set on the broker. Durations are milliseconds unless the name says seconds; sizes are bytes; 0 = no limit. */
export interface BrokerOptions {
  node: string
  version: string
  log: Logger

  /** true: who no authenticator knows is let in; 'quick_deny': a client without user name is refused at once. */
  allowAnonymous: boolean | 'quick_deny'
  aclNoMatch: 'allow' | 'deny'
  aclDenyAction: 'ignore' | 'disconnect'
  aclCache: boolean
  /** Entries per client. */
  aclCacheMaxSize: number
  aclCacheTtl: number

  maxPacketSize: number
  maxClientIdLength: number
  /** Bytes of UTF-8. */
  maxTopicLength: number
  maxTopicLevels: number
  maxQosAllowed: QoS
  maxTopicAlias: number
  retainAvailable: boolean
  wildcardSubscription: boolean
  sharedSubscription: boolean
  ignoreLoopDeliver: boolean
  useUsernameAsClientId: boolean
  peerCertAsUsername: 'off' | 'cn' | 'dn'
  peerCertAsClientId: 'off' | 'cn' | 'dn'
  /** Text for clients that ask for Response Information; %c is replaced. '' = none. */
  responseInformation: string

  /** From accepting a connection to its complete CONNECT. */
  idleTimeout: number
  /** Seconds; 0 = what the client asks for. */
  serverKeepAlive: number
  /** A client is given keepAlive × this × 2 (0.75: the 1.5 of the specification). */
  keepAliveBackoff: number
  /** Connections of the whole broker. */
  maxConnections: number
  /** Connections from one address. */
  maxConnectionsPerAddress: number
  /** Received messages per second and connection, and how many may come at once. */
  messageRate: number
  messageBurst: number
  /** Received bytes per second and connection. */
  byteRate: number
  byteBurst: number

  maxSubscriptions: number
  upgradeQos: boolean
  maxInflight: number
  /** QoS 1 and 2 messages from one client whose handshake has not ended. */
  receiveMaximum: number
  maxAwaitingRel: number
  awaitRelTimeout: number
  maxQueueLength: number
  /** Bytes of payload and topic in one queue. */
  maxQueueBytes: number
  queueDrop: 'oldest' | 'newest'
  queueQos0: boolean
  /** Seconds; of 3.1.1 clients without clean session. */
  sessionExpiryInterval: number
  /** Seconds; what MQTT 5 clients may ask for at most. */
  maxSessionExpiryInterval: number
  /** Sessions of the whole broker, connected or not. */
  maxSessions: number

  /** Bytes that may wait for the disk; those who publish more to durable sessions are not read until it has caught up. */
  maxStoreWaiting: number
  /** Messages, and bytes of payload and topic, that may wait for all durable sessions together; 0 = as many as fit. */
  maxStoreQueued: number
  maxStoreQueuedBytes: number

  /** Bytes that may wait for one client that does not read; beyond it QoS 0 is dropped and QoS 1, 2 are queued. */
  maxPendingBytes: number
  /** Bytes that may wait for all such clients together. */
  maxPendingBytesTotal: number
  /** A client that takes nothing for so long while bytes wait is disconnected. */
  sendTimeout: number

  sharedStrategy: SharedStrategy
  /** Per group name. */
  sharedStrategyOfGroup: Readonly<Record<string, SharedStrategy>>
  /** Topics whose receivers are remembered. */
  routeCacheSize: number

  maxRetainedMessages: number
  maxRetainedPayload: number

  /** Between two rounds of $SYS; 0 = off. */
  sysInterval: number
  /** Between two of $SYS uptime and datetime. */
  sysHeartbeat: number

  /** For asynchronous hooks that name none. */
  hookTimeout: number
  /** Calls to hooks in flight for one client before its socket is paused. */
  hookWindow: number
  /** Notifications that may wait for one plugin. */
  hookQueueLimit: number
  hookQueueDrop: 'oldest' | 'newest'
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

export const defaultOptions: BrokerOptions = {
  node: 'hookmq@127.0.0.1',
  version: '0.1.0',
  log: silent,
  allowAnonymous: true,
  aclNoMatch: 'allow',
  aclDenyAction: 'ignore',
  aclCache: true,
  aclCacheMaxSize: 32,
  aclCacheTtl: 60_000,
  maxPacketSize: 1024 * 1024,
  maxClientIdLength: 65_535,
  maxTopicLength: 65_535,
  maxTopicLevels: 128,
  maxQosAllowed: 2,
  // Each may hold a topic of 64 KB for the length of a connection.
  maxTopicAlias: 1024,
  retainAvailable: true,
  wildcardSubscription: true,
  sharedSubscription: true,
  ignoreLoopDeliver: false,
  useUsernameAsClientId: false,
  peerCertAsUsername: 'off',
  peerCertAsClientId: 'off',
  responseInformation: '',
  idleTimeout: 15_000,
  serverKeepAlive: 0,
  keepAliveBackoff: 0.75,
  maxConnections: 1_000_000,
  maxConnectionsPerAddress: 0,
  messageRate: 0,
  messageBurst: 0,
  byteRate: 0,
  byteBurst: 0,
  maxSubscriptions: 0,
  upgradeQos: false,
  maxInflight: 128,
  receiveMaximum: 1000,
  maxAwaitingRel: 1000,
  awaitRelTimeout: 300_000,
  maxQueueLength: 10_000,
  maxQueueBytes: 64 * 1024 * 1024,
  queueDrop: 'oldest',
  queueQos0: true,
  sessionExpiryInterval: 7200,
  maxSessionExpiryInterval: 0xffffffff,
  maxSessions: 1_000_000,
  maxStoreWaiting: 16 * 1024 * 1024,
  maxStoreQueued: 20_000_000,
  maxStoreQueuedBytes: 16 * 1024 * 1024 * 1024,
  maxPendingBytes: 16 * 1024 * 1024,
  maxPendingBytesTotal: 1024 * 1024 * 1024,
  sendTimeout: 15_000,
  sharedStrategy: 'random',
  sharedStrategyOfGroup: {},
  routeCacheSize: 65_536,
  maxRetainedMessages: 1_000_000,
  maxRetainedPayload: 1024 * 1024,
  sysInterval: 60_000,
  sysHeartbeat: 30_000,
  hookTimeout: 5000,
  hookWindow: 64,
  hookQueueLimit: 10_000,
  hookQueueDrop: 'oldest',
}
