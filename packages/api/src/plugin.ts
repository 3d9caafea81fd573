import type { SubscriptionOptions } from '@hookmq/mqtt'
import type { Authenticator, Authorizer } from './access.ts'
import type { BrokerAdmin } from './admin.ts'
import type { ClientInfo } from './client.ts'
import type { Command, HttpRoute } from './command.ts'
import type { HookHandle, HookHandler, HookOptions } from './hook.ts'
import type { HookPointName } from './hook-points.ts'
import type { Logger } from './listener.ts'
import type { Message, MessageInit } from './message.ts'
import type { KeyValueStore } from './store.ts'

/** What a plugin module default-exports. `definePlugin` only adds types: a plain object will do. */
export interface Plugin {
  readonly name: string
  readonly version?: string
  readonly description?: string
  /** Range of @hookmq/api versions that it works with, such as '^0.1.0'. */
  readonly api?: string
  /** Names of plugins that must be loaded before it. */
  readonly dependencies?: readonly string[]
  /** Other names that it answers to, such as those of EMQ. */
  readonly aliases?: readonly string[]
  /** Its configuration keys; `$name` stands for any one word. Without this, all keys are passed on as they are. */
  readonly config?: Readonly<Record<string, PluginConfigKey>>
  /** Where it runs unless the operator says otherwise. Default 'in-process'. */
  readonly placement?: 'in-process' | 'worker'
  /** Runs once, when the plugin is loaded. What it registers through `ctx` is undone when it is unloaded. */
  setup(ctx: PluginContext): void | Promise<void>
}

export interface PluginConfigKey {
  readonly type: 'string' | 'integer' | 'flag' | 'duration' | 'bytesize' | 'enum' | 'path' | 'address'
  /** As it would stand in the file. */
  readonly default?: string
  /** For enum. */
  readonly values?: readonly string[]
  /** One sentence for the reference page. */
  readonly description: string
}

/** Types a plugin. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin
}

export interface PluginContext {
  readonly name: string
  readonly log: Logger
  /** The plugin's own settings, as read from its configuration file. */
  readonly config: Readonly<Record<string, string>>
  readonly broker: BrokerLink
  /** What operators' tools need: views, and what can be done to a running broker. */
  readonly admin: BrokerAdmin
  /** The plugin's own corner of the store. */
  readonly store: KeyValueStore
  /** Aborts when the plugin is unloaded. */
  readonly signal: AbortSignal
  /** Adds a hook. The same handler twice on one point, or an unknown point, is an error. */
  hook<P extends HookPointName>(point: P, handler: HookHandler<P>, options?: HookOptions): HookHandle
  /** Default sequence 0. */
  authenticator(authenticator: Authenticator, sequence?: number): void
  authorizer(authorizer: Authorizer, sequence?: number): void
  /** A counter of the plugin's own, shown as `plugins.NAME.counter`. */
  counter(name: string): Counter
  /** A command of the command line, while the plugin is loaded. */
  command(command: Command): void
  /** An endpoint of the management HTTP API, while the plugin is loaded. */
  route(route: HttpRoute): void
  /** Timers that end with the plugin. Milliseconds. */
  every(interval: number, run: () => void): void
  after(delay: number, run: () => void): void
  /** Runs on unload, in reverse order of registration. */
  onTeardown(run: () => void | Promise<void>): void
}

export interface Counter {
  readonly value: number
  add(amount?: number): void
}

/** The broker, as plugins and embedding programs use it. */
export interface BrokerLink {
  readonly node: string
  readonly version: string
  /** Publishes through the whole message.publish chain. Resolves to the number of receivers once it has been routed. */
  publish(message: MessageInit): Promise<number>
  /** Calls `receive` for each matching message. Shared filters work. Returns what ends it. */
  subscribe(filter: string, receive: (message: Message) => void, options?: Partial<SubscriptionOptions>): () => void
  /** Connected clients. */
  clients(): IterableIterator<ClientInfo>
  client(clientId: string): ClientInfo | undefined
  /** Closes the client's connection and ends its session. false: no such client. */
  kick(clientId: string): boolean
  /** Metrics under EMQX's names. */
  metrics(): Record<string, number>
  stats(): Record<string, number>
}
