import type {
  ChainView,
  ClientView,
  Explanation,
  ListenerView,
  ProviderView,
  SubscriptionView,
  TopicSubscription,
} from '@hookmq/api'
import { topicFilterError } from '@hookmq/mqtt'
import { explain } from './access/explain.ts'
import type { LogControl } from './admin.ts'
import type { Broker } from './broker.ts'
import { subscribeOnBehalf } from './channel/subscribe-on-behalf.ts'
import * as M from './metrics/index.ts'
import type { StoredOptions } from './routing/types.ts'
import type { Session } from './session/session.ts'

/** What operators see of this process, and can do to it. */
export class OwnAdmin {
  readonly #broker: Broker
  readonly #settings: { readonly log: LogControl | undefined }

  constructor(broker: Broker, settings: { readonly log: LogControl | undefined }) {
    this.#broker = broker
    this.#settings = settings
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
    for (const session of this.#broker.sessions.subscribed()) {
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

  listeners(): readonly ListenerView[] {
    return this.#broker.listeners.views()
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

  hooks(): readonly ChainView[] {
    const { plugins, hooks } = this.#broker
    const placements = new Map(plugins.list().map(({ plugin, placement }) => [plugin.name, placement]))
    return hooks.describe().map((chain) => ({
      ...chain,
      hooks: chain.hooks.map((hook) => ({ ...hook, placement: placements.get(hook.owner) ?? 'in-process' })),
    }))
  }

  providers(): readonly ProviderView[] {
    return this.#broker.hooks.providers.list().map(({ name, status, error, breaker, counters, numbers, hooks }) => ({
      name,
      status,
      error: error === undefined ? undefined : error instanceof Error ? error.message : String(error),
      breaker,
      counters,
      numbers,
      hooks,
    }))
  }

  waitingHooks() {
    return this.#broker.hooks.waiting()
  }

  metrics(): Record<string, number> {
    const { metrics, peers } = this.#broker
    if (peers !== undefined) metrics.counters[M.MESSAGES_FORWARD_DROPPED] = peers.cluster.counters().dropped ?? 0
    return metrics.snapshot()
  }

  stats(): Record<string, number> {
    return this.#broker.stats.snapshot()
  }

  setLog({ handler, level, running }: { level?: string; handler?: string; running?: boolean }): void {
    const { log } = this.#settings
    if (handler !== undefined) log?.setHandler(handler, { level, running })
    else if (log !== undefined && level !== undefined) log.level = level
  }
}
