import type {
  Announcement,
  Cluster,
  ClusterHost,
  ClusterMember,
  ForwardedMessage,
  Message,
  RetainedChange,
  SharedTarget,
  Tally,
} from '@hookmq/api'
import { parseShared } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import type { RouterObserver } from '../routing/router.ts'
import type { DeliveryTarget } from '../routing/target.ts'
import type { Receiver, Routes, SharedGroup, StoredOptions } from '../routing/types.ts'
import type { Session } from '../session/session.ts'
import { FarFrames } from './far-frames.ts'
import { isRemote, RemoteClient, RemoteMember, wholeMessage } from './remote.ts'
import { Stamps } from './stamps.ts'
import { Whole } from './whole.ts'

/** The broker as one member of a cluster: who else there is, what they want, and what comes from them. */
export class Peers implements ClusterHost, RouterObserver {
  readonly cluster: Cluster
  readonly whole: Whole
  /** Counts what was handed to other members: an acknowledgement of what has moved it has to wait, see `taken`. */
  handed = 0
  readonly #broker: Broker
  readonly #remotes = new Map<ClusterMember, RemoteMember>()
  /** How many of our own are subscribed to a filter without share prefix. */
  readonly #own = new Map<string, number>()
  #remoteSubscriptions = 0
  #remoteShared = 0
  readonly #stamps: Stamps
  readonly #frames: FarFrames
  /** A retained message that goes to every member anyway: not once more for its filters. */
  #toAll: BrokerMessage | undefined
  /** The message that is being routed, when somebody wants to know how many receivers it has. */
  #counting: Counting | undefined
  /** What earlier runs had taken of other members' messages. */
  #marks: ReadonlyMap<string, string> = new Map()
  /** Changes of the store when something was noted there last. */
  #markedAt = -1
  /** A message that came from another member goes to nobody but our own. */
  #arriving = false
  readonly #waiting = new Set<() => void>()
  readonly #joined: (() => void)[] = []
  /** Sessions and connections of each other member, as it said last. */
  readonly #counts = new Map<ClusterMember, Counts>()
  #telling = false

  constructor(broker: Broker, cluster: Cluster) {
    this.#broker = broker
    this.cluster = cluster
    this.#stamps = new Stamps(cluster.name)
    this.#frames = new FarFrames(broker)
    this.whole = new Whole(broker, this)
    // From the first subscription on, those that come back from the store included.
    broker.router.observer = this
  }

