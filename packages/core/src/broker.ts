import type {
  BrokerLink,
  ClientInfo,
  Cluster,
  KeyValueStore,
  ListenerHost,
  Logger,
  MessageInit,
  Plugin,
  PluginSettings,
  PublishOutcome,
  RetainedStore,
  SessionStore,
  Transport,
  TransportHandler,
} from '@hookmq/api'
import { type Properties, ReasonCode, topicNameError } from '@hookmq/mqtt'
import { Access } from './access/access.ts'
import { Admin } from './admin.ts'
import { after, bothOf } from './after.ts'
import { Alarms } from './alarms.ts'
import { Chains } from './chains.ts'
import type { Exchange } from './channel/authenticate.ts'
import { type Admission, Channel } from './channel/channel.ts'
import { endConnection } from './channel/disconnect.ts'
import { Payloads } from './channel/payloads.ts'
import { type Clock, systemClock } from './clock.ts'
import { FarReceivers, Peers } from './cluster/peers.ts'
import { FlushScheduler } from './connection/outbox.ts'
import { Deadlines } from './deadlines.ts'
import { Durable } from './durable/durable.ts'
import { Keeper } from './durable/keeper.ts'
import { StoreTrouble } from './durable/store-trouble.ts'
import { HookEngine, pending, propertiesProblem, type RunEnd } from './hooks/index.ts'
import { createLink } from './link.ts'
import { Listeners } from './listeners.ts'
import { BrokerMessage } from './message.ts'
import * as M from './metrics/index.ts'
import { Metrics, Stats } from './metrics/index.ts'
import { type BrokerOptions, defaultOptions } from './options.ts'
import { type PluginConfiguration, PluginHost } from './plugins/index.ts'
import { Registrations } from './plugins/registrations.ts'
import { Refusal } from './refusal.ts'
import { Retained } from './retained/retained.ts'
import { type Route, Router, type Routes, type SharedGroup } from './routing/index.ts'
import type { DeliveryTarget } from './routing/target.ts'
import { Sessions } from './session/registry.ts'
import type { Session } from './session/session.ts'
import { Wills } from './session/will.ts'
import { sweep, sweepInterval } from './sweeper.ts'
import { SysPublisher } from './sys/index.ts'

const hookMetrics = {
  threw: M.HOOKS_FAILED,
  rejected: M.HOOKS_FAILED,
  timeout: M.HOOKS_TIMEOUT,
  'invalid verdict': M.HOOKS_INVALID,
  dropped: M.HOOKS_NOTIFICATIONS_DROPPED,
  late: M.HOOKS_LATE,
  denied: M.HOOKS_DENIED,
} as const

/** A publisher that waits for its acknowledgement; `route` is set when it is among the receivers. */
export interface PublisherRoute {
  readonly session: Session
  route: Route | undefined
}

export interface BrokerParts {
  readonly retained: RetainedStore
  /** Makes a plugin's corner of the store. Default: none, and whoever asks for it is told so. */
  readonly store?: (namespace: string) => KeyValueStore
  /** Where durable sessions and retained messages survive; asked for when the broker starts. Default, and undefined: nowhere. */
  readonly sessions?: () => SessionStore | undefined
  /** Reads a plugin's settings as what they stand for. Default: none, and whoever asks for it is told so. */
  readonly settings?: (plugin: Plugin, configuration: Required<PluginConfiguration>) => PluginSettings
  /** Default: the system's. */
  readonly clock?: Clock
  /** What makes one broker of several processes. Default: this one is all there is. */
  readonly cluster?: Cluster
  /** When the first of them was started, milliseconds since the epoch. Default: now. */
  readonly startedAt?: number
}

