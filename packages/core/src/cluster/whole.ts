import type {
  AdminScope,
  Alarm,
  BrokerAdmin,
  ChainView,
  ClientView,
  ClusterMember,
  Explanation,
  ListenerView,
  MemberAnswer,
  PluginOutcome,
  ProviderView,
  SubscriptionView,
  TopicSubscription,
} from '@hookmq/api'
import type { Broker } from '../broker.ts'
import type { StoredOptions } from '../routing/types.ts'
import type { Peers } from './peers.ts'
import { sumHooks } from './sum-hooks.ts'
import { sumProviders } from './sum-providers.ts'

/** What a member told of itself. */
interface MemberView {
  readonly clients: ReadonlyMap<string, ClientView>
  readonly subscriptions: readonly SubscriptionView[]
  readonly stats: Readonly<Record<string, number>>
  readonly metrics: Readonly<Record<string, number>>
  readonly listeners: readonly ListenerView[]
  readonly hooks: readonly ChainView[]
  readonly providers: readonly ProviderView[]
  readonly waiting: readonly WaitingCall[]
  readonly alarms: readonly Alarm[]
  /** Those that are over. */
  readonly pastAlarms: readonly Alarm[]
}

type WaitingCall = ReturnType<BrokerAdmin['waitingHooks']>[number]
type Counted = Omit<MemberView, 'clients' | 'subscriptions'>

/** Gauges of which every member has all: adding them up would count twice. */
const sharedStats = new Set(['topics', 'routes', 'retained'])

/** What is asked of other members, by subject. */
interface Requests {
  readonly 'plugin.load': string
  readonly 'plugin.unload': string
  readonly 'plugin.reload': string
  readonly 'listener.start': string
  readonly 'listener.stop': string
  readonly 'access.reload': undefined
}

/** The other members as operators see them: as they were when somebody last asked, and what can be done to them. */
export class Whole {
  readonly #broker: Broker
  readonly #peers: Peers
  readonly #views = new Map<ClusterMember, MemberView>()
  readonly #refreshing = new Map<AdminScope, Promise<void>>()

  constructor(broker: Broker, peers: Peers) {
    this.#broker = broker
    this.#peers = peers
  }

  forget(member: ClusterMember): void {
    this.#views.delete(member)
  }