  get members(): readonly ClusterMember[] {
    return [...this.#remotes.keys()]
  }

  /** Subscriptions in the router that are not our own clients'. */
  get remoteSubscriptions(): number {
    return this.#remoteSubscriptions
  }

  get remoteSharedSubscriptions(): number {
    return this.#remoteShared
  }

  async start(): Promise<void> {
    const { durable } = this.#broker
    if (durable !== undefined) this.#marks = await durable.store.readMarks()
    await this.cluster.start(this)
  }

  stop(timeout: number): Promise<void> {
    return this.cluster.stop(timeout)
  }

  // --- our own subscriptions -----------------------------------------------------------------------------------------

  subscribed(filter: string, receiver: Receiver, options: StoredOptions, isNew: boolean): void {
    const shared = parseShared(filter) !== undefined
    if (isRemote(receiver)) {
      if (isNew) this.#remoteSubscriptions++
      if (isNew && shared) this.#remoteShared++
      return
    }
    if (shared) {
      this.handed++
      return this.cluster.announce({
        filter,
        member: { clientId: receiver.id, options, available: receiver.available },
      })
    }
    if (!isNew) return
    const count = this.#own.get(filter) ?? 0
    this.#own.set(filter, count + 1)
    // Also when others have it already: their announcement may still be on its way.
    this.handed++
    if (count === 0) this.cluster.announce({ filter })
  }

  unsubscribed(filter: string, receiver: Receiver): void {
    const shared = parseShared(filter) !== undefined
    if (isRemote(receiver)) {
      this.#remoteSubscriptions--
      if (shared) this.#remoteShared--
      return
    }
    if (shared) return this.cluster.withdraw(filter, receiver.id)
    const count = this.#own.get(filter) ?? 0
    if (count > 1) this.#own.set(filter, count - 1)
    else {
      this.#own.delete(filter)
      this.cluster.withdraw(filter)
    }
  }

  /** A session came to be able to take messages, or ceased to be: members of shared groups are chosen by that. */
  availability(session: Session): void {
    for (const [filter, options] of session.subscriptions) {
      if (parseShared(filter) === undefined) continue
      this.cluster.announce({ filter, member: { clientId: session.id, options, available: session.available } })
    }
  }

  /** Settles when the members know what was announced, and have what was forwarded, since `handed` was this. false: one of them may not have it. */
  taken(since: number): Promise<boolean> | undefined {
    return this.handed === since ? undefined : this.cluster.taken()
  }

  // --- to others -----------------------------------------------------------------------------------------------------

  forward(member: ClusterMember, message: BrokerMessage, to?: SharedTarget): void {
    const far = this.#counting?.message === message ? this.#counting.far : undefined
    if (far !== undefined) far.routes++
    if (to === undefined && (this.#arriving || this.#toAll === message)) return
    this.handed++
    this.#broker.metrics.counters[M.MESSAGES_FORWARD]++
    if (this.#broker.chains.messageObserved) message.id
    member.forward(message, to, far)
  }

  /**
   * From now on, receivers of `message` at other members are counted in `far`. Returns what is given to `routed` when it has been routed: hooks
   * may publish other messages meanwhile.
   */
  routing(message: BrokerMessage, far: FarReceivers | undefined): Counting | undefined {
    const before = this.#counting
    this.#counting = far === undefined ? undefined : { message, far }
    return before
  }

  /** A message with the retain flag is being routed: every member keeps it, and routes it. `routed` says that it has been routed here. */
  publishRetained(message: BrokerMessage): void {
    this.#toAll = message
    this.handed++
    const broker = this.#broker
    broker.metrics.counters[M.MESSAGES_FORWARD] += this.#remotes.size
    if (broker.chains.messageObserved) message.id
    const stamp = this.#stamps.make(message.topic, broker.clock.now())
    this.cluster.retain({ topic: message.topic, message, stamp, route: true }, this.#counting?.far)
  }

  routed(before: Counting | undefined): void {
    this.#toAll = undefined
    this.#counting = before
  }

  /** The store was changed by anything else: a plugin, a command. */
  storeChanged(topic: string | undefined, message: Message | undefined): void {
    this.handed++
    if (topic === undefined) return this.cluster.tell('retained.clear', undefined)
    const stamp = this.#stamps.make(topic, this.#broker.clock.now())
    this.cluster.retain({
      topic,
      message: message === undefined ? undefined : adopt({ ...message, seenId: message.id }),
      stamp,
      route: false,
    })
  }

  // --- sessions ------------------------------------------------------------------------------------------------------

  /** The other member that has the session of a client id, if there is one; undefined: it can only be here. */
  holder(clientId: string): ClusterMember | undefined {
    const owner = this.cluster.owner(clientId)
    return this.members.find(({ name }) => name === owner)
  }

  /** Limits hold for all members together: sessions and connections elsewhere, as of a moment ago. */
  elsewhere(what: keyof Counts): number {
    let sum = 0
    for (const counts of this.#counts.values()) sum += counts[what]
    return sum
  }

  /** Sessions or connections came or went: told once per turn of the event loop. */
  counted(): void {
    if (this.#telling) return
    this.#telling = true
    setImmediate(this.#tellCounts)
  }

  readonly #tellCounts = (): void => {
    this.#telling = false
    const counts: Counts = { sessions: this.#broker.sessions.size, connections: this.#broker.channels.size }
    this.cluster.tell('counts', counts)
  }

  /** Calls back for each member that joins: it gets what is told from then on. */
  onJoined(joined: () => void): void {
    this.#joined.push(joined)
  }

  /** Runs `go` when the members have room again. */
  whenRelieved(go: () => void): void {
    this.#waiting.add(go)
  }

  // --- from others ---------------------------------------------------------------------------------------------------

  joined(member: ClusterMember): void {
    this.#remotes.set(member, this.#remotes.get(member) ?? new RemoteMember(this, member))
    this.#broker.log.info('member joined', { member: member.name })
    for (const joined of this.#joined) joined()
    this.counted()
  }

  left(member: ClusterMember): void {
    this.#broker.log.info('member left', { member: member.name })
  }

  forgotten(member: ClusterMember): void {
    const remote = this.#remotes.get(member)
    if (remote === undefined) return
    for (const filter of remote.filters) this.#broker.router.unsubscribe(filter, remote)
    remote.filters.clear()
    for (const client of remote.clients.values()) {
      for (const filter of client.filters) this.#broker.router.unsubscribe(filter, client)
    }
    remote.clients.clear()
    this.#counts.delete(member)
    this.whole.forget(member)
  }

  announced(from: ClusterMember, { filter, member }: Announcement): void {
    const remote = this.#remotes.get(from)
    if (remote === undefined) return
    if (member === undefined) {
      remote.filters.add(filter)
      this.#broker.router.subscribe(filter, remote, wholeMessage)
      return
    }
    let client = remote.clients.get(member.clientId)
    if (client === undefined) {
      client = new RemoteClient(this, from, member.clientId)
      remote.clients.set(member.clientId, client)
    }
    client.ready = member.available
    client.filters.add(filter)
    this.#broker.router.subscribe(filter, client, member.options)
  }

  withdrawn(from: ClusterMember, filter: string, clientId?: string): void {
    const remote = this.#remotes.get(from)
    if (remote === undefined) return
    if (clientId === undefined) {
      remote.filters.delete(filter)
      this.#broker.router.unsubscribe(filter, remote)
      return
    }
    const client = remote.clients.get(clientId)
    if (client === undefined) return
    client.filters.delete(filter)
    this.#broker.router.unsubscribe(filter, client)
    if (client.filters.size === 0) remote.clients.delete(clientId)
  }

  received(_member: ClusterMember, forwarded: ForwardedMessage, to?: SharedTarget): number {
    const message = adopt(forwarded)
    try {
      if (to !== undefined) return this.#deliverTo(message, to)
      return this.#deliver(message, this.#broker.router.match(message.topic))
    } catch (error) {
      this.#broker.reportBug(error)
      return 0
    }
  }

  receivedFrame(_member: ClusterMember, frame: Buffer, start: number, end: number, version: 4 | 5, from: string): void {
    try {
      const rest = this.#frames.deliver(frame, start, end, version, from)
      if (rest !== undefined) this.#deliver(rest, this.#broker.router.match(rest.topic))
    } catch (error) {
      this.#broker.reportBug(error)
    }
  }

  /** To our own; members of shared groups were chosen by the member that the publisher is at. Returns their number. */
  #deliver(message: BrokerMessage, { direct }: Routes): number {
    let count = 0
    this.#arriving = true
    try {
      for (let index = 0; index < direct.length; index++) {
        const route = direct[index]
        ;(route.receiver as DeliveryTarget).deliver(message, route)
        if (!isRemote(route.receiver)) count++
      }
    } finally {
      this.#arriving = false
    }
    return count
  }

  #deliverTo(message: BrokerMessage, { filter, clientId }: SharedTarget): number {
    const share = parseShared(filter)
    if (share === undefined) return 0
    for (const group of this.#broker.router.match(message.topic).shared) {
      if (`${group.prefix}/${group.filter}` !== filter) continue
      const route = group.member(clientId)
      if (route !== undefined && !isRemote(route.receiver)) {
        ;(route.receiver as DeliveryTarget).deliver(message, route, group as SharedGroup)
        return 1
      }
      // It has left the group meanwhile: another one gets it.
      return this.#broker.deliverToGroup(message, group) ? 1 : 0
    }
    return 0
  }

  retained(member: ClusterMember, { topic, message, stamp, route }: RetainedChange): number {
    const broker = this.#broker
    try {
      const taken = this.#stamps.accept(topic, stamp, member.name, broker.clock.now())
      if (taken) broker.retained.replicate(topic, message === undefined ? undefined : adopt(message))
      if (route && message !== undefined) {
        const adopted = adopt(message)
        return this.#deliver(adopted, broker.router.match(topic))
      }
    } catch (error) {
      broker.reportBug(error)
    }
    return 0
  }

  retainedMessages(): Iterator<Message | undefined> {
    return this.#broker.retained.store.all()
  }

  requested(_member: ClusterMember, subject: string, value: unknown): unknown {
    return this.whole.answer(subject, value)
  }

  told(member: ClusterMember, subject: string, value: unknown): void {
    try {
      if (subject === 'counts') this.#counts.set(member, value as Counts)
      else if (subject === 'retained.clear') this.#broker.retained.store.wipe()
      else this.whole.told(subject, value)
    } catch (error) {
      this.#broker.reportBug(error)
    }
  }

  reached(member: ClusterMember, position: string): void {
    const { durable } = this.#broker
    // Where nothing is stored, nothing comes twice after a crash.
    if (durable === undefined || durable.store.changes === this.#markedAt) return
    durable.store.putMark(this.#markOf(member), position)
    this.#markedAt = durable.store.changes
  }

  position(member: ClusterMember): string | undefined {
    return this.#marks.get(this.#markOf(member))
  }

  #markOf({ name }: ClusterMember): string {
    return `${this.cluster.name} from ${name}`
  }

  settled(): Promise<void> | undefined {
    return this.#broker.durable?.pending()
  }

  relieved(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const go of waiting) go()
  }
}

/** How many receivers of a message are elsewhere. */
export class FarReceivers implements Tally {
  /** Known when `Cluster.taken` has settled. */
  receivers = 0
  /** Routes that lead to other members: each stands for any number of receivers. */
  routes = 0
  /** `Peers.handed` before the message was routed. */
  readonly since: number

  constructor({ handed }: Peers) {
    this.since = handed
  }
}

interface Counting {
  readonly message: BrokerMessage
  readonly far: FarReceivers
}

interface Counts {
  readonly sessions: number
  readonly connections: number
}

function adopt(message: ForwardedMessage): BrokerMessage {
  const { topic, payload, qos, retain, dup, from, timestamp, properties, headers, seenId } = message
  return new BrokerMessage(topic, payload, qos, retain, dup, from, timestamp, properties, headers, seenId)
}