/** The broker: it knows everybody, and does nothing that a part of it can do. */
export class Broker implements ListenerHost {
  readonly options: BrokerOptions
  readonly log: Logger
  readonly clock: Clock
  readonly hooks: HookEngine
  readonly chains: Chains
  readonly access: Access
  readonly router: Router
  readonly retained: Retained
  readonly sessions: Sessions
  /** The other processes of this broker; undefined: there are none. */
  readonly peers: Peers | undefined
  readonly wills: Wills
  readonly metrics = new Metrics()
  readonly stats = new Stats()
  readonly deadlines = new Deadlines((error) => this.reportBug(error))
  readonly flushes = new FlushScheduler(() => this.clock.now())
  readonly payloads = new Payloads()
  /** Every open connection. */
  readonly channels = new Set<Channel>()
  /** Enhanced authentications that wait for the client. */
  readonly exchanges = new WeakMap<Channel, Exchange>()
  readonly listeners = new Listeners(this)
  readonly registrations = new Registrations()
  readonly link: BrokerLink
  readonly admin: Admin
  readonly alarms: Alarms
  /** Corner of the store for a plugin. */
  readonly storeOf: (namespace: string) => KeyValueStore
  readonly settingsOf: (plugin: Plugin, configuration: Required<PluginConfiguration>) => PluginSettings
  readonly plugins: PluginHost
  /** What of it survives; undefined: nothing. */
  durable: Durable | undefined
  keeper: Keeper | undefined
  readonly #sessionStore: () => SessionStore | undefined
  readonly startedAt: number
  readonly #perAddress = new Map<string, number>()
  readonly #sys: SysPublisher
  #cancelSweep: (() => void) | undefined
  #stopping = false
  #emptied: (() => void) | undefined

