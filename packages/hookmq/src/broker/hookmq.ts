import type {
  BrokerAdmin,
  BrokerLink,
  ClientInfo,
  Cluster,
  Command,
  HookHandle,
  HookHandler,
  HookOptions,
  HookPointName,
  HookProvider,
  HookProviderPolicy,
  Listener,
  ListenerHost,
  Logger,
  Message,
  MessageInit,
  ProviderHandle,
  RetainedStore,
} from '@hookmq/api'
import { Broker, type BrokerOptions, type LogControl } from '@hookmq/core'
import { createSettings } from '@hookmq/kit'
import type { SubscriptionOptions } from '@hookmq/mqtt'
import { MemoryRetainedStore } from '@hookmq/store-memory'
import { Client } from '../client/client.ts'
import { openLink } from '../client/link.ts'
import type { ClientOptions } from '../client/options.ts'
import { HookmqError, messageOf } from '../errors.ts'
import { PluginManager, type PluginPlaces } from '../plugins/manager.ts'
import { type PluginSpec, type PreparedPlugin, preparePlugin } from '../plugins/prepare.ts'
import { type AttachableServer, type AttachOptions, attachServer } from './attach.ts'
import { type ListenerSpec, listenerHost, makeListener } from './listeners.ts'
import { isLocalAddress, requireGuard } from './safety.ts'
import { keep, type OpenedStore, type OpenStore } from './store.ts'

export interface BrokerParts {
  readonly options: Partial<BrokerOptions>
  readonly listeners: readonly (ListenerSpec | Listener)[]
  /** Those that the program cannot do without: when one of them fails, the broker does not start. */
  readonly plugins: readonly PreparedPlugin[]
  /** Names of plugins that are loaded after them, before those of the loaded file. When one fails, the broker starts without it. */
  readonly pluginNames?: readonly string[]
  /** Where plugins are found by name, and their settings. Default: the installation and the working directory's `node_modules`; no files of settings. */
  readonly places?: PluginPlaces
  readonly retained?: RetainedStore
  /** Where plugins keep their values: opened by `start`, closed by `stop`. Default: in memory. */
  readonly store?: OpenStore
  /**
   * Instead of the rule for listeners that other machines reach: what is not safe, in sentences. `authenticates`: some plugin or
   * hook authenticates clients.
   */
  readonly problems?: (authenticates: boolean) => readonly string[]
  /** Commands of the command line that the broker has of its own; those of plugins come after them. */
  readonly commands?: (broker: Broker) => readonly Command[]
  /** Lets operators change the log. */
  readonly logControl?: LogControl
  /** What makes one broker of several processes. Default: this one is all there is. */
  readonly cluster?: Cluster
  /** When the first of them was started, milliseconds since the epoch. */
  readonly startedAt?: number
  /** Awaited when everything but the listeners runs. */
  readonly beforeListening?: () => Promise<void>
}

/** Of a client inside the process. */
export interface LinkOptions extends ClientOptions {
  /** Prefix for its topics, as a listener's. */
  mountpoint?: string
}

/** A broker in this process. Made by `createBroker`; several of them do not know of each other. */
export class HookmqBroker {
  readonly log: Logger
  readonly #core: Broker
  readonly #listeners: Listener[] = []
  readonly #plugins: readonly PreparedPlugin[]
  readonly #pluginNames: readonly string[]
  readonly #manager: PluginManager
  readonly #detach: (() => void)[] = []
  readonly #anonymousIsExplicit: boolean
  readonly #problems: BrokerParts['problems']
  readonly #openStore: OpenStore
  readonly #beforeListening: BrokerParts['beforeListening']
  #store: OpenedStore | undefined
  #state: 'new' | 'starting' | 'running' | 'stopping' | 'stopped' = 'new'
  #stopping: Promise<void> | undefined

