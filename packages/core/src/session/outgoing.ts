import type { Properties } from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import type { Channel } from '../channel/channel.ts'
import { InOrder } from '../channel/in-order.ts'
import type { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import { type Delivery, remainingLife } from './delivery.ts'
import { Inflight, type InflightEntry } from './inflight.ts'
import { MessageQueue } from './queue.ts'
import type { Session } from './session.ts'
import type { Stored } from './stored.ts'

/** Messages of an earlier connection that a durable session sends again in one step. */
const resentTogether = 256

/** The sending half of a session: what is in flight to its client, and what waits. */
export class Outgoing {
  readonly #session: Session
  readonly #broker: Broker
  readonly queue = new MessageQueue()
  readonly inflight = new Inflight()
  /** Of a durable session: how its messages get into the store and out of it. */
  stored: Stored | undefined
  /** Deliveries whose message.delivered hooks have not answered yet, in order. `fresh`: those without a packet identifier. */
  #deciding: { order: InOrder; deliveries: Delivery[]; fresh: number } | undefined
  #pumping = false
  /** Something in flight was sent on an earlier connection and not on this one. */
  #mustResend = false

  constructor(session: Session) {
    this.#session = session
    this.#broker = session.broker
  }

  /** Nothing waits: what comes in now may be sent at once. */
  get idle(): boolean {
    return this.queue.length === 0 && this.#deciding === undefined && this.stored?.behind !== true
  }

  /** Room for one more QoS 1 or 2 message on the wire. */
  get #window(): boolean {
    const { channel } = this.#session
    return channel !== undefined && this.inflight.size + (this.#deciding?.fresh ?? 0) < channel.sendQuota
  }

  get hasRoom(): boolean {
    const { channel, active } = this.#session
    return (
      active &&
      channel !== undefined &&
      !channel.congested &&
      this.queue.length === 0 &&
      this.stored?.behind !== true &&
      !this.#crowded &&
      this.#window
    )
  }

  /** As many deliveries as may be wait for their hooks; more wait in the queue, whose bounds hold. */
  get #crowded(): boolean {
    return this.#deciding !== undefined && this.#deciding.deliveries.length >= this.#broker.options.hookWindow
  }

  take(delivery: Delivery): void {
    if (delivery.sequence !== 0) return this.stored?.take(delivery)
    const { channel, active } = this.#session
    if (delivery.qos === 0) {
      if (channel === undefined || !active) {
        if (channel === undefined && !this.#broker.options.queueQos0) return this.drop(delivery, 'qos0_msg')
        return this.enqueue(delivery)
      }
      // A client that does not read gets no more than the bound; what QoS 0 cannot be sent now is lost. [MQTT-4.3.1-1]
      if (channel.congested) return this.drop(delivery, 'queue_full')
      if (this.queue.length > 0 || this.#crowded) return this.enqueue(delivery)
      return this.#transmit(channel, delivery)
    }
    if (channel === undefined || !this.hasRoom) return this.enqueue(delivery)
    this.#transmit(channel, delivery)
  }

  enqueue(delivery: Delivery): void {
    delivery.message.compact()
    this.queue.push(delivery, this.#broker.options, (dropped) => this.drop(dropped, 'queue_full'))
  }

  /** Back to the front of the queue, where they came from. */
  #restore(deliveries: readonly Delivery[]): void {
    for (let index = deliveries.length - 1; index >= 0; index--) this.queue.unshift(deliveries[index]!)
  }

  drop(delivery: Delivery, reason: string): void {
    this.stored?.forget(delivery)
    this.#broker.dropDelivery(this.#session.client, delivery.message, reason)
  }

  /** The client has it, or nobody wants it any more. */
  #finished(entry: InflightEntry): void {
    this.inflight.delete(entry.packetId)
    this.stored?.forget(entry)
  }

  /** Sends what waits, as far as the client's window and socket allow. */
  pump(): void {
    // A hook that publishes from inside a delivery comes back here: the outer call goes on for it.
    if (this.#pumping) return
    this.#pumping = true
    try {
      if (this.#resendPending()) return
      const { queue } = this
      while (queue.length > 0) {
        const { channel, active } = this.#session
        if (channel === undefined || !active || channel.congested || this.#crowded) break
        const head = queue.peek()!
        if (head.qos > 0 && !this.#window) break
        queue.shift()
        if (remainingLife(head.message, this.#broker.clock.now()) === 0) this.drop(head, 'expired')
        else if (head.sequence !== 0) this.stored?.send(head)
        else this.#transmit(channel, head)
      }
    } finally {
      this.#pumping = false
    }
    this.stored?.tally()
    this.stored?.readOn()
  }

  #transmit(channel: Channel, delivery: Delivery): void {
    const chain = this.#broker.chains.messageDelivered
    if (chain.size === 0 && this.#deciding === undefined) {
      if (this.#write(channel, delivery, delivery.message) && delivery.qos === 0) {
        this.#broker.completeDelivery(this.#session, delivery.message)
      }
      return
    }
    // At QoS 0 there is no answer to wait for; in EMQX the completion even comes before message.delivered.
    if (delivery.qos === 0) this.#broker.completeDelivery(this.#session, delivery.message)
    this.#withHooks(channel, delivery, (message) => this.#write(channel, delivery, message))
  }

  /** Runs message.delivered, then `write`, keeping the order of deliveries while hooks think. */
  #withHooks(channel: Channel, delivery: Delivery | InflightEntry, write: (message: BrokerMessage) => void): void {
    const result = this.#broker.chains.messageDelivered.fold({ client: this.#session.client }, delivery.message)
    const numbered = 'packetId' in delivery
    const finish = (outcome: unknown): undefined => {
      if (this.#session.channel !== channel) return
      if (!(outcome instanceof Refusal)) write(outcome as BrokerMessage)
      // The client may have it already and awaits PUBREL: a QoS 2 PUBLISH that has been sent is carried through. [MQTT-4.3.3-7]
      else if (numbered && delivery.qos === 2 && delivery.sent) write(delivery.message)
      else {
        if (numbered) this.inflight.delete(delivery.packetId)
        this.drop(delivery, outcome.reasonString ?? 'hook')
      }
    }
    if (!(result instanceof Promise) && this.#deciding === undefined) return finish(result)
    this.#deciding ??= {
      deliveries: [],
      fresh: 0,
      order: new InOrder(
        () => {
          if (this.#deciding?.order.length === 0) this.#deciding = undefined
          this.#session.pump()
        },
        (error) => this.#broker.reportBug(error),
      ),
    }
    const deciding = this.#deciding
    deciding.deliveries.push(delivery)
    if (!numbered) deciding.fresh++
    deciding.order.pushPending(Promise.resolve(result), (outcome) => {
      deciding.deliveries.shift()
      if (!numbered) deciding.fresh--
      return finish(outcome)
    })
  }

  /** false: too large for this client. [MQTT-3.1.2-25] */
  #write(channel: Channel, delivery: Delivery, message: BrokerMessage): boolean {
    if (delivery.qos === 0) {
      if (channel.writePublish(delivery, message, 0, false)) return true
    } else {
      const entry = this.inflight.add(delivery)
      entry.sent = true
      if (channel.writePublish(entry, message, entry.packetId, false)) return true
      this.inflight.delete(entry.packetId)
    }
    this.drop(delivery, 'too_large')
    return false
  }

  /** What comes may go out at once, with no hook and no store to ask. */
  get clear(): boolean {
    const { messageDelivered, deliveryCompleted } = this.#broker.chains
    return (
      this.stored === undefined &&
      this.#deciding === undefined &&
      messageDelivered.size === 0 &&
      deliveryCompleted.size === 0 &&
      this.hasRoom
    )
  }

  /** Sends while the way is `clear`. false: the message was too large, and those who were told may have changed what holds. */
  sendClear(channel: Channel, delivery: Delivery): boolean {
    if (!this.#write(channel, delivery, delivery.message)) return false
    if (delivery.qos === 0) this.#broker.completeDelivery(this.#session, delivery.message)
    return true
  }

  // --- acknowledgements from the client --------------------------------------------------------------------------

  /** PUBACK. false: nothing is known under this identifier. */
  puback(packetId: number, reasonCode: number, properties: Properties): boolean {
    const entry = this.inflight.get(packetId)
    if (entry === undefined || entry.qos !== 1) return false
    this.#finished(entry)
    const { client } = this.#session
    if (reasonCode >= 0x80) this.#broker.refusedDelivery(client, entry.message, reasonCode)
    else {
      this.#broker.completeDelivery(this.#session, entry.message)
      this.#broker.acked(client, entry.message, properties)
    }
    this.#roomMade()
    return true
  }

  /** PUBREC. 'unknown': no such identifier; 'refused': the exchange ended with an error. [MQTT-4.3.3-5] */
  pubrec(packetId: number, reasonCode: number, properties: Properties): 'known' | 'unknown' | 'refused' {
    const entry = this.inflight.get(packetId)
    if (entry === undefined || entry.qos !== 2) return 'unknown'
    if (entry.stage === 'pubrel') return 'known'
    const { client } = this.#session
    if (reasonCode >= 0x80) {
      this.#finished(entry)
      this.#broker.refusedDelivery(client, entry.message, reasonCode)
      this.#roomMade()
      return 'refused'
    }
    // [MQTT-4.3.3-6]: from here on only PUBREL is sent again, never the PUBLISH.
    entry.stage = 'pubrel'
    this.stored?.released(entry)
    this.#broker.acked(client, entry.message, properties)
    return 'known'
  }

  pubcomp(packetId: number): boolean {
    const entry = this.inflight.get(packetId)
    if (entry === undefined || entry.stage !== 'pubrel') return false
    this.#finished(entry)
    this.#broker.completeDelivery(this.#session, entry.message)
    this.#roomMade()
    return true
  }

  #roomMade(): void {
    const { channel } = this.#session
    if (channel === undefined) this.#session.pump()
    else channel.roomMade()
  }

  // --- connections come and go -------------------------------------------------------------------------------------

  detach(): void {
    this.resendAll()
    const deciding = this.#deciding
    if (deciding === undefined) return
    this.#deciding = undefined
    // Those that have a packet identifier are in flight already and marked above.
    this.#restore(deciding.deliveries.filter((delivery) => !('packetId' in delivery)))
  }

  resendAll(): void {
    for (const entry of this.inflight.values()) {
      entry.resend = true
      this.#mustResend = true
    }
  }

  /** Something in flight was sent on an earlier connection, or should have been, and not on this one. */
  get mustResend(): boolean {
    return this.#mustResend
  }

  /**
   * What an earlier connection left unfinished goes first, in its order, as far as the new window allows. true: it goes on by itself in a
   * later turn. [MQTT-4.6.0-1]
   */
  #resendPending(): boolean {
    const { channel, active } = this.#session
    // Asked at every acknowledgement: looking through all that is in flight is for the time after a reconnection.
    if (!this.#mustResend || channel === undefined || !active) return false
    let onWire = 0
    let sent = 0
    for (const entry of this.inflight.values()) {
      if (!entry.resend) {
        onWire++
        continue
      }
      if (channel.congested) return false
      if (entry.stage === 'publish' && onWire >= channel.sendQuota) return false
      if (this.stored?.uncommitted(entry) === true) return false
      if (sent === resentTogether && this.stored !== undefined) {
        this.stored.goOnLater()
        return true
      }
      onWire++
      sent++
      entry.resend = false
      this.transmitEntry(channel, entry)
    }
    this.#mustResend = false
    return false
  }

  /** Sends what has its packet identifier: again, or for the first time when it waited for the store. */
  transmitEntry(channel: Channel, entry: InflightEntry): void {
    if (entry.stage === 'pubrel') {
      channel.writeAck('pubrel', entry.packetId, 0)
      return
    }
    // A QoS 2 PUBLISH that has been sent is carried through. [MQTT-4.3.3-7]
    if ((entry.qos === 1 || !entry.sent) && remainingLife(entry.message, this.#broker.clock.now()) === 0) {
      this.inflight.delete(entry.packetId)
      return this.drop(entry, 'expired')
    }
    const write = (message: BrokerMessage): void => {
      // While hooks were thinking the client may have answered what the earlier connection sent. [MQTT-4.3.3-6]
      if (this.inflight.get(entry.packetId) !== entry || entry.stage !== 'publish') return
      // [MQTT-3.3.1-1]
      if (channel.writePublish(entry, message, entry.packetId, entry.sent)) entry.sent = true
      else {
        this.inflight.delete(entry.packetId)
        this.drop(entry, 'too_large')
      }
    }
    if (this.#broker.chains.messageDelivered.size === 0 && this.#deciding === undefined) return write(entry.message)
    this.#withHooks(channel, entry, write)
  }
}