  constructor(options: Partial<BrokerOptions>, parts: BrokerParts) {
    this.options = { ...defaultOptions, ...options }
    this.log = this.options.log
    this.clock = parts.clock ?? systemClock
    this.startedAt = parts.startedAt ?? this.clock.now()
    this.hooks = new HookEngine({
      log: this.log,
      timeout: this.options.hookTimeout,
      queueLimit: this.options.hookQueueLimit,
      queueDrop: this.options.hookQueueDrop,
      count: (event) => {
        this.metrics.counters[hookMetrics[event]]++
      },
      // Who may do what is remembered: with other hooks the answers may be others.
      changed: (point) => {
        if (point === 'client.authorize') this.access.clearCache()
      },
    })
    this.chains = new Chains(this.hooks)
    this.access = new Access(this)
    this.router = new Router({
      cacheSize: this.options.routeCacheSize,
      sharedStrategy: this.options.sharedStrategy,
      sharedStrategyOfGroup: this.options.sharedStrategyOfGroup,
    })
    this.retained = new Retained(this, parts.retained)
    this.sessions = new Sessions(this)
    this.peers = parts.cluster === undefined ? undefined : new Peers(this, parts.cluster)
    this.wills = new Wills(this)
    this.link = createLink(this)
    this.admin = new Admin(this)
    this.alarms = new Alarms({
      node: this.options.node,
      member: parts.cluster?.name ?? '',
      clock: this.clock,
      publish: this.options.sysInterval === 0 ? undefined : (message) => void this.publish(message),
    })
    this.storeOf =
      parts.store ??
      (() => {
        throw new Error('this broker was assembled without a store')
      })
    this.settingsOf =
      parts.settings ??
      (() => {
        throw new Error('this broker was assembled without a reader of settings')
      })
    this.plugins = new PluginHost(this)
    this.#sessionStore = parts.sessions ?? (() => undefined)
    this.#sys = new SysPublisher({
      node: this.options.node,
      version: this.options.version,
      interval: this.options.sysInterval,
      heartbeat: this.options.sysHeartbeat,
      clock: this.clock,
      startedAt: this.startedAt,
      publish: (message) => void this.publish(message),
      nodes: () => [this.options.node],
      refresh: () => this.peers?.whole.refresh('counters'),
      stats: () => this.admin.stats(),
      metrics: () => this.admin.metrics(),
    })
    this.#provideStats()
  }

  async start(): Promise<void> {
    this.#stopping = false
    await this.#restore()
    await this.peers?.start()
    this.#cancelSweep ??= this.clock.every(sweepInterval, () => {
      sweep(this)
      this.stats.sample()
    })
    if (this.peers === undefined || this.peers.cluster.leads) this.#sys.start()
  }

  /** Brings back what an earlier run left in the store. Rejects when that cannot be read. */
  async #restore(): Promise<void> {
    const store = this.#sessionStore()
    if (store === undefined) return
    this.durable = new Durable(this, store)
    this.keeper = new Keeper(this, this.durable)
    await this.retained.restore(store)
    await this.keeper.restore()
  }

  /** Tells every client, sends what is queued, closes. Resolves after `timeout` milliseconds at the latest. */
  async stop(timeout = 5000): Promise<void> {
    this.#stopping = true
    await this.listeners.stopAll()
    this.#sys.stop()
    for (const channel of this.channels) {
      // [MQTT-4.13.1-1]
      endConnection(channel, { reason: 'server_shutting_down', reasonCode: ReasonCode.ServerShuttingDown, will: true })
    }
    if (this.channels.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeout)
        this.#emptied = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      for (const channel of this.channels) channel.transport.destroy()
    }
    await this.hooks.idle(timeout)
    await this.plugins.unloadAll()
    await this.peers?.stop(timeout)
    this.hooks.close()
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
  }

  // --- connections -------------------------------------------------------------------------------------------------

  /** @param admission of a client that another process has let in, see `Channel.moveAdmitted` */
  accept(transport: Transport, admission?: unknown): TransportHandler {
    const channel = new Channel(this, transport, admission as Admission | undefined)
    const { counters } = this.metrics
    counters[M.CONNECTIONS_ACCEPTED]++
    this.channels.add(channel)
    this.peers?.counted()
    const fromAddress = (this.#perAddress.get(transport.peerhost) ?? 0) + 1
    this.#perAddress.set(transport.peerhost, fromAddress)
    const { maxConnections, maxConnectionsPerAddress } = this.options
    const refused =
      (this.#stopping && M.CONNECTIONS_REFUSED_STOPPING) ||
      (maxConnections > 0 &&
        this.channels.size + (this.peers?.elsewhere('connections') ?? 0) > maxConnections &&
        M.CONNECTIONS_REFUSED_LIMIT) ||
      (maxConnectionsPerAddress > 0 && fromAddress > maxConnectionsPerAddress && M.CONNECTIONS_REFUSED_ADDRESS_LIMIT)
    if (refused !== false) {
      counters[M.CONNECTIONS_REFUSED]++
      counters[refused]++
      channel.state = 'closed'
      transport.destroy()
    }
    return channel
  }

  /** The transport is gone. */
  forgetConnection(channel: Channel): void {
    if (!this.channels.delete(channel)) return
    this.peers?.counted()
    const { peerhost } = channel.transport
    const left = (this.#perAddress.get(peerhost) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(peerhost)
    else this.#perAddress.set(peerhost, left)
    if (this.channels.size === 0) this.#emptied?.()
  }

  // --- messages ----------------------------------------------------------------------------------------------------

  /** Publishes for the broker itself, a plugin or an embedding program. Resolves to the number of receivers. */
  publish(init: MessageInit): Promise<number> {
    return this.#submit(init, (result) => {
      if (!(result instanceof Refusal)) return result
      if (result.by === 'store') throw new StoreTrouble('STORE_DOWN', this.durable?.store.problem ?? 'it did not')
      return 0
    })
  }

  /** As `publish`, for those who want to know what became of it. */
  submit(init: MessageInit): Promise<PublishOutcome> {
    return this.#submit(init, (result, { id }) => {
      if (!(result instanceof Refusal)) return { id, receivers: result }
      const { by, kind, reasonCode } = result
      return { id, receivers: 0, refused: kind === 'drop' ? { by } : { by, reasonCode } }
    })
  }

  /** `result`: the number of receivers, or why there are none. */
  #submit<T>(init: MessageInit, finish: (result: number | Refusal, message: BrokerMessage) => T): Promise<T> {
    const fault = topicNameError(init.topic, {
      maxLength: this.options.maxTopicLength,
      maxLevels: this.options.maxTopicLevels,
    })
    if (fault !== undefined) return Promise.reject(new TypeError(`publish: ${fault.message}`))
    const wrong = init.properties === undefined ? undefined : propertiesProblem(init.properties, 'publish')
    if (wrong !== undefined) return Promise.reject(new TypeError(`publish: ${wrong}`))
    const message = BrokerMessage.from(init, this.clock.now())
    const outcome = this.runPublish(message, undefined)
    const routed =
      outcome instanceof Promise ? outcome.then((result) => this.#routeAll(result)) : this.#routeAll(outcome)
    return routed.then((result) => finish(result, message))
  }

  /** Settles when other processes have what is for their clients, and what was given to durable sessions is stored. */
  #routeAll(message: BrokerMessage | Refusal): Promise<number | Refusal> {
    if (message instanceof Refusal) return Promise.resolve(message)
    const { durable, peers } = this
    const changes = durable?.store.changes ?? 0
    const routes = this.router.match(message.topic)
    if (message.qos > 0 && durable?.store.problem !== undefined && durable.concerns(undefined, message, routes)) {
      this.metrics.counters[M.STORE_REFUSED]++
      return Promise.resolve(
        new Refusal('reject', ReasonCode.QuotaExceeded, 'store', 'the store does not work at present'),
      )
    }
    const far = peers === undefined ? undefined : new FarReceivers(peers)
    const count = this.route(message, routes, undefined, far)
    const safe = bothOf(far && peers?.taken(far.since), durable?.sinceOrTrouble(changes, message))
    return safe === undefined ? Promise.resolve(count) : safe.then(() => this.total(message, count, far))
  }

  /** message.publish: hooks that change, the core's own look at the result, sinks. */
  runPublish(
    message: BrokerMessage,
    client: ClientInfo | undefined,
  ): BrokerMessage | Refusal | Promise<BrokerMessage | Refusal> {
    const chain = this.chains.messagePublish
    if (chain.size === 0) return this.#sink(message, client)
    const folded = chain.fold({ client }, message)
    return folded instanceof Promise
      ? folded.then((changed) => this.#recheck(message, changed, client))
      : this.#recheck(message, folded, client)
  }

  /**
   * As `runPublish`, but when hooks answer later the result is `pending`, and `then` is told what they have made of the message, perhaps before this
   * returns; what comes of that is up to `settlePublish`.
   */
  runPublishThen(
    message: BrokerMessage,
    client: ClientInfo | undefined,
    then: RunEnd<BrokerMessage | Refusal>,
  ): BrokerMessage | Refusal | Promise<BrokerMessage | Refusal> | typeof pending {
    const chain = this.chains.messagePublish
    if (chain.size === 0) return this.#sink(message, client)
    const folded = chain.foldThen({ client }, message, undefined, then)
    return folded === pending ? pending : this.#recheck(message, folded, client)
  }

  /** The rest of `runPublishThen` for what was `pending`. A promise only when something behind those hooks gives one. */
  settlePublish(
    original: BrokerMessage,
    changed: BrokerMessage | Refusal,
    client: ClientInfo | undefined,
  ): BrokerMessage | Refusal | Promise<BrokerMessage | Refusal> {
    return this.#recheck(original, changed, client)
  }

  /** Looks at what will really be routed: hooks may have made it something that this client must not publish. */
  #recheck(
    original: BrokerMessage,
    message: BrokerMessage | Refusal,
    client: ClientInfo | undefined,
  ): BrokerMessage | Refusal | Promise<BrokerMessage | Refusal> {
    if (message instanceof Refusal) return message
    if (message === original) return this.#sink(message, client)
    const { maxTopicLength, maxTopicLevels, maxPacketSize } = this.options
    const fault = topicNameError(message.topic, { maxLength: maxTopicLength, maxLevels: maxTopicLevels })
    if (fault !== undefined) return new Refusal('reject', fault.reasonCode, 'core', `after hooks: ${fault.message}`)
    if (maxPacketSize > 0 && message.payload.length > maxPacketSize) {
      return new Refusal(
        'reject',
        ReasonCode.PacketTooLarge,
        'core',
        'after hooks: the payload is larger than a packet may be',
      )
    }
    if (!message.needsRecheck || client === undefined) return this.#sink(message, client)
    const { mountpoint } = client
    const topic = message.topic.startsWith(mountpoint) ? message.topic.slice(mountpoint.length) : message.topic
    const request = { client, action: 'publish', topic, qos: message.qos, retain: message.retain } as const
    return after(this.access.authorize(request), (permission) =>
      permission.result === 'allow'
        ? this.#sink(message, client)
        : new Refusal('reject', ReasonCode.NotAuthorized, 'client.authorize'),
    )
  }

  #sink(
    message: BrokerMessage,
    client: ClientInfo | undefined,
  ): BrokerMessage | Refusal | Promise<BrokerMessage | Refusal> {
    const chain = this.chains.messagePublish
    return chain.sinkSize === 0 ? message : chain.sink({ client }, message)
  }

  /**
   * Hands a message to everybody who is to get it, but not to `publisher`: its acknowledgement comes first, and then its own copy.
   * Returns how many receivers there are, the publisher included; with `far` those of this process alone, see `total`.
   */
  route(message: BrokerMessage, routes: Routes, publisher?: PublisherRoute, far?: FarReceivers): number {
    const { peers } = this
    if (peers === undefined) return this.#route(message, routes, publisher)
    const before = peers.routing(message, far)
    const count = this.#route(message, routes, publisher)
    peers.routed(before)
    return count - (far?.routes ?? 0)
  }

  /** With the receivers at other processes, which are known when `Peers.taken` has settled. */
  total(message: BrokerMessage, count: number, far: FarReceivers | undefined): number {
    if (far === undefined || far.routes === 0) return count + (far?.receivers ?? 0)
    if (count + far.receivers === 0) this.dropMessage(message, 'no_subscribers')
    return count + far.receivers
  }

  #route(message: BrokerMessage, routes: Routes, publisher: PublisherRoute | undefined): number {
    const { counters } = this.metrics
    counters[M.MESSAGES_PUBLISH]++
    if (message.retain && this.options.retainAvailable && this.retained.keep(message))
      this.peers?.publishRetained(message)
    const { direct, shared } = routes
    for (let index = 0; index < direct.length; index++) {
      const route = direct[index]!
      if (publisher !== undefined && route.receiver === publisher.session) publisher.route = route
      else (route.receiver as DeliveryTarget).deliver(message, route)
    }
    let count = direct.length
    for (let index = 0; index < shared.length; index++) {
      if (this.deliverToGroup(message, shared[index]!)) count++
    }
    if (count === 0 && shared.length === 0) this.dropMessage(message, 'no_subscribers')
    return count
  }

  /** One member of the group gets it. false: the group is empty. */
  deliverToGroup(message: BrokerMessage, group: SharedGroup): boolean {
    const route = group.pick(message.from, message.topic)
    if (route === undefined) return false
    ;(route.receiver as DeliveryTarget).deliver(message, route, group)
    return true
  }

  dropMessage(
    message: BrokerMessage,
    reason: 'no_subscribers' | 'packet_identifier_inuse' | 'receive_maximum_exceeded',
  ): void {
    const { counters } = this.metrics
    if (message.headers.system !== true) {
      counters[M.MESSAGES_DROPPED]++
      if (reason === 'no_subscribers') counters[M.MESSAGES_DROPPED_NO_SUBSCRIBERS]++
      else if (reason === 'receive_maximum_exceeded') counters[M.MESSAGES_DROPPED_RECEIVE_MAXIMUM]++
    }
    if (this.chains.messageDropped.size !== 0) this.chains.messageDropped.notify({ message, reason })
  }

  // --- deliveries ----------------------------------------------------------------------------------------------------

  dropDelivery(client: ClientInfo, message: BrokerMessage, reason: string): void {
    const { counters } = this.metrics
    counters[M.DELIVERY_DROPPED]++
    if (reason === 'queue_full') counters[M.DELIVERY_DROPPED_QUEUE_FULL]++
    else if (reason === 'expired') counters[M.DELIVERY_DROPPED_EXPIRED]++
    else if (reason === 'no_local') counters[M.DELIVERY_DROPPED_NO_LOCAL]++
    else if (reason === 'qos0_msg') counters[M.DELIVERY_DROPPED_QOS0_MSG]++
    else if (reason === 'too_large') counters[M.DELIVERY_DROPPED_TOO_LARGE]++
    else counters[M.DELIVERY_DROPPED_HOOK]++
    if (this.chains.deliveryDropped.size !== 0) this.chains.deliveryDropped.notify({ client, message, reason })
  }

  completeDelivery(session: Session, message: BrokerMessage): void {
    this.metrics.counters[M.MESSAGES_DELIVERED]++
    if (this.chains.deliveryCompleted.size === 0) return
    this.chains.deliveryCompleted.notify({ client: session.client, message, sessionCreatedAt: session.createdAt })
  }

  acked(client: ClientInfo, message: BrokerMessage, properties: Properties): void {
    this.metrics.counters[M.MESSAGES_ACKED]++
    if (this.chains.messageAcked.size !== 0) this.chains.messageAcked.notify({ client, message, properties })
  }

  /** The subscriber answered with an error. Nothing is sent again; hooks may do something about it. */
  refusedDelivery(client: ClientInfo, message: BrokerMessage, reasonCode: number): void {
    if (this.chains.messageNack.size === 0) return
    const handled = this.chains.messageNack.fold({ client, message, reasonCode }, false)
    if (handled instanceof Promise) handled.catch((error) => this.reportBug(error))
  }

  // --- the rest --------------------------------------------------------------------------------------------------------

  /** Something that must not happen. The broker goes on; the log has what is needed to mend it. */
  reportBug(error: unknown): void {
    this.log.error('internal error', { error: error instanceof Error ? error.stack : String(error) })
  }

  #provideStats(): void {
    const { stats, sessions, router, peers } = this
    const subscriptions = (): number => router.subscriptionCount - (peers?.remoteSubscriptions ?? 0)
    const live = (): number => {
      let count = 0
      for (const channel of this.channels) if (channel.state === 'connected') count++
      return count
    }
    stats.provide('connections', () => sessions.size)
    stats.provide('live_connections', live)
    stats.provide('channels', () => this.channels.size)
    stats.provide('sessions', () => sessions.size)
    stats.provide('topics', () => router.topicCount)
    const shared = (): number => router.sharedSubscriptionCount - (peers?.remoteSharedSubscriptions ?? 0)
    stats.provide('subscribers', subscriptions)
    stats.provide('subscriptions', subscriptions)
    stats.provide('subscriptions.shared', shared)
    stats.provide('suboptions', subscriptions)
    stats.provide('routes', () => router.topicCount)
    stats.provide('retained', () => this.retained.store.count)
    stats.provide('store.queued', () => this.durable?.queued.messages ?? 0)
    stats.provide('store.queued_bytes', () => this.durable?.queued.bytes ?? 0)
    stats.provide('store.waiting', () => this.durable?.store.waitingBytes ?? 0)
    stats.provide('store.down', () => (this.durable?.store.problem === undefined ? 0 : 1))
  }
}