  constructor(parts: BrokerParts) {
    const { options, listeners, plugins, retained, problems, commands, logControl } = parts
    this.#problems = problems
    this.#beforeListening = parts.beforeListening
    this.#anonymousIsExplicit = options.allowAnonymous !== undefined
    const exposed = listeners.some((listener) => !isLocalAddress(listenerHost(listener)))
    // Open to others, and nobody said that everybody may come in: then who is not known stays out.
    const allowAnonymous = options.allowAnonymous ?? !exposed
    this.#openStore = parts.store ?? keep()
    this.#core = new Broker(
      { ...options, allowAnonymous },
      {
        retained: retained ?? new MemoryRetainedStore(),
        store: (namespace) => this.#requireStore().namespace(namespace),
        sessions: () => this.#requireStore().sessions,
        settings: (plugin, given) => createSettings(plugin.config, given),
        cluster: parts.cluster,
        startedAt: parts.startedAt,
      },
    )
    this.log = this.#core.log
    this.#plugins = plugins
    this.#pluginNames = parts.pluginNames ?? []
    this.#manager = new PluginManager(this.#core, parts.places ?? { home: process.cwd(), folders: [], overrides: [] })
    this.#core.admin.operations = this.#manager
    this.#core.admin.log = logControl
    for (const command of commands?.(this.#core) ?? []) this.#core.registrations.addCommand(command)
    for (const listener of listeners) this.#add(makeListener(listener))
  }

  /** The listeners, started or not; `address` names the real port once they are. */
  get listeners(): readonly Listener[] {
    return this.#listeners
  }

  get running(): boolean {
    return this.#state === 'running'
  }

  /**
   * Sets up the plugins, then binds the listeners. Rejects with a HookmqError that says what is in the way; nothing is left
   * running then.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new')
      throw new HookmqError('BROKER_STATE', `the broker cannot be started: it is ${this.#state}`)
    this.#state = 'starting'
    try {
      await this.#useStore(await this.#openStore(this.log))
      await this.#core.start()
      for (const plugin of this.#plugins) await this.#manager.add(plugin)
      await this.#manager.boot(this.#pluginNames)
      this.#guardAll()
      await this.#beforeListening?.()
      // Whoever connects first is to meet the hooks; a provider that is away must not keep the broker from starting.
      await this.#core.hooks.providers.ready(providerPatience)
      for (const listener of this.#listeners) await this.#bind(listener)
      this.#state = 'running'
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  /**
   * Stops accepting, tells MQTT 5 clients (DISCONNECT 0x8B), sends what is queued, unloads the plugins. Takes `timeout`
   * milliseconds at most; what has not gone out by then is cut off. Safe to call again.
   */
  stop(timeout = 5000): Promise<void> {
    this.#stopping ??= this.#stop(timeout)
    return this.#stopping
  }

  async #stop(timeout: number): Promise<void> {
    this.#state = 'stopping'
    for (const detach of this.#detach.splice(0)) detach()
    await Promise.allSettled(this.#listeners.map((listener) => this.#unbind(listener)))
    // Plugins that do not end must not keep the program from ending; twice, because their hooks are waited for as well.
    await withinTime(this.#core.stop(timeout), 2 * timeout + 500)
    // What was stored is written also when there is no time for anything else.
    await this.#store?.close(Math.max(timeout, storePatience))
    this.#state = 'stopped'
  }

  /** Publishes through the whole message.publish chain. Resolves to the number of receivers. */
  publish(message: MessageInit): Promise<number> {
    return this.#link.publish(message)
  }

  /** Calls `receive` for each matching message; returns what ends it. No client, so no authorization and no acknowledgement. */
  subscribe(filter: string, receive: (message: Message) => void, options?: Partial<SubscriptionOptions>): () => void {
    return this.#link.subscribe(filter, receive, options)
  }

  /** Adds a hook, as a plugin would; also before `start`. */
  hook<P extends HookPointName>(point: P, handler: HookHandler<P>, options: HookOptions = {}): HookHandle {
    return this.#core.hooks.add(point, handler, { ...options, owner: 'embedding' })
  }

  /** Attaches hooks that live elsewhere, as a plugin would; also before `start`. Its load begins at once: see `ready`. */
  provider(provider: HookProvider, policy: HookProviderPolicy = {}): ProviderHandle {
    const { providers } = this.#core.hooks
    const attached = providers.make(provider, policy)
    providers.check([], [attached])
    providers.exchange([], [attached])
    return attached
  }

  /**
   * A client that needs no socket: every hook, rule and limit applies to it as to any other (socket type 'link'). Call its
   * `connect` first.
   */
  link(options: LinkOptions = {}): Client {
    this.#requireRunning('link')
    const { mountpoint, ...rest } = options
    return new Client(openLink(this.#core, 'link:internal', mountpoint), { keepAlive: 0, ...rest })
  }

  /**
   * Takes MQTT connections from a server that the program has already: a `net` or `tls` server's connections, or the WebSocket
   * upgrades of an `http` or `https` server on one path. Returns what ends it; the server itself stays open.
   */
  attach(server: AttachableServer, options: AttachOptions = {}): () => void {
    this.#requireRunning('attach')
    const detach = attachServer(server, this.#core, options, (host) => this.#guard('attached', host))
    this.#detach.push(detach)
    return detach
  }

  /** Adds a listener, and binds it when the broker runs. */
  async addListener(spec: ListenerSpec | Listener): Promise<Listener> {
    const listener = makeListener(spec)
    this.#requireOwnName(listener)
    if (this.#state === 'running') {
      this.#guard(listener.id, listenerHost(spec))
      await this.#bind(listener)
    } else if (this.#state !== 'new') {
      this.#requireRunning('addListener')
    }
    this.#listeners.push(listener)
    return listener
  }

  /** Loads a plugin while the broker runs. */
  async loadPlugin(spec: PluginSpec): Promise<void> {
    this.#requireRunning('loadPlugin')
    await this.#manager.add(await preparePlugin(spec))
  }

  /** Undoes all that the plugin registered. false: no such plugin. */
  async unloadPlugin(name: string): Promise<boolean> {
    const outcome = await this.#manager.unloadPlugin(name)
    if (!outcome.ok && outcome.error !== 'not_started' && outcome.error !== 'not_found')
      throw new HookmqError('PLUGIN_BUSY', `plugin ${name}: ${outcome.error}`)
    return outcome.ok
  }

  /** Forgets which permissions were given: for when the rules have changed. */
  forgetPermissions(): void {
    this.#core.access.clearCache()
  }

  /** Names of the loaded plugins, in the order in which they were loaded. */
  get plugins(): readonly string[] {
    return this.#core.plugins.list().map(({ plugin }) => plugin.name)
  }

  /** Connected clients. */
  clients(): IterableIterator<ClientInfo> {
    return this.#link.clients()
  }

  client(clientId: string): ClientInfo | undefined {
    return this.#link.client(clientId)
  }

  /** Closes the client's connection and ends its session. Resolves to false when there is no such client. */
  kick(clientId: string): Promise<boolean> {
    return this.#link.kick(clientId)
  }

  /** Where connections go that nobody but the program accepts. */
  get host(): ListenerHost {
    return this.#core
  }

  /** What operators' tools need: views of everything, and what can be done to a running broker. */
  get admin(): BrokerAdmin {
    return this.#core.admin
  }

  /** Counters under EMQX's metric names. */
  metrics(): Record<string, number> {
    return this.#link.metrics()
  }

  stats(): Record<string, number> {
    return this.#link.stats()
  }

  get #link(): BrokerLink {
    return this.#core.link
  }

  #requireOwnName({ id }: Listener): void {
    if (this.#listeners.every((other) => other.id !== id)) return
    throw new HookmqError('LISTENER_FAILED', `there already is a listener ${id}; give this one another name`)
  }

  #add(listener: Listener): void {
    this.#requireOwnName(listener)
    this.#listeners.push(listener)
  }

  async #bind(listener: Listener): Promise<void> {
    try {
      await this.#core.listeners.add(listener)
    } catch (error) {
      throw new HookmqError('LISTENER_FAILED', messageOf(error), { cause: error })
    }
  }

  async #unbind(listener: Listener): Promise<void> {
    // One that is just being bound is not the core's yet.
    if (!(await this.#core.listeners.stop(listener.id))) await listener.stop()
  }

  #guardAll(): void {
    if (this.#problems === undefined) {
      for (const listener of this.#listeners) this.#guard(listener.id, listenerHost(listener))
      return
    }
    const [problem] = this.#problems(this.#authenticates())
    if (problem !== undefined) throw new HookmqError('LISTENER_UNSAFE', problem)
  }

  #guard(id: string, host: string): void {
    requireGuard(id, host, {
      anonymousIsExplicit: this.#anonymousIsExplicit,
      authenticates: this.#authenticates(),
    })
  }

  #authenticates(): boolean {
    if (this.#core.access.authenticatorCount > 0) return true
    const chain = this.#core.hooks.describe().find(({ point }) => point === 'client.authenticate')
    return chain?.hooks.some(({ owner }) => owner !== 'core') ?? false
  }

  /** Whoever stopped the broker while the store was being opened has not closed it. */
  async #useStore(store: OpenedStore): Promise<void> {
    this.#store = store
    if (this.#state === 'starting') return
    await store.close(0)
    throw new HookmqError('BROKER_STATE', 'the broker was stopped while it started')
  }

  #requireStore(): OpenedStore {
    if (this.#store === undefined)
      throw new HookmqError('BROKER_STATE', 'the store is not open: the broker has not started')
    return this.#store
  }

  #requireRunning(method: string): void {
    if (this.#state === 'running') return
    throw new HookmqError('BROKER_STATE', `${method} needs a running broker; this one is ${this.#state}`)
  }
}

/** Milliseconds for which providers of hooks may load before clients are let in. */
const providerPatience = 5000

/** Milliseconds that a slow disk gets at least, when the broker stops. */
const storePatience = 1000

function withinTime(work: Promise<void>, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
