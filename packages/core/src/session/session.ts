import type { ClientInfo, SessionInfo, StoredSession } from '@hookmq/api'
import type { Properties, QoS } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import type { Channel } from '../channel/channel.ts'
import type { Undecided } from '../channel/undecided.ts'
import type { Counts } from '../durable/dormant.ts'
import type { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import { commonOptions } from '../routing/common-options.ts'
import type { DeliveryTarget } from '../routing/target.ts'
import type { Route, SharedGroup, StoredOptions } from '../routing/types.ts'
import { effectiveQos } from './delivery.ts'
import { Outgoing } from './outgoing.ts'
import { type RetainedReplay, retainedFor } from './replay.ts'
import { Stored } from './stored.ts'
import type { PendingWill } from './will.ts'

const noSubscriptions: ReadonlyMap<string, StoredOptions> = new Map()

/**
 * What the broker keeps for one client id, also while it is not connected. Fields that an idle client does not need are
 * made when they are first used: a broker holds many idle clients.
 */
export class Session implements DeliveryTarget {
  readonly id: string
  createdAt: number
  readonly broker: Broker
  /** Seconds; 0 = ends with the connection; 0xFFFFFFFF = never ends. */
  expiryInterval: number
  /** When its last connection ended, milliseconds since the epoch; undefined before. */
  detachedAt: number | undefined
  /** Its connection, if it has one. */
  channel: Channel | undefined
  /** The connection has its CONNACK: messages may be sent. */
  active = false
  /** Published when its delay has passed or the session ends, unless the client comes back before. */
  pendingWill: PendingWill | undefined
  /** Cancels the end of this session that is planned while it is detached. */
  cancelExpiry: (() => void) | undefined
  /** QoS 2 packet identifiers of the client that wait for PUBREL, with the time of their PUBLISH. */
  awaitingRel: Map<number, number> | undefined
  /** Those whose PUBLISH waits for hooks. */
  undecided: Map<number, Undecided> | undefined
  /** Those whose messages other processes have not taken yet; false: one of them may have lost it. */
  forwarding: Map<number, Promise<boolean>> | undefined
  /** Its connection has found it here: what the client sends again may be done already. */
  resumed = false
  /** Its number in the store; 0: it ends with the broker. */
  number = 0
  /** All but its subscriptions is in the store only. */
  asleep = false
  /** Who its client is, and when it ends, is known: not so for one of an earlier run that nobody has asked for yet. */
  recalled = true
  /** It is no session any more. */
  over = false
  #client: ClientInfo | undefined
  #subscriptions: Map<string, StoredOptions> | undefined
  /** Filter, options, filter, options …: of an earlier run, and not looked at yet. A million maps would take much more. */
  #resubscribed: (string | StoredOptions)[] | undefined
  #out: Outgoing | undefined
  #replays: RetainedReplay[] | undefined
  /** Who waits for CONNACK. */
  #awaitingActive: (() => void)[] | undefined

  /** `client` undefined: nobody has read from the store yet who it was. */
  constructor(broker: Broker, id: string, client: ClientInfo | undefined, expiryInterval: number, now: number) {
    this.broker = broker
    this.id = id
    this.#client = client
    this.expiryInterval = expiryInterval
    this.createdAt = now
  }

  /** Of the last connection. */
  get client(): ClientInfo {
    this.#client ??= unknownClient(this.id)
    return this.#client
  }

  set client(client: ClientInfo) {
    this.#client = client
  }

  get persistent(): boolean {
    return this.expiryInterval > 0
  }

  /** Can take a message now: shared groups ask. */
  get available(): boolean {
    return this.active && this.channel !== undefined && !this.channel.congested
  }

  get subscriptions(): ReadonlyMap<string, StoredOptions> {
    if (this.#resubscribed !== undefined) this.#unpack(this.#resubscribed)
    return this.#subscriptions ?? noSubscriptions
  }

  #unpack(resubscribed: readonly (string | StoredOptions)[]): void {
    this.#resubscribed = undefined
    this.#subscriptions = new Map()
    for (let index = 0; index < resubscribed.length; index += 2)
      this.#subscriptions.set(resubscribed[index] as string, resubscribed[index + 1] as StoredOptions)
  }

  get inflightCount(): number {
    const out = this.#out
    return out === undefined ? 0 : out.inflight.size + (out.stored?.sleepingInflight ?? 0)
  }

  get queueLength(): number {
    const out = this.#out
    return out === undefined ? 0 : out.queue.length + (out.stored?.behindLength ?? 0)
  }

  /** Messages that fit into the queue without another being dropped for them. */
  get queueRoom(): number {
    const { maxQueueLength } = this.broker.options
    return maxQueueLength === 0 ? 0xffff : Math.max(0, maxQueueLength - this.queueLength)
  }

  get queueDropped(): number {
    return this.#out?.queue.dropped ?? 0
  }

  /** A retained message could be sent at once. */
  get hasRoom(): boolean {
    return this.active && this.channel !== undefined && this.#outgoing().hasRoom
  }

  /** No message waits: one that comes in now may be sent at once, QoS 0 even without making a message of it. */
  get idle(): boolean {
    return this.active && (this.#out === undefined || this.#out.idle)
  }

  info(): SessionInfo {
    return {
      clientId: this.id,
      createdAt: this.createdAt,
      persistent: this.persistent,
      expiryInterval: this.expiryInterval,
      subscriptions: this.subscriptions,
      inflight: this.inflightCount,
      queued: this.queueLength,
      awaitingRel: this.awaitingRel?.size ?? 0,
    }
  }

  // --- subscriptions -------------------------------------------------------------------------------------------

  /** Returns whether the filter is new to this session. */
  subscribe(filter: string, options: StoredOptions): boolean {
    const isNew = !this.subscriptions.has(filter)
    this.#subscriptions ??= new Map()
    this.#subscriptions.set(filter, commonOptions(options))
    this.broker.router.subscribe(filter, this, options)
    if (this.number !== 0) {
      this.broker.durable?.store.putSubscription(
        this.number,
        filter,
        bitsOf(options),
        options.subscriptionIdentifier ?? 0,
      )
    }
    return isNew
  }

  /** A subscription of an earlier run of the broker. */
  resubscribe(filter: string, options: StoredOptions): void {
    // Made with its two elements: an array that grows makes room for sixteen.
    if (this.#resubscribed === undefined) this.#resubscribed = [filter, commonOptions(options)]
    else this.#resubscribed.push(filter, commonOptions(options))
    this.broker.router.subscribe(filter, this, options)
  }

  unsubscribe(filter: string): StoredOptions | undefined {
    const options = this.subscriptions.get(filter)
    if (options === undefined) return undefined
    this.#subscriptions?.delete(filter)
    this.broker.router.unsubscribe(filter, this)
    if (this.number !== 0) this.broker.durable?.store.deleteSubscription(this.number, filter)
    this.#replays = this.#replays?.filter((replay) => {
      if (replay.filter === filter) replay.cancel()
      return !replay.done
    })
    return options
  }

  /** Takes all its subscriptions out of the router; the session itself is over. */
  close(): void {
    for (const filter of this.subscriptions.keys()) this.broker.router.unsubscribe(filter, this)
    this.#subscriptions = undefined
    for (const replay of this.#replays ?? []) replay.cancel()
    this.#replays = undefined
    this.over = true
    this.#handOver()
    this.cancelExpiry?.()
    this.cancelExpiry = undefined
  }

  /**
   * What this session got for a shared group and did not finish goes to another member. Not QoS 2 that was sent: nobody
   * else may get that. [MQTT-4.8.2-5]
   */
  #handOver(): void {
    const out = this.#out
    this.#out = undefined
    if (out === undefined) return
    out.stored?.leave()
    for (const entry of out.inflight.values()) {
      if (entry.group !== undefined && entry.qos === 1) this.broker.deliverToGroup(entry.message, entry.group)
    }
    for (let delivery = out.queue.shift(); delivery !== undefined; delivery = out.queue.shift()) {
      if (delivery.group !== undefined) this.broker.deliverToGroup(delivery.message, delivery.group)
    }
  }

  /**
   * Subscribes on the client's behalf: no access control and no SUBACK, but the hooks are told and retained messages follow.
   * Returns whether the filter is new.
   */
  subscribeFor(options: StoredOptions, filter: string): boolean {
    const isNew = this.subscribe(filter, options)
    this.broker.chains.sessionSubscribed.notify({ client: this.client, topic: filter, options, isNew })
    this.replay(retainedFor(this, filter, options, isNew))
    return isNew
  }

  replay(replay: RetainedReplay | undefined): void {
    if (replay === undefined) return
    // The same subscription once more begins anew: what is left of the first round would come twice.
    for (const earlier of this.#replays ?? []) if (earlier.filter === replay.filter) earlier.cancel()
    this.#replays = (this.#replays ?? []).filter(({ done }) => !done)
    this.#replays.push(replay)
    replay.pump()
  }

  // --- messages to the client ----------------------------------------------------------------------------------

  /** Takes a routed message; `group`: the shared group that this session was chosen from. */
  deliver(message: BrokerMessage, route: Route, group?: SharedGroup): void {
    const options = this.broker.options
    // [MQTT-3.8.3-3]
    if ((route.noLocal || options.ignoreLoopDeliver) && message.from === this.id) {
      return this.broker.dropDelivery(this.client, message, 'no_local')
    }
    const qos = effectiveQos(message.qos, route.qos, options.upgradeQos)
    // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    const retain = message.retain && route.retainAsPublished
    this.#outgoing().take({
      message,
      qos,
      retain,
      subscriptionIdentifiers: route.subscriptionIdentifiers,
      group,
      sequence: this.#sequence(qos),
    })
  }

  /** What survives the broker has a number. */
  #sequence(qos: QoS): number {
    return qos === 0 || this.number === 0 ? 0 : (this.broker.durable?.nextNumber() ?? 0)
  }

  #outgoing(): Outgoing {
    if (this.#out === undefined) {
      this.#out = new Outgoing(this)
      const { durable } = this.broker
      if (this.number !== 0 && durable !== undefined) {
        this.#out.stored = new Stored(this, this.#out, durable, this.asleep)
      }
    }
    return this.#out
  }

  /** What sends retained messages to the connection, when none of them has to wait or be asked about. */
  get clearWay(): Outgoing | undefined {
    if (!this.active || this.channel === undefined) return undefined
    const out = this.#outgoing()
    return out.clear ? out : undefined
  }

  /** Takes a stored retained message. [MQTT-3.3.1-8 v3.1.1] */
  deliverRetained(message: BrokerMessage, qos: QoS, subscriptionIdentifiers: readonly number[] | undefined): void {
    const granted = effectiveQos(message.qos, qos, this.broker.options.upgradeQos)
    this.#outgoing().take({
      message,
      qos: granted,
      retain: true,
      subscriptionIdentifiers,
      group: undefined,
      sequence: this.#sequence(granted),
    })
  }

  /** Sends what waits, as far as the client's window and socket allow. */
  pump(): void {
    this.#out?.pump()
    if (this.#replays !== undefined && this.hasRoom) {
      let done = false
      for (const replay of this.#replays) {
        replay.pump()
        done ||= replay.done
      }
      // Not at each acknowledgement.
      if (done) this.#forgetReplays()
    }
  }

  #forgetReplays(): void {
    const replays = this.#replays?.filter((replay) => !replay.done)
    this.#replays = replays?.length === 0 ? undefined : replays
  }

  // --- acknowledgements from the client --------------------------------------------------------------------------

  puback(packetId: number, reasonCode: number, properties: Properties): boolean {
    return this.#out?.puback(packetId, reasonCode, properties) ?? false
  }

  pubrec(packetId: number, reasonCode: number, properties: Properties): 'known' | 'unknown' | 'refused' {
    return this.#out?.pubrec(packetId, reasonCode, properties) ?? 'unknown'
  }

  pubcomp(packetId: number): boolean {
    return this.#out?.pubcomp(packetId) ?? false
  }

  // --- connections come and go -------------------------------------------------------------------------------------

  attach(channel: Channel, client: ClientInfo): void {
    this.channel = channel
    this.client = client
    this.active = false
    this.cancelExpiry?.()
    this.cancelExpiry = undefined
  }

  /** CONNACK is on its way: send again what was not finished, then what waits. [MQTT-4.4.0-1] */
  activate(): void {
    this.active = true
    this.broker.peers?.availability(this)
    this.pump()
    const waiting = this.#awaitingActive
    this.#awaitingActive = undefined
    for (const go of waiting ?? []) go()
  }

  /** Resolves when its connection has the CONNACK, or at once when it has none, or no connection any more. */
  settled(): undefined | Promise<void> {
    if (this.channel === undefined || this.active) return undefined
    return new Promise((resolve) => {
      this.#awaitingActive ??= []
      this.#awaitingActive.push(resolve)
    })
  }

  detach(): void {
    this.channel = undefined
    this.detachedAt = this.broker.clock.now()
    this.active = false
    this.broker.peers?.availability(this)
    const waiting = this.#awaitingActive
    this.#awaitingActive = undefined
    for (const go of waiting ?? []) go()
    this.#out?.detach()
    for (const replay of this.#replays ?? []) {
      if (this.persistent) replay.flushToQueue()
      replay.cancel()
    }
    this.#replays = undefined
  }

  // --- in the store ------------------------------------------------------------------------------------------------

  /** Of an earlier run: what of its messages the store has. */
  stored(counts: Counts): void {
    if (counts.waiting > 0 || counts.inflight > 0) this.#outgoing().stored?.left(counts)
  }

  /** The client is away: what is in the store needs no memory. */
  sleep(): void {
    if (this.number === 0 || this.asleep) return
    this.#outgoing().stored?.sleep()
    this.asleep = true
  }

  /** What the store has of it is in memory again, as far as a connection needs it. */
  wake(stored: StoredSession): void {
    if (!this.asleep) return
    const { awaiting, inflight, queued, queuedBytes } = stored
    this.#outgoing().stored?.wake(inflight, queued, queuedBytes)
    this.asleep = false
    for (const [packetId, since] of awaiting) {
      this.awaitingRel ??= new Map()
      if (!this.awaitingRel.has(packetId)) this.awaitingRel.set(packetId, since)
    }
  }

  /** A QoS 2 message of the client was accepted: its identifier is taken until PUBREL, also after a crash. */
  keepAwaiting(packetId: number): void {
    const since = this.awaitingRel?.get(packetId)
    if (this.number === 0 || this.over || since === undefined) return
    this.broker.durable?.store.putAwaiting(this.number, packetId, since)
  }

  /** PUBREL. false: nothing waits under this identifier. */
  release(packetId: number): boolean {
    if (this.awaitingRel?.delete(packetId) !== true) return false
    if (this.number !== 0) this.broker.durable?.store.deleteAwaiting(this.number, packetId)
    return true
  }

  /** PUBLISHes of QoS 2 whose PUBREL is overdue are forgotten, oldest first. */
  dropOverdueRel(now: number, timeout: number): void {
    if (this.awaitingRel === undefined || timeout === 0) return
    for (const [packetId, since] of this.awaitingRel) {
      if (now - since < timeout) return
      this.release(packetId)
      this.broker.metrics.counters[M.MESSAGES_DROPPED_AWAIT_PUBREL_TIMEOUT]++
    }
  }
}

function bitsOf({ qos, noLocal, retainAsPublished, retainHandling }: StoredOptions): number {
  return qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4)
}

/** Stands for the client of a stored session until somebody needs to know more of it. */
function unknownClient(clientId: string): ClientInfo {
  return {
    clientId,
    protocol: 'mqtt',
    protocolVersion: 5,
    listener: '',
    peerhost: '',
    peerport: 0,
    sockport: 0,
    mountpoint: '',
    superuser: false,
    anonymous: false,
    bridge: false,
    attributes: {},
  }
}
