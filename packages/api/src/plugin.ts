import type { SubscriptionOptions } from '@hookmq/mqtt'
import type { Authenticator, Authorizer } from './access.ts'
import type { BrokerAdmin } from './admin.ts'
import type { ClientInfo } from './client.ts'
import type { Command, HttpRoute } from './command.ts'
import type { HookHandle, HookHandler, HookOptions } from './hook.ts'
import type { HookPointName } from './hook-points.ts'
import type { Logger } from './listener.ts'
import type { Message, MessageInit } from './message.ts'
import type { HookProvider, HookProviderPolicy, ProviderHandle } from './provider.ts'
import type { RetainedPolicy } from './retained.ts'
import type { PluginConfigKey, PluginSettings } from './settings.ts'
import type { KeyValueStore } from './store.ts'
import type { Term } from './term.ts'

/** What a plugin module default-exports. `definePlugin` only adds types: a plain object will do. */
export interface Plugin {
  readonly name: string
  readonly version?: string
  readonly description?: string
  /** Range of @hookmq/api versions that it works with, such as '^0.1.0'. */
  readonly api?: string
  /** Names of plugins that must be loaded before it. */
  readonly dependencies?: readonly string[]
  /**
   * Plugins that it is made of: loaded before it unless they are already, unloaded and reloaded with it. A file of settings under one of its own names
   * is read for each of them.
   */
  readonly includes?: readonly string[]
  /** Other names that it answers to, such as those of EMQ. */
  readonly aliases?: readonly string[]
  /** Its configuration keys; `$name` stands for any one word. Without this, all keys are passed on as they are. */
  readonly config?: Readonly<Record<string, PluginConfigKey>>
  /** Where it runs unless the operator says otherwise. Default 'in-process'. */
  readonly placement?: 'in-process' | 'worker'
  /**
   * Which processes of the broker load it, where there are several (`hookmq start --workers`). 'each' (the default): all of them, and each serves
   * its own clients; `ctx.members` is how they work together. 'leader': one of them, for a plugin that offers something of which there can be only
   * one and that takes no part in what happens to clients.
   */
  readonly workers?: 'each' | 'leader'
  /**
   * On reload the new generation is set up while the old one still works, then they change places in one step and no event is lost. true: that is not
   * possible, because only one can hold what it holds, such as a port: the old one is unloaded first, and loaded again when the new one fails.
   */
  readonly exclusive?: boolean
  /**
   * Runs once for each load. What it registers through `ctx` takes effect when it has succeeded, all in one step, and is undone when the plugin is
   * unloaded; so it must not wait for a hook, timer or subscription of its own. A throw, a rejection or 30 seconds without an end: not loaded, and
   * what was registered is taken back.
   */
  setup(ctx: PluginContext): void | Promise<void>
}

