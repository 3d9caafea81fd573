import type {
  BrokerSettings,
  ControlSettings,
  ListenerKind,
  LogSettings,
  PluginSettings,
  StoreSettings,
  WebSocketSettings,
  WorkersSettings,
} from './settings.ts'
import type { ValueType } from './types.ts'

/** What the listener keys of one name add up to, before it is known whether they are enough. */
export interface ListenerDraft {
  kind: ListenerKind
  name: string
  address?: { host: string; port: number } | { path: string }
  socketMode?: number
  maxConnections: number
  maxConnectRate: number
  maxConnectionsPerAddress: number
  proxyProtocol: boolean
  proxyProtocolTimeout: number
  mountpoint?: string
  backlog: number
  noDelay: boolean
  peerCertAsUsername?: 'off' | 'cn' | 'dn'
  peerCertAsClientId?: 'off' | 'cn' | 'dn'
  tls: TlsDraft
  webSocket: Omit<WebSocketSettings, 'maxFrameSize'> & { maxFrameSize?: number }
}

interface TlsDraft {
  certFile?: string
  keyFile?: string
  keyPassword?: string
  caFile?: string
  verify: boolean
  requirePeerCertificate: boolean
  /** Oldest first. */
  versions: readonly string[]
  ciphers?: string
  handshakeTimeout: number
  sni: Record<string, { certFile?: string; keyFile?: string; keyPassword?: string }>
}

/** What the settings are put into, one after the other. */
export interface Draft {
  options: BrokerSettings
  listeners: Map<string, ListenerDraft>
  dataDir: string
  aclFile: string | undefined
  mountpoint: string | undefined
  store: StoreSettings
  workers: WorkersSettings
  log: LogSettings
  control: ControlSettings
  plugins: Omit<PluginSettings, 'overrides'>
}

/** The words that `$name` stood for. */
export type Captures = Readonly<Record<string, string>>

/** One key of the configuration: where it is documented, and all that the program knows about it. */
export interface KeyDefinition<T = unknown> {
  /** Words; `$name` stands for any one word, `$host*` for one or more. */
  readonly key: string
  /** Other spellings, EMQ 2.x and EMQX 4.x; with the same `$names`. */
  readonly aliases: readonly string[]
  readonly section: string
  readonly type: ValueType<T>
  /** As it would be written; undefined: none. */
  readonly default: string | undefined
  /** What it means, in a sentence or two. */
  readonly text: string
  apply(draft: Draft, value: T, captures: Captures): void
}

/** How a definition is written down. */
export interface KeyInit<T> {
  readonly key: string
  readonly type: ValueType<T>
  readonly default?: string
  readonly text: string
  readonly aliases?: readonly string[]
  apply(draft: Draft, value: T, captures: Captures): void
}

export function define<T>(section: string, init: KeyInit<T>): KeyDefinition {
  // The type reads what apply takes, so a list of definitions need not know T.
  return { aliases: [], default: undefined, ...init, section } as KeyDefinition
}