  /** Asks every member that is there. One that does not answer is shown as it was. */
  refresh(scope: AdminScope): Promise<void> {
    const running = this.#refreshing.get(scope)
    if (running !== undefined) return running
    const work = Promise.all(this.#peers.members.map((member) => this.#ask(member, scope))).then(() => {
      this.#refreshing.delete(scope)
    })
    this.#refreshing.set(scope, work)
    return work
  }

  async #ask(member: ClusterMember, scope: AdminScope): Promise<void> {
    if (!member.connected) return
    try {
      const answer = (await member.request(`views.${scope}`, undefined)) as Counted & Partial<MemberView>
      const before = this.#views.get(member)
      this.#views.set(member, {
        ...answer,
        clients: answer.clients ?? before?.clients ?? new Map(),
        subscriptions: answer.subscriptions ?? before?.subscriptions ?? [],
      })
    } catch (error) {
      this.#broker.log.warn('a member does not say what it has', {
        member: member.name,
        error: error instanceof Error ? error.message : String(error),
      })
    }
  }

  *clients(): IterableIterator<ClientView> {
    for (const { clients } of this.#views.values()) yield* clients.values()
  }

  client(clientId: string): ClientView | undefined {
    for (const { clients } of this.#views.values()) {
      const found = clients.get(clientId)
      if (found !== undefined) return found
    }
    return undefined
  }

  *subscriptions(): IterableIterator<SubscriptionView> {
    for (const { subscriptions } of this.#views.values()) yield* subscriptions
  }

  /** Numbers of one member with those of the others. */
  sum(kind: 'stats' | 'metrics', own: Record<string, number>): Record<string, number> {
    const total = { ...own }
    for (const view of this.#views.values()) {
      for (const [name, value] of Object.entries(view[kind])) {
        const shared = kind === 'stats' && sharedStats.has(name.slice(0, name.lastIndexOf('.')))
        total[name] = shared ? Math.max(total[name] ?? 0, value) : (total[name] ?? 0) + value
      }
    }
    return total
  }

  /** The same listeners run in every member, on one port: shown once. */
  listeners(own: readonly ListenerView[]): ListenerView[] {
    const others = [...this.#views.values()].flatMap(({ listeners }) => listeners)
    return own.map((listener) => {
      const same = others.filter(({ id }) => id === listener.id)
      const shutdownCount: Record<string, number> = { ...listener.shutdownCount }
      for (const other of same) {
        for (const [cause, count] of Object.entries(other.shutdownCount)) {
          shutdownCount[cause] = (shutdownCount[cause] ?? 0) + count
        }
      }
      const currentConnections = same.reduce(
        (sum, other) => sum + other.currentConnections,
        listener.currentConnections,
      )
      return { ...listener, currentConnections, shutdownCount }
    })
  }

  hooks(own: readonly ChainView[]): ChainView[] {
    return sumHooks(
      own,
      [...this.#views.values()].map(({ hooks }) => hooks),
    )
  }

  providers(own: readonly ProviderView[]): ProviderView[] {
    return sumProviders(
      own,
      [...this.#views.values()].map(({ providers }) => providers),
    )
  }

  /** The longest first. */
  waiting(own: readonly WaitingCall[]): WaitingCall[] {
    const others = [...this.#views.values()].flatMap(({ waiting }) => waiting)
    return [...own, ...others].sort((one, other) => one.since - other.since)
  }

  /** The latest first. */
  alarms(own: readonly Alarm[], active: boolean): Alarm[] {
    const others = [...this.#views.values()].flatMap(({ alarms, pastAlarms }) => (active ? alarms : pastAlarms))
    const time = ({ activatedAt, deactivatedAt = activatedAt }: Alarm): number => deactivatedAt
    return [...own, ...others].sort((one, other) => time(other) - time(one))
  }

  // --- what is done to others ----------------------------------------------------------------------------------------

  /** Ends a session of another member. Resolves to whether it was there. */
  async kick(clientId: string): Promise<boolean> {
    return (await this.#peers.holder(clientId)?.request('session.kick', clientId)) === true
  }

  subscribe(clientId: string, filter: string, options: Partial<StoredOptions>): void {
    this.#peers.cluster.tell('session.subscribe', { clientId, filter, options })
  }

  unsubscribe(clientId: string, filter: string): void {
    this.#peers.cluster.tell('session.unsubscribe', { clientId, filter })
  }

  cleanAclCache(clientId: string | undefined): void {
    this.#peers.cluster.tell('access.clean', clientId)
  }

  forgetAlarms(): void {
    for (const [member, view] of this.#views) this.#views.set(member, { ...view, pastAlarms: [] })
    this.#peers.cluster.tell('alarms.forget', undefined)
  }

  setLog(change: { readonly level?: string; readonly handler?: string; readonly running?: boolean }): void {
    this.#peers.cluster.tell('log', change)
  }

  async subscribeOnBehalf(
    clientId: string,
    subscriptions: readonly TopicSubscription[],
  ): Promise<readonly string[] | undefined> {
    const answer = await this.#holder(clientId)?.request('session.subscribeOnBehalf', { clientId, subscriptions })
    return answer as readonly string[] | undefined
  }

  explain(clientId: string, action: 'publish' | 'subscribe', topic: string): Promise<Explanation> | undefined {
    const holder = this.#holder(clientId)
    return holder?.request('explain', { clientId, action, topic }) as Promise<Explanation> | undefined
  }

  /** Those that do not answer are left out. */
  async askPlugin(plugin: string, value: unknown): Promise<MemberAnswer[]> {
    const answers = await Promise.all(
      this.#peers.members.map(async (member): Promise<MemberAnswer | undefined> => {
        try {
          return { member: member.name, answer: await member.request('plugin', { plugin, value }) }
        } catch (error) {
          const fields = { plugin, member: member.name, error: error instanceof Error ? error.message : String(error) }
          this.#broker.log.warn('a plugin does not answer in another process', fields)
          return undefined
        }
      }),
    )
    return answers.filter((answer) => answer !== undefined)
  }

  #holder(clientId: string): ClusterMember | undefined {
    for (const [member, { clients }] of this.#views) if (clients.has(clientId)) return member
    const owner = this.#peers.cluster.owner(clientId)
    return this.#peers.members.find(({ name }) => name === owner)
  }

  /** Has all other members do the same. Resolves to what went wrong. */
  async everywhere<S extends keyof Requests>(subject: S, value: Requests[S]): Promise<string | undefined> {
    const problems = await Promise.all(
      this.#peers.members.map(async (member) => {
        try {
          const outcome = (await member.request(subject, value)) as PluginOutcome | undefined
          return outcome?.ok === false ? `${member.name}: ${outcome.error}` : undefined
        } catch (error) {
          return `${member.name}: ${error instanceof Error ? error.message : String(error)}`
        }
      }),
    )
    return problems.find((problem) => problem !== undefined)
  }

  // --- what others ask -----------------------------------------------------------------------------------------------

  answer(subject: string, value: unknown): unknown {
    const { admin } = this.#broker
    const own = admin.own
    switch (subject) {
      case 'views.counters':
        return this.#counted()
      case 'views.everything':
        return {
          ...this.#counted(),
          clients: new Map([...own.clients()].map((view) => [view.client.clientId, view])),
          subscriptions: [...own.subscriptions()],
        }
      case 'session.kick':
        return admin.kick(String(value))
      case 'session.subscribeOnBehalf': {
        const { clientId, subscriptions } = value as { clientId: string; subscriptions: TopicSubscription[] }
        return own.subscribeOnBehalf(clientId, subscriptions)
      }
      case 'explain': {
        const { clientId, action, topic } = value as { clientId: string; action: 'publish'; topic: string }
        return own.explain(clientId, action, topic)
      }
      case 'plugin.load':
        return admin.operations?.loadPlugin(String(value))
      case 'plugin.unload':
        return admin.operations?.unloadPlugin(String(value))
      case 'plugin.reload':
        return admin.operations?.reloadPlugin(String(value))
      case 'listener.start':
        return this.#broker.listeners.start(String(value))
      case 'listener.stop':
        return this.#broker.listeners.stop(String(value))
      case 'access.reload':
        return this.#broker.access.reload()
      case 'plugin': {
        const asked = value as { plugin: string; value: unknown }
        return this.#broker.plugins.asked(asked.plugin, asked.value)
      }
    }
    throw new Error(`nobody answers '${subject}'`)
  }

  #counted(): Counted {
    const { alarms, admin } = this.#broker
    const { own } = admin
    return {
      stats: own.stats(),
      metrics: own.metrics(),
      listeners: own.listeners(),
      hooks: own.hooks(),
      providers: own.providers(),
      waiting: own.waitingHooks(),
      alarms: alarms.list(true),
      pastAlarms: alarms.list(false),
    }
  }

  told(subject: string, value: unknown): void {
    const { own } = this.#broker.admin
    switch (subject) {
      case 'session.subscribe': {
        const { clientId, filter, options } = value as { clientId: string; filter: string; options: StoredOptions }
        own.subscribe(clientId, filter, options)
        return
      }
      case 'session.unsubscribe': {
        const { clientId, filter } = value as { clientId: string; filter: string }
        own.unsubscribe(clientId, filter)
        return
      }
      case 'access.clean':
        own.cleanAclCache(value as string | undefined)
        return
      case 'alarms.forget':
        this.#broker.alarms.forget()
        return
      case 'log':
        own.setLog(value as { level?: string; handler?: string; running?: boolean })
        return
      case 'plugin': {
        const { plugin, value: told } = value as { plugin: string; value: unknown }
        this.#broker.plugins.told(plugin, told)
      }
    }
  }
}
