import type { ConfigError, Origin } from './error.ts'
export type SharedStrategy = 'random' | 'round_robin' | 'sticky' | 'hash_clientid' | 'hash_topic'

/**
 * What the files set on the broker itself. Names and units are those of the core's BrokerOptions; only `version` and `log`
 * are missing, because the program sets them.
 */
export interface BrokerSettings {
  node: string
  allowAnonymous: boolean | 'quick_deny'
  aclNoMatch: 'allow' | 'deny'
  aclDenyAction: 'ignore' | 'disconnect'
  aclCache: boolean
  aclCacheMaxSize: number
  aclCacheTtl: number
  maxPacketSize: number
  maxClientIdLength: number
  maxTopicLength: number
  maxTopicLevels: number
  maxQosAllowed: 0 | 1 | 2
  maxTopicAlias: number
  retainAvailable: boolean
  wildcardSubscription: boolean
  sharedSubscription: boolean
  ignoreLoopDeliver: boolean
  useUsernameAsClientId: boolean
  peerCertAsUsername: 'off' | 'cn' | 'dn'
  peerCertAsClientId: 'off' | 'cn' | 'dn'
  responseInformation: string
  idleTimeout: number
  serverKeepAlive: number
  keepAliveBackoff: number
  maxConnections: number
  maxConnectionsPerAddress: number
  messageRate: number
  messageBurst: number
  byteRate: number
  byteBurst: number
  maxSubscriptions: number
  upgradeQos: boolean
  maxInflight: number
  receiveMaximum: number
  maxAwaitingRel: number
  awaitRelTimeout: number
  maxQueueLength: number
  maxQueueBytes: number
  queueDrop: 'oldest' | 'newest'
  queueQos0: boolean
  sessionExpiryInterval: number
  maxSessionExpiryInterval: number
  maxSessions: number
  maxStoreWaiting: number
  maxStoreQueued: number
  maxStoreQueuedBytes: number
  maxPendingBytes: number
  maxPendingBytesTotal: number
  sendTimeout: number
  sharedStrategy: SharedStrategy
  sharedStrategyOfGroup: Record<string, SharedStrategy>
  routeCacheSize: number
  maxRetainedMessages: number
  maxRetainedPayload: number
  sysInterval: number
  sysHeartbeat: number
  hookTimeout: number
  hookWindow: number
  hookQueueLimit: number
  hookQueueDrop: 'oldest' | 'newest'
}

export type ListenerKind = 'tcp' | 'ssl' | 'ws' | 'wss' | 'unix'

export interface ListenerSettings {
  /** 'tcp:external' */
  id: string
  kind: ListenerKind
  name: string
  /** Unix sockets have a path; `mode` are the permissions of its file. */
  address: { host: string; port: number } | { path: string; mode?: number }
  /** 0 = no limit. */
  maxConnections: number
  /** New connections per second; 0 = no limit. */
  maxConnectRate: number
  maxConnectionsPerAddress: number
  proxyProtocol: boolean
  proxyProtocolTimeout: number
  mountpoint?: string
  backlog: number
  noDelay: boolean
  /** ssl and wss. */
  tls?: TlsSettings
  /** ws and wss. */
  webSocket?: WebSocketSettings
}

export interface CertificateFiles {
  certFile: string
  keyFile: string
  keyPassword?: string
}

export interface TlsSettings extends CertificateFiles {
  caFile?: string
  /** Ask for a client certificate and check it. */
  verify: boolean
  /** Refuse clients without one; only with `verify`. */
  requirePeerCertificate: boolean
  minVersion: TlsVersion
  maxVersion: TlsVersion
  ciphers?: string
  handshakeTimeout: number
  /** Other certificates, by the host name that the client asks for. */
  sni: Record<string, CertificateFiles>
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

export interface WebSocketSettings {
  path: string
  failIfNoSubprotocol: boolean
  subprotocols: readonly string[]
  /** Bytes of one WebSocket message. */
  maxFrameSize: number
}

export interface ControlSettings {
  /** Whose lines the command line prints where EMQ 2.x and EMQX 4.x differ. */
  profile: '2.x' | '4.x'
}

export interface StoreSettings {
  /** 'sqlite': a file in the data folder. */
  type: 'sqlite' | 'memory'
  /** Which failure a stored value survives: of the machine, of the process, or of the process with the file at risk when the machine fails. */
  durability: 'fsync' | 'os' | 'none'
}

/** Several processes that make one broker. */
export interface WorkersSettings {
  /** 1: one process. */
  count: number
  /** Bytes that may wait for one worker. */
  maxPending: number
  /** Milliseconds for which messages are kept for a worker that is away. */
  patience: number
}

export interface LogSettings {
  level: 'debug' | 'info' | 'warn' | 'error'
  to: 'console' | 'file' | 'both' | 'off'
  /** 'auto': pretty on a terminal, else json. */
  format: 'auto' | 'pretty' | 'json'
  file: string
}

export interface PluginSettings {
  /** Folder of the plugins' own files. */
  etcDir: string
  /** Folder in which plugins are looked for, one folder each; undefined: none. */
  dir: string | undefined
  /** The file that names the plugins which are loaded at the start; undefined: loaded_plugins in the data folder. */
  loadedFile: string | undefined
  /** Names or paths of plugins to load, in this order. */
  load: readonly string[]
  /** Settings that are not the broker's own, in the order in which they count. */
  overrides: readonly PluginOverride[]
}

/** A setting in the broker's file, the environment or the command line that is for a plugin: `plugin.NAME.KEY`, or the plugin's own key. */
export interface PluginOverride {
  readonly words: readonly string[]
  readonly value: string
  readonly origin: Origin
  /** What is wrong when no plugin knows the key. undefined: it names its plugin. */
  readonly unknown: ConfigError | undefined
}
