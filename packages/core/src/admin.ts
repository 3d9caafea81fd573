import type {
  AdminScope,
  Alarm,
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
  ProviderView,
  PublishOutcome,
  RetainedStore,
  SubscriptionView,
  TopicSubscription,
} from '@hookmq/api'
import type { Broker } from './broker.ts'
import type { Whole } from './cluster/whole.ts'
import { OwnAdmin } from './own-admin.ts'
import type { LoadedPlugin } from './plugins/index.ts'
import type { StoredOptions } from './routing/types.ts'

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

/** The broker as operators' tools use it: this process alone is `own`, and the class below knows of the others, if there are any. */
export class Admin implements BrokerAdmin {
  readonly #broker: Broker
  readonly own: OwnAdmin
  /** Set by the program that assembles the broker. */
  operations: Operations | undefined
  /** Set by the program that made the log. */
  log: LogControl | undefined

  constructor(broker: Broker) {
    this.#broker = broker
    this.own = new OwnAdmin(broker, this)
  }

  get #whole(): Whole | undefined {
    return this.#broker.peers?.whole
  }

  refresh(scope: AdminScope): Promise<void> {
    return this.#whole?.refresh(scope) ?? Promise.resolve()
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
    yield* this.own.clients()
    if (this.#whole !== undefined) yield* this.#whole.clients()
  }

  client(clientId: string): ClientView | undefined {
    return this.own.client(clientId) ?? this.#whole?.client(clientId)
  }

  kick(clientId: string): Promise<boolean> {
    if (this.own.kick(clientId)) return Promise.resolve(true)
    const kicked = this.#whole?.kick(clientId) ?? Promise.resolve(false)
    // Who does not wait for the answer need not care that there is none.
    kicked.catch(() => {})
    return kicked
  }

  *subscriptions(): IterableIterator<SubscriptionView> {
    yield* this.own.subscriptions()
    if (this.#whole !== undefined) yield* this.#whole.subscriptions()
  }

  subscribe(clientId: string, filter: string, options: Partial<StoredOptions>): 'ok' | 'no_session' {
    if (this.own.subscribe(clientId, filter, options) === 'ok') return 'ok'
    return this.#elsewhere(clientId, (whole) => whole.subscribe(clientId, filter, options)) ? 'ok' : 'no_session'
  }

  async subscribeOnBehalf(
    clientId: string,
    subscriptions: readonly TopicSubscription[],
  ): Promise<readonly string[] | undefined> {
    const subscribed = await this.own.subscribeOnBehalf(clientId, subscriptions)
    return subscribed ?? this.#whole?.subscribeOnBehalf(clientId, subscriptions)
  }

  unsubscribe(clientId: string, filter: string): 'ok' | 'no_session' | 'no_subscription' {
    const outcome = this.own.unsubscribe(clientId, filter)
    if (outcome !== 'no_session') return outcome
    const view = this.#whole?.client(clientId)
    if (view === undefined) return 'no_session'
    if (!view.session.subscriptions.has(filter)) return 'no_subscription'
    this.#whole?.unsubscribe(clientId, filter)
    return 'ok'
  }

  /** Does it where the client is, when that is another process. false: nowhere. */
  #elsewhere(clientId: string, run: (whole: Whole) => void): boolean {
    const whole = this.#whole
    if (whole?.client(clientId) === undefined) return false
    run(whole)
    return true
  }

  topics(): IterableIterator<string> {
    return this.#broker.router.filters()
  }

  alarms(active: boolean): readonly Alarm[] {
    const own = this.#broker.alarms.list(active)
    return this.#whole?.alarms(own, active) ?? own
  }

  forgetAlarms(): void {
    this.#broker.alarms.forget()
    this.#whole?.forgetAlarms()
  }

  get retainedSurvive(): boolean {
    return this.#broker.durable !== undefined
  }

  get retained(): RetainedStore {
    return this.#broker.retained.store
  }

  listeners(): readonly ListenerView[] {
    const own = this.own.listeners()
    return this.#whole?.listeners(own) ?? own
  }

  async startListener(id: string): Promise<boolean> {
    const started = await this.#broker.listeners.start(id)
    if (started) await this.#everywhere('listener.start', id)
    return started
  }

  async stopListener(id: string): Promise<boolean> {
    const stopped = await this.#broker.listeners.stop(id)
    if (stopped) await this.#everywhere('listener.stop', id)
    return stopped
  }

  /** Rejects with what went wrong at another process. */
  async #everywhere(subject: 'listener.start' | 'listener.stop', id: string): Promise<void> {
    const problem = await this.#whole?.everywhere(subject, id)
    if (problem !== undefined) throw new Error(problem)
  }

  plugins(): readonly PluginView[] {
    return this.operations?.plugins() ?? this.#broker.plugins.list().map(describePlugin)
  }

  loadPlugin(name: string): Promise<PluginOutcome> {
    return this.#operate('plugin.load', name, this.operations?.loadPlugin(name))
  }

  unloadPlugin(name: string): Promise<PluginOutcome> {
    return this.#operate('plugin.unload', name, this.operations?.unloadPlugin(name))
  }

  reloadPlugin(name: string): Promise<PluginOutcome> {
    return this.#operate('plugin.reload', name, this.operations?.reloadPlugin(name))
  }

  /** Here first: what fails here is not tried elsewhere. */
  async #operate(
    subject: 'plugin.load' | 'plugin.unload' | 'plugin.reload',
    name: string,
    work: Promise<PluginOutcome> | undefined,
  ): Promise<PluginOutcome> {
    const outcome = await (work ?? notHere())
    if (!outcome.ok) return outcome
    const problem = await this.#whole?.everywhere(subject, name)
    return problem === undefined ? outcome : { ok: false, error: problem }
  }

  changedPlugins(): Promise<readonly string[]> {
    return this.operations?.changedPlugins() ?? Promise.resolve([])
  }

  hooks(): readonly ChainView[] {
    const own = this.own.hooks()
    return this.#whole?.hooks(own) ?? own
  }

  providers(): readonly ProviderView[] {
    const own = this.own.providers()
    return this.#whole?.providers(own) ?? own
  }

  waitingHooks() {
    const own = this.own.waitingHooks()
    return this.#whole?.waiting(own) ?? own
  }

  explain(clientId: string, action: 'publish' | 'subscribe', topic: string): Promise<Explanation> {
    const here = this.#whole === undefined || this.#broker.sessions.has(clientId)
    const there = here ? undefined : this.#whole?.explain(clientId, action, topic)
    return there ?? this.own.explain(clientId, action, topic)
  }

  cleanAclCache(clientId?: string): boolean {
    const here = this.own.cleanAclCache(clientId)
    if (clientId === undefined) this.#whole?.cleanAclCache(undefined)
    else if (!here) return this.#elsewhere(clientId, (whole) => whole.cleanAclCache(clientId))
    return here
  }

  async reloadAccessRules(): Promise<readonly string[]> {
    const names = await this.#broker.access.reload()
    const problem = await this.#whole?.everywhere('access.reload', undefined)
    if (problem !== undefined) throw new Error(problem)
    return names
  }

  metrics(): Record<string, number> {
    const own = this.own.metrics()
    return this.#whole?.sum('metrics', own) ?? own
  }

  stats(): Record<string, number> {
    const own = this.own.stats()
    return this.#whole?.sum('stats', own) ?? own
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
    this.own.setLog({ level })
    this.#whole?.setLog({ level })
  }

  logHandlers(): readonly LogHandlerView[] {
    return this.log?.handlers() ?? []
  }

  setLogHandler(id: string, change: { readonly level?: string; readonly running?: boolean }): boolean {
    const found = this.log?.setHandler(id, change) ?? false
    if (found) this.#whole?.setLog({ handler: id, ...change })
    return found
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
