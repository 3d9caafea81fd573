import type {
  BrokerAdmin,
  ChainView,
  ClientView,
  Command,
  Explanation,
  HttpRoute,
  ListenerView,
  LogHandlerView,
  MessageInit,
  PluginOutcome,
  PluginView,
  PublishOutcome,
  RetainedStore,
  SubscriptionView,
  TopicSubscription,
} from '@hookmq/api'
import { topicFilterError } from '@hookmq/mqtt'
import { explain } from './access/explain.ts'
import type { Broker } from './broker.ts'
import { subscribeOnBehalf } from './channel/subscribe-on-behalf.ts'
import type { LoadedPlugin } from './plugins/index.ts'
import type { StoredOptions } from './routing/types.ts'
import type { Session } from './session/session.ts'

/** What only the program around the broker can do: it knows where plugins lie. */
export interface Operations {
  plugins(): readonly PluginView[]
  loadPlugin(name: string): Promise<PluginOutcome>
  unloadPlugin(name: string): Promise<PluginOutcome>
  reloadPlugin(name: string): Promise<PluginOutcome>
  changedPlugins(): Promise<readonly string[]>
}

/** The log, as the program that made it lets it be changed. */
export interface LogControl {
  level: string
  handlers(): readonly LogHandlerView[]
  /** false: no such handler. */
  setHandler(id: string, change: { readonly level?: string; readonly running?: boolean }): boolean
}

/** The broker as operators' tools use it. */
export class Admin implements BrokerAdmin {
  readonly #broker: Broker
  /** Set by the program that assembles the broker. */
  operations: Operations | undefined
  /** Set by the program that made the log. */
  log: LogControl | undefined

  constructor(broker: Broker) {
    this.#broker = broker
  }

  get node(): string {
    return this.#broker.options.node
  }

  get version(): string {
    return this.#broker.options.version
  }

  get startedAt(): number {
    return this.#broker.startedAt
  }

  publish(message: MessageInit): Promise<PublishOutcome> {
    return this.#broker.submit(message)
  }

  *clients(): IterableIterator<ClientView> {
    for (const session of this.#broker.sessions.values()) yield this.#view(session)
  }

  client(clientId: string): ClientView | undefined {
    const session = this.#broker.sessions.get(clientId)
    return session === undefined ? undefined : this.#view(session)
  }

  #view(session: Session): ClientView {
    const { options } = this.#broker
    const { channel } = session
    return {
      client: session.client,
      connected: channel !== undefined,
      connInfo: channel?.connInfo,
      session: session.info(),
      keepAlive: (channel?.keepAliveLimit ?? 0) / (1000 * options.keepAliveBackoff * 2),
      disconnectedAt: channel === undefined ? session.detachedAt : undefined,
      maxInflight: channel?.sendQuota ?? options.maxInflight,
      maxQueueLength: options.maxQueueLength,
      queueDropped: session.queueDropped,
      receivedMessages: channel?.receivedMessages ?? 0,
      sentMessages: channel?.sentMessages ?? 0,
      receivedBytes: channel?.receivedBytes ?? 0,
      sentBytes: channel?.outbox.bytesSent ?? 0,
      pendingBytes: channel?.outbox.pending ?? 0,
    }
  }

  kick(clientId: string): boolean {
    return this.#broker.sessions.kick(clientId)
  }

  *subscriptions(): IterableIterator<SubscriptionView> {
    for (const session of this.#broker.sessions.values()) {
      for (const [filter, options] of session.subscriptions) yield { clientId: session.id, filter, options }
    }
  }

  subscribe(clientId: string, filter: string, options: Partial<StoredOptions>): 'ok' | 'no_session' {
    const fault = topicFilterError(filter)
    if (fault !== undefined) throw new TypeError(fault.message)
    const session = this.#broker.sessions.get(clientId)
    if (session === undefined) return 'no_session'
    session.subscribeFor({ qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, ...options }, filter)
    return 'ok'
  }