/** Types a plugin. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin
}

export interface PluginContext {
  readonly name: string
  readonly log: Logger
  /** The plugin's own settings as text, by the first spelling of each key, defaults included. What `settings` reads. */
  readonly config: Readonly<Record<string, string>>
  /** The same for keys that hold Erlang terms. Without a declared `config`: each `{key, Term}` of NAME.config. */
  readonly terms: Readonly<Record<string, Term>>
  /** The settings as numbers, durations, addresses …, for plugins that declare `config`. */
  readonly settings: PluginSettings
  readonly broker: BrokerLink
  /** What operators' tools need: views, and what can be done to a running broker. */
  readonly admin: BrokerAdmin
  /** The plugin's own corner of the store. */
  readonly store: KeyValueStore
  /** The processes of this broker, of which each has loaded the plugin. */
  readonly members: PluginMembers
  /** Aborts when the plugin is unloaded, after its calls in flight have ended. */
  readonly signal: AbortSignal
  /** Adds a hook. The same handler twice on one point, or an unknown point, is an error. */
  hook<P extends HookPointName>(point: P, handler: HookHandler<P>, options?: HookOptions): HookHandle
  /**
   * Attaches hooks that live elsewhere, while the plugin is loaded. Its load begins when the plugin's registrations take effect, and setup must not
   * wait for it: see `ready`. Throws `HookRegistrationError` when the name is taken or the policy makes no sense.
   */
  provider(provider: HookProvider, policy?: HookProviderPolicy): ProviderHandle
  /** Default sequence 0. */
  authenticator(authenticator: Authenticator, sequence?: number): void
  authorizer(authorizer: Authorizer, sequence?: number): void
  /** A counter of the plugin's own, shown as `plugins.NAME.counter`. */
  counter(name: string): Counter
  /** What holds for retained messages while the plugin is loaded. Returns what takes it back before. */
  retained(policy: RetainedPolicy): () => void
  /** Shows the number in the statistics as NAME.count and NAME.max, while the plugin is loaded. Names: docs/reference/metrics.md. */
  gauge(name: string, read: () => number): void
  /** A command of the command line, while the plugin is loaded. */
  command(command: Command): void
  /** An endpoint of the management HTTP API, while the plugin is loaded. */
  route(route: HttpRoute): void
  /** The broker's time, milliseconds since the epoch: the one that its timers follow, and that tests can move. */
  now(): number
  /** Timers that end with the plugin. Milliseconds. What `run` throws or rejects with is logged. */
  every(interval: number, run: () => unknown): void
  after(delay: number, run: () => unknown): void
  /**
   * Runs on unload, the one registered last first, when no event reaches the plugin any more, calls in flight have ended and `signal` has aborted.
   */
  onTeardown(run: () => void | Promise<void>): void
}

/** The processes that make one broker; usually it is this one alone. */
export interface PluginMembers {
  readonly count: number
  /** Of this one, unique among them; '' where it is alone. */
  readonly name: string
  /** This one does what is to be done once for the whole broker: listening on a port, writing a file. One process always does. */
  readonly leads: boolean
  /** Every key belongs to exactly one process: what is kept under it in the store is that one's business. Client ids are such keys. */
  owns(key: string): boolean
  /** Says something, which must be what the structured clone algorithm can copy, to this plugin in every other process that is there. */
  tell(value: unknown): void
  /** `receive` gets what the others tell. */
  onTold(receive: (value: unknown) => void): void
  /**
   * Asks this plugin in every other process that is there. Resolves to what they answer, which must be what can be copied; those that fail, or do not
   * answer within ten seconds, are left out.
   */
  ask(value: unknown): Promise<readonly MemberAnswer[]>
  /** `answer` is asked by the others. What it throws or rejects with is logged where it was asked. */
  onAsked(answer: (value: unknown) => unknown): void
}

export interface MemberAnswer {
  /** The name of the process. */
  readonly member: string
  readonly answer: unknown
}

export interface Counter {
  readonly value: number
  add(amount?: number): void
}

/** The broker, as plugins and embedding programs use it. */
export interface BrokerLink {
  readonly node: string
  readonly version: string
  /**
   * Publishes through the whole message.publish chain. Resolves to the number of receivers once it has been routed, and stored for the durable
   * sessions that get it. While the store does not work a message of QoS 1 or 2 that it would have to take rejects: with the code
   * `STORE_DOWN` when nothing was done, `STORE_PENDING` when it was on its way to the store before: it is stored when that works again.
   */
  publish(message: MessageInit): Promise<number>
  /** Calls `receive` for each matching message. Shared filters work. Returns what ends it. */
  subscribe(filter: string, receive: (message: Message) => void, options?: Partial<SubscriptionOptions>): () => void
  /** Connected clients. */
  clients(): IterableIterator<ClientInfo>
  client(clientId: string): ClientInfo | undefined
  /**
   * Closes the client's connection and ends its session; for a client of this process before it returns. Resolves to false when there is no such
   * client. Rejects when the process that has it is away, or does not answer in time; nothing happens to who does not look at that.
   */
  kick(clientId: string): Promise<boolean>
  /** Metrics under EMQX's names. */
  metrics(): Record<string, number>
  stats(): Record<string, number>
}
