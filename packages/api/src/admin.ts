import type { SubscriptionOptions } from '@hookmq/mqtt'
import type { ClientInfo, ConnInfo, SessionInfo, TopicSubscription } from './client.ts'
import type { Command, HttpRoute } from './command.ts'
import type { FoldPointName, HookPointName } from './hook-points.ts'
import type { MessageInit } from './message.ts'
import type { ProviderCounters, ProviderHandle, ProviderHookView } from './provider.ts'
import type { RetainedStore } from './retained.ts'

/** A client as an operator sees it: connected, or only its session. */
export interface ClientView {
  readonly client: ClientInfo
  readonly connected: boolean
  /** Absent when it is not connected. */
  readonly connInfo?: ConnInfo
  readonly session: SessionInfo
  /** Seconds in force: the client's, or the broker's override. */
  readonly keepAlive: number
  /** Milliseconds since the epoch; absent while connected. */
  readonly disconnectedAt?: number
  readonly maxInflight: number
  readonly maxQueueLength: number
  readonly queueDropped: number
  /** Packets and messages of this connection. */
  readonly receivedMessages: number
  readonly sentMessages: number
  readonly receivedBytes: number
  readonly sentBytes: number
  /** Bytes that the client has not taken yet. */
  readonly pendingBytes: number
}

export interface SubscriptionView {
  readonly clientId: string
  /** With its share prefix. */
  readonly filter: string
  readonly options: SubscriptionOptions & { readonly subscriptionIdentifier?: number }
}

/** Something that is wrong with the broker, or was. Times are milliseconds since the epoch. */
export interface Alarm {
  /** Of the process that it is about, see `nodeOf`. */
  readonly node: string
  /** `store_down`; each process has one of a name at a time. */
  readonly name: string
  /** One line for people. */
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
  readonly activatedAt: number
  /** undefined: it still is. */
  readonly deactivatedAt?: number
}

/** What became of a message that an operator's tool published. */
export interface PublishOutcome {
  /** 32 upper-case hex digits. */
  readonly id: string
  /** Subscribers that it was handed to. */
  readonly receivers: number
  /** A hook stopped it, or, as `store`, a store that does not work: who, and the MQTT 5 reason code unless it was dropped without one. */
  readonly refused?: { readonly by: string; readonly reasonCode?: number }
}

export interface ListenerView {
  readonly id: string
  /** 'tcp', 'ssl', 'ws', 'wss', 'unix', or a gateway's. */
  readonly type: string
  readonly address: string
  readonly running: boolean
  readonly currentConnections: number
  readonly maxConnections: number
  /** Connections turned away or ended, by cause. */
  readonly shutdownCount: Readonly<Record<string, number>>
}

export interface PluginView {
  readonly name: string
  /** As the user spelled it when loading it. */
  readonly alias?: string
  readonly version: string
  readonly description: string
  readonly active: boolean
  readonly placement: 'in-process' | 'worker'
  /** Why it is not active although it should be. */
  readonly error?: string
  /** Of one that is not active: the commands that it would bring, as far as its package says so. */
  readonly commands?: readonly string[]
}

/** What happened to a request to load, unload or reload. `error` is a word: 'already_started', 'not_found', 'not_started', or a sentence. */
export type PluginOutcome =
  | { readonly ok: true; readonly started: readonly string[] }
  | { readonly ok: false; readonly error: string }

export interface HookView {
  readonly owner: string
  readonly name: string
  readonly priority: number
  readonly phase: 'mutate' | 'sink'
  readonly placement: string
  readonly topics?: readonly string[]
  readonly calls: number
  readonly failures: number
  readonly timeouts: number
  /** Milliseconds, of all asynchronous answers and of one in 64 of the others; undefined before the first call. */
  readonly p50?: number
  readonly p99?: number
}

export interface ChainView {
  readonly point: HookPointName
  readonly kind: 'fold' | 'notification'
  /** In the order in which they run. */
  readonly hooks: readonly HookView[]
}

/** A provider of hooks that is attached, such as one server of ExHook or one driver. */
export interface ProviderView {
  readonly name: string
  readonly status: ProviderHandle['status']
  /** Why it could not be loaded, in one sentence. */
  readonly error?: string
  readonly breaker: ProviderHandle['breaker']
  readonly counters: ProviderCounters
  /** What it counts by itself. */
  readonly numbers: Readonly<Record<string, number>>
  readonly hooks: readonly ProviderHookView[]
}

/** One place that the log goes to. */
export interface LogHandlerView {
  readonly id: string
  /** 'debug', 'info', 'warn', 'error' or 'silent'; the log's own level holds as well. */
  readonly level: string
  /** 'standard error', or a path. */
  readonly destination: string
  readonly running: boolean
}