  subscribeOnBehalf(
    clientId: string,
    subscriptions: readonly TopicSubscription[],
  ): Promise<readonly string[] | undefined> {
    return subscribeOnBehalf(this.#broker, clientId, subscriptions)
  }

  unsubscribe(clientId: string, filter: string): 'ok' | 'no_session' | 'no_subscription' {
    const { sessions, chains } = this.#broker
    const session = sessions.get(clientId)
    if (session === undefined) return 'no_session'
    const options = session.unsubscribe(filter)
    if (options === undefined) return 'no_subscription'
    chains.sessionUnsubscribed.notify({ client: session.client, topic: filter, options })
    return 'ok'
  }

  topics(): IterableIterator<string> {
    return this.#broker.router.filters()
  }

  get retained(): RetainedStore {
    return this.#broker.retained.store
  }

  listeners(): readonly ListenerView[] {
    return this.#broker.listeners.views()
  }

  startListener(id: string): Promise<boolean> {
    return this.#broker.listeners.start(id)
  }

  stopListener(id: string): Promise<boolean> {
    return this.#broker.listeners.stop(id)
  }

  plugins(): readonly PluginView[] {
    return this.operations?.plugins() ?? this.#broker.plugins.list().map(describePlugin)
  }

  loadPlugin(name: string): Promise<PluginOutcome> {
    return this.operations?.loadPlugin(name) ?? notHere()
  }

  unloadPlugin(name: string): Promise<PluginOutcome> {
    return this.operations?.unloadPlugin(name) ?? notHere()
  }

  reloadPlugin(name: string): Promise<PluginOutcome> {
    return this.operations?.reloadPlugin(name) ?? notHere()
  }

  changedPlugins(): Promise<readonly string[]> {
    return this.operations?.changedPlugins() ?? Promise.resolve([])
  }

  hooks(): readonly ChainView[] {
    const placements = new Map(this.#broker.plugins.list().map(({ plugin, placement }) => [plugin.name, placement]))
    return this.#broker.hooks.describe().map((chain) => ({
      ...chain,
      hooks: chain.hooks.map((hook) => ({ ...hook, placement: placements.get(hook.owner) ?? 'in-process' })),
    }))
  }

  waitingHooks() {
    return this.#broker.hooks.waiting()
  }

  explain(clientId: string, action: 'publish' | 'subscribe', topic: string): Promise<Explanation> {
    return explain(this.#broker, clientId, action, topic)
  }

  cleanAclCache(clientId?: string): boolean {
    const { access, sessions } = this.#broker
    if (clientId === undefined) {
      access.clearCache()
      return true
    }
    const channel = sessions.get(clientId)?.channel
    channel?.topics?.clear()
    return channel !== undefined
  }

  reloadAccessRules(): Promise<readonly string[]> {
    return this.#broker.access.reload()
  }

  metrics(): Record<string, number> {
    return this.#broker.metrics.snapshot()
  }

  stats(): Record<string, number> {
    return this.#broker.stats.snapshot()
  }

  commands(): readonly Command[] {
    return this.#broker.registrations.commands
  }

  routes(): readonly HttpRoute[] {
    return this.#broker.registrations.routes
  }

  onChange(changed: () => void): () => void {
    return this.#broker.registrations.onChange(changed)
  }

  get logLevel(): string {
    return this.log?.level ?? 'unknown'
  }

  set logLevel(level: string) {
    if (this.log !== undefined) this.log.level = level
  }

  logHandlers(): readonly LogHandlerView[] {
    return this.log?.handlers() ?? []
  }

  setLogHandler(id: string, change: { readonly level?: string; readonly running?: boolean }): boolean {
    return this.log?.setHandler(id, change) ?? false
  }
}

function describePlugin({ plugin, placement, problem }: LoadedPlugin): PluginView {
  return {
    name: plugin.name,
    version: plugin.version ?? '0.0.0',
    description: plugin.description ?? '',
    active: true,
    placement,
    error: problem,
  }
}

function notHere(): Promise<PluginOutcome> {
  return Promise.resolve({ ok: false, error: 'this broker was assembled without plugins by name' })
}
