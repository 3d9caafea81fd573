import type { ClientInfo, SessionInfo } from '@hookmq/api'
import type { Properties, QoS } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import type { Channel } from '../channel/channel.ts'
import { InOrder } from '../channel/in-order.ts'
import type { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import type { DeliveryTarget } from '../routing/target.ts'
import type { Route, SharedGroup, StoredOptions } from '../routing/types.ts'
import { type Delivery, remainingLife } from './delivery.ts'
import { Inflight, type InflightEntry } from './inflight.ts'
import { MessageQueue } from './queue.ts'
import { type RetainedReplay, retainedFor } from './replay.ts'
import type { PendingWill } from './will.ts'

const noSubscriptions: ReadonlyMap<string, StoredOptions> = new Map()

/**
 * What the broker keeps for one client id, also while it is not connected. Fields that an idle client does not need are
 * made when they are first used: a broker holds many idle clients.
 */
export class Session implements DeliveryTarget {
  readonly id: string
  readonly createdAt: number
  readonly broker: Broker
  /** Seconds; 0 = ends with the connection; 0xFFFFFFFF = never ends. */
  expiryInterval: number
  /** Of the last connection. */
  client: ClientInfo
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
  #subscriptions: Map<string, StoredOptions> | undefined
  #inflight: Inflight | undefined
  #queue: MessageQueue | undefined
  #replays: RetainedReplay[] | undefined
  /** Deliveries whose message.delivered hooks have not answered yet, in order. */
  #deciding: { order: InOrder; deliveries: Delivery[] } | undefined
  #pumping = false
  /** Something in flight was sent on an earlier connection and not on this one. */
  #mustResend = false
  /** Who waits for CONNACK. */
  #awaitingActive: (() => void)[] | undefined

  constructor(broker: Broker, client: ClientInfo, expiryInterval: number, now: number) {
    this.broker = broker
    this.id = client.clientId
    this.client = client
    this.expiryInterval = expiryInterval
    this.createdAt = now
  }

  get persistent(): boolean {
    return this.expiryInterval > 0
  }

  /** Can take a message now: shared groups ask. */
  get available(): boolean {
    return this.active && this.channel !== undefined && !this.channel.congested
  }

  get subscriptions(): ReadonlyMap<string, StoredOptions> {
    return this.#subscriptions ?? noSubscriptions
  }

  get inflightCount(): number {
    return this.#inflight?.size ?? 0
  }

  get queueLength(): number {
    return this.#queue?.length ?? 0
  }

  /** Messages that fit into the queue without another being dropped for them. */
  get queueRoom(): number {
    const { maxQueueLength } = this.broker.options
    return maxQueueLength === 0 ? 0xffff : Math.max(0, maxQueueLength - this.queueLength)
  }

  get queueDropped(): number {
    return this.#queue?.dropped ?? 0
  }

  /** Room for one more QoS 1 or 2 message on the wire. */
  get #window(): boolean {
    const channel = this.channel
    if (channel === undefined) return false
    return (this.#inflight?.size ?? 0) + (this.#deciding?.deliveries.length ?? 0) < channel.sendQuota
  }

  /** A retained message could be sent at once. */
  get hasRoom(): boolean {
    return (
      this.active &&
      this.channel !== undefined &&
      !this.channel.congested &&
      (this.#queue === undefined || this.#queue.length === 0) &&
      !this.#crowded &&
      this.#window
    )
  }

  /** As many deliveries as may be wait for their hooks; more wait in the queue, whose bounds hold. */
  get #crowded(): boolean {
    return this.#deciding !== undefined && this.#deciding.deliveries.length >= this.broker.options.hookWindow
  }

  /** No message waits: one that comes in now may be sent at once, QoS 0 even without making a message of it. */
  get idle(): boolean {
    return this.active && (this.#queue === undefined || this.#queue.length === 0) && this.#deciding === undefined
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
    this.#subscriptions ??= new Map()
    const isNew = !this.#subscriptions.has(filter)
    this.#subscriptions.set(filter, options)
    this.broker.router.subscribe(filter, this, options)
    return isNew
  }

  unsubscribe(filter: string): StoredOptions | undefined {
    const options = this.#subscriptions?.get(filter)
    if (options === undefined) return undefined
    this.#subscriptions?.delete(filter)
    this.broker.router.unsubscribe(filter, this)
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
    this.#handOver()
    this.cancelExpiry?.()
    this.cancelExpiry = undefined
  }

  /**
   * What this session got for a shared group and did not finish goes to another member. Not QoS 2 that was sent: nobody
   * else may get that. [MQTT-4.8.2-5]
   */
  #handOver(): void {
    for (const entry of this.#inflight?.values() ?? []) {
      if (entry.group !== undefined && entry.qos === 1) this.broker.deliverToGroup(entry.message, entry.group)
    }
    for (let delivery = this.#queue?.shift(); delivery !== undefined; delivery = this.#queue?.shift()) {
      if (delivery.group !== undefined) this.broker.deliverToGroup(delivery.message, delivery.group)
    }
    this.#inflight = undefined
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
    const qos = lower(message.qos, route.qos, options.upgradeQos)
    // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    const retain = message.retain && route.retainAsPublished
    this.#take({ message, qos, retain, subscriptionIdentifiers: route.subscriptionIdentifiers, group })
  }

  /** Takes a stored retained message. [MQTT-3.3.1-8 v3.1.1] */
  deliverRetained(message: BrokerMessage, qos: QoS, subscriptionIdentifiers: readonly number[] | undefined): void {
    this.#take({
      message,
      qos: lower(message.qos, qos, this.broker.options.upgradeQos),
      retain: true,
      subscriptionIdentifiers,
      group: undefined,
    })
  }

  #take(delivery: Delivery): void {
    const channel = this.channel
    if (delivery.qos === 0) {
      if (channel === undefined || !this.active) {
        if (channel === undefined && !this.broker.options.queueQos0) return this.#drop(delivery, 'qos0_msg')
        return this.#enqueue(delivery)
      }
      // A client that does not read gets no more than the bound; what QoS 0 cannot be sent now is lost. [MQTT-4.3.1-1]
      if (channel.congested) return this.#drop(delivery, 'queue_full')
      if ((this.#queue !== undefined && this.#queue.length > 0) || this.#crowded) return this.#enqueue(delivery)
      return this.#transmit(channel, delivery)
    }
    if (channel === undefined || !this.hasRoom) return this.#enqueue(delivery)
    this.#transmit(channel, delivery)
  }

  #enqueue(delivery: Delivery): void {
    delivery.message.compact()
    this.#queue ??= new MessageQueue()
    this.#queue.push(delivery, this.broker.options, (dropped) => this.#drop(dropped, 'queue_full'))
  }

  /** Back to the front of the queue, where they came from. */
  #restore(deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return
    this.#queue ??= new MessageQueue()
    for (let index = deliveries.length - 1; index >= 0; index--) this.#queue.unshift(deliveries[index]!)
  }

  #drop(delivery: Delivery, reason: string): void {
    this.broker.dropDelivery(this.client, delivery.message, reason)
  }

  /** Sends what waits, as far as the client's window and socket allow. */
  pump(): void {
    // A hook that publishes from inside a delivery comes back here: the outer call goes on for it.
    if (this.#pumping) return
    this.#pumping = true
    try {
      this.#resendPending()
      const queue = this.#queue
      while (queue !== undefined && queue.length > 0) {
        const channel = this.channel
        if (channel === undefined || !this.active || channel.congested || this.#crowded) break
        const head = queue.peek()!
        if (head.qos > 0 && !this.#window) break
        queue.shift()
        if (remainingLife(head.message, this.broker.clock.now()) === 0) this.#drop(head, 'expired')
        else this.#transmit(channel, head)
      }
    } finally {
      this.#pumping = false
    }
    if (this.#replays !== undefined && this.hasRoom) {
      for (const replay of this.#replays) replay.pump()
      this.#replays = this.#replays.filter((replay) => !replay.done)
      if (this.#replays.length === 0) this.#replays = undefined
    }
  }

  #transmit(channel: Channel, delivery: Delivery): void {
    const chain = this.broker.chains.messageDelivered
    if (chain.size === 0 && this.#deciding === undefined) {
      if (this.#write(channel, delivery, delivery.message) && delivery.qos === 0) {
        this.broker.completeDelivery(this, delivery.message)
      }
      return
    }
    // At QoS 0 there is no answer to wait for; in EMQX the completion even comes before message.delivered.
    if (delivery.qos === 0) this.broker.completeDelivery(this, delivery.message)
    this.#withHooks(channel, delivery, (message) => this.#write(channel, delivery, message))
  }

  /** Runs message.delivered, then `write`, keeping the order of deliveries while hooks think. */
  #withHooks(channel: Channel, delivery: Delivery, write: (message: BrokerMessage) => void): void {
    const result = this.broker.chains.messageDelivered.fold({ client: this.client }, delivery.message)
    const finish = (outcome: unknown): undefined => {
      if (this.channel !== channel) return
      if (!(outcome instanceof Refusal)) write(outcome as BrokerMessage)
      // The client may have it already and awaits PUBREL: a QoS 2 PUBLISH that has been sent is carried through. [MQTT-4.3.3-7]
      else if ('packetId' in delivery && delivery.qos === 2) write(delivery.message)
      else {
        if ('packetId' in delivery) this.#inflight?.delete((delivery as InflightEntry).packetId)
        this.#drop(delivery, outcome.reasonString ?? 'hook')
      }
    }
    if (!(result instanceof Promise) && this.#deciding === undefined) return finish(result)
    this.#deciding ??= {
      deliveries: [],
      order: new InOrder(
        () => {
          if (this.#deciding?.order.length === 0) this.#deciding = undefined
          this.pump()
        },
        (error) => this.broker.reportBug(error),
      ),
    }
    const deciding = this.#deciding
    deciding.deliveries.push(delivery)
    deciding.order.pushPending(Promise.resolve(result), (outcome) => {
      deciding.deliveries.shift()
      return finish(outcome)
    })
  }

  /** false: too large for this client. [MQTT-3.1.2-25] */
  #write(channel: Channel, delivery: Delivery, message: BrokerMessage): boolean {
    if (delivery.qos === 0) {
      if (channel.writePublish(delivery, message, 0, false)) return true
    } else {
      this.#inflight ??= new Inflight()
      const entry = this.#inflight.add(delivery)
      if (channel.writePublish(entry, message, entry.packetId, false)) return true
      this.#inflight.delete(entry.packetId)
    }
    this.#drop(delivery, 'too_large')
    return false
  }

  // --- acknowledgements from the client --------------------------------------------------------------------------

  /** PUBACK. false: nothing is known under this identifier. */
  puback(packetId: number, reasonCode: number, properties: Properties): boolean {
    const entry = this.#inflight?.get(packetId)
    if (entry === undefined || entry.qos !== 1) return false
    this.#inflight?.delete(packetId)
    if (reasonCode >= 0x80) this.broker.refusedDelivery(this.client, entry.message, reasonCode)
    else {
      this.broker.completeDelivery(this, entry.message)
      this.broker.acked(this.client, entry.message, properties)
    }
    this.pump()
    return true
  }

  /** PUBREC. 'unknown': no such identifier; 'refused': the exchange ended with an error. [MQTT-4.3.3-5] */
  pubrec(packetId: number, reasonCode: number, properties: Properties): 'known' | 'unknown' | 'refused' {
    const entry = this.#inflight?.get(packetId)
    if (entry === undefined || entry.qos !== 2) return 'unknown'
    if (entry.stage === 'pubrel') return 'known'
    if (reasonCode >= 0x80) {
      this.#inflight?.delete(packetId)
      this.broker.refusedDelivery(this.client, entry.message, reasonCode)
      this.pump()
      return 'refused'
    }
    // [MQTT-4.3.3-6]: from here on only PUBREL is sent again, never the PUBLISH.
    entry.stage = 'pubrel'
    this.broker.acked(this.client, entry.message, properties)
    return 'known'
  }

  pubcomp(packetId: number): boolean {
    const entry = this.#inflight?.get(packetId)
    if (entry === undefined || entry.stage !== 'pubrel') return false
    this.#inflight?.delete(packetId)
    this.broker.completeDelivery(this, entry.message)
    this.pump()
    return true
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
    for (const entry of this.#inflight?.values() ?? []) {
      entry.resend = true
      this.#mustResend = true
    }
    const deciding = this.#deciding
    if (deciding !== undefined) {
      this.#deciding = undefined
      // Those that have a packet identifier are in flight already and marked above.
      this.#restore(deciding.deliveries.filter((delivery) => !('packetId' in delivery)))
    }
    for (const replay of this.#replays ?? []) {
      if (this.persistent) replay.flushToQueue()
      replay.cancel()
    }
    this.#replays = undefined
  }

  /** What an earlier connection left unfinished goes first, in its order, as far as the new window allows. [MQTT-4.6.0-1] */
  #resendPending(): void {
    const channel = this.channel
    // Asked at every acknowledgement: looking through all that is in flight is for the time after a reconnection.
    if (!this.#mustResend || this.#inflight === undefined || channel === undefined || !this.active) return
    let onWire = 0
    for (const entry of this.#inflight.values()) {
      if (!entry.resend) {
        onWire++
        continue
      }
      if (channel.congested) return
      if (entry.stage === 'publish' && onWire >= channel.sendQuota) return
      onWire++
      entry.resend = false
      this.#resend(channel, entry)
    }
    this.#mustResend = false
  }

  #resend(channel: Channel, entry: InflightEntry): void {
    if (entry.stage === 'pubrel') {
      channel.writeAck('pubrel', entry.packetId, 0)
      return
    }
    // A QoS 2 PUBLISH that has been sent is carried through. [MQTT-4.3.3-7]
    if (entry.qos === 1 && remainingLife(entry.message, this.broker.clock.now()) === 0) {
      this.#inflight?.delete(entry.packetId)
      return this.#drop(entry, 'expired')
    }
    const write = (message: BrokerMessage): void => {
      // While hooks were thinking the client may have answered what the earlier connection sent. [MQTT-4.3.3-6]
      if (this.#inflight?.get(entry.packetId) !== entry || entry.stage !== 'publish') return
      // [MQTT-3.3.1-1]
      if (channel.writePublish(entry, message, entry.packetId, true)) return
      this.#inflight?.delete(entry.packetId)
      this.#drop(entry, 'too_large')
    }
    if (this.broker.chains.messageDelivered.size === 0 && this.#deciding === undefined) return write(entry.message)
    this.#withHooks(channel, entry, write)
  }

  /** PUBLISHes of QoS 2 whose PUBREL is overdue are forgotten, oldest first. */
  dropOverdueRel(now: number, timeout: number): void {
    if (this.awaitingRel === undefined || timeout === 0) return
    for (const [packetId, since] of this.awaitingRel) {
      if (now - since < timeout) return
      this.awaitingRel.delete(packetId)
      this.broker.metrics.counters[M.MESSAGES_DROPPED_AWAIT_PUBREL_TIMEOUT]++
    }
  }
}

function lower(message: QoS, subscription: QoS, upgrade: boolean): QoS {
  if (upgrade) return message > subscription ? message : subscription
  return message < subscription ? message : subscription
}