/** One step of a decision that was only rehearsed. */
export interface ExplainStep {
  readonly point: FoldPointName
  readonly owner: string
  readonly hook: string
  /** 'owner/hook' of the hook that this is one step of: `hook` then is the module that was asked. */
  readonly within?: string
  readonly priority: number
  /** What it answered: 'ignore', 'allow', 'deny', 'modified', 'stop', 'drop', 'reject 0x87', 'failed: …', 'not asked: …' */
  readonly answer: string
  /** The accumulator after it, in one line. */
  readonly state: string
  readonly milliseconds: number
}

export interface Explanation {
  readonly steps: readonly ExplainStep[]
  readonly result: 'allow' | 'deny'
  /** Who decided. */
  readonly by: string
}

/** What `refresh` brings up to date: counters, gauges and listeners; or clients and subscriptions as well. */
export type AdminScope = 'counters' | 'everything'

/**
 * What operators' tools need of the broker: the command line, the HTTP API, a dashboard. Where the broker runs as several processes, all of this is about
 * all of them, as they were at the last `refresh`.
 */
export interface BrokerAdmin {
  readonly node: string
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Has the other processes of this broker say what they have. Resolves at once where there are none. */
  refresh(scope: AdminScope): Promise<void>
  /** Publishes through the whole message.publish chain. Rejects with a TypeError for a topic that is none. */
  publish(message: MessageInit): Promise<PublishOutcome>
  clients(): IterableIterator<ClientView>
  client(clientId: string): ClientView | undefined
  /** As `BrokerLink.kick`. */
  kick(clientId: string): Promise<boolean>
  subscriptions(): IterableIterator<SubscriptionView>
  /** For a client that has a session: as if it had subscribed, without access control. 'no_session' when it has none. */
  subscribe(clientId: string, filter: string, options: Partial<SubscriptionOptions>): 'ok' | 'no_session'
  /**
   * As a SUBSCRIBE of the client, only without access control and SUBACK: client.subscribe runs, the mountpoint and the limits of
   * the broker hold, retained messages follow. A client that is connecting is subscribed once it has its CONNACK. Resolves to the
   * filters that are subscribed now; undefined when there is no session (any more).
   */
  subscribeOnBehalf(
    clientId: string,
    subscriptions: readonly TopicSubscription[],
  ): Promise<readonly string[] | undefined>
  unsubscribe(clientId: string, filter: string): 'ok' | 'no_session' | 'no_subscription'
  /** Filters that messages are routed by. */
  topics(): IterableIterator<string>
  /** Without what has expired; changes are made known to the plugins that govern it. */
  readonly retained: RetainedStore
  /** The broker itself keeps retained messages in its store: they are there after its end. */
  readonly retainedSurvive: boolean
  listeners(): readonly ListenerView[]
  /** Resolve to false when there is no such listener; reject when it cannot be started. */
  startListener(id: string): Promise<boolean>
  stopListener(id: string): Promise<boolean>
  plugins(): readonly PluginView[]
  loadPlugin(name: string): Promise<PluginOutcome>
  unloadPlugin(name: string): Promise<PluginOutcome>
  /** Its code and its configuration are read again. While it is set up the old generation stays in force, also when that fails. */
  reloadPlugin(name: string): Promise<PluginOutcome>
  /** Names of the loaded plugins whose code or configuration is not what it was when they were loaded. */
  changedPlugins(): Promise<readonly string[]>
  hooks(): readonly ChainView[]
  /** Providers of hooks, in the order in which they were attached. */
  providers(): readonly ProviderView[]
  /** Hook calls that wait for an answer now, the longest first. */
  waitingHooks(): readonly {
    readonly owner: string
    readonly hook: string
    readonly point: string
    readonly clientId?: string
    readonly since: number
  }[]
  /**
   * Runs the decision without effects: nothing is routed, subscribed, counted or remembered. Hooks and authorizers really are asked, with
   * a message without payload, and are told nothing special: what they do beside answering happens. Sinks and hooks that
   * only observe are not told. Rejects when the client is not known, or the topic is none.
   */
  explain(clientId: string, action: 'publish' | 'subscribe', topic: string): Promise<Explanation>
  /** Forgets remembered access decisions, of one client or of all. false: no such client. */
  cleanAclCache(clientId?: string): boolean
  /** Has every authorizer that can read its rules again do so, then forgets remembered decisions. Resolves to their names. */
  reloadAccessRules(): Promise<readonly string[]>
  /** What is wrong now, or (false) what no longer is; the latest first. */
  alarms(active: boolean): readonly Alarm[]
  /** Forgets what no longer is wrong. */
  forgetAlarms(): void
  metrics(): Record<string, number>
  stats(): Record<string, number>
  /** Those registered now, the broker's own first. */
  commands(): readonly Command[]
  routes(): readonly HttpRoute[]
  /** Calls back when commands or routes change. Returns what ends it. */
  onChange(changed: () => void): () => void
  /** 'debug', 'info', 'warn', 'error' or 'silent'. */
  logLevel: string
  logHandlers(): readonly LogHandlerView[]
  /** false: no such handler. */
  setLogHandler(id: string, change: { readonly level?: string; readonly running?: boolean }): boolean
}
