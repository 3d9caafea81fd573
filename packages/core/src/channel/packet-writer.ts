import type { Transport } from '@hookmq/api'
import {
  type ControlPacket,
  type EncodeOptions,
  encodePacket,
  type Properties,
  type ProtocolVersion,
  propertiesSize,
  publishSize,
  writePublish,
} from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import { Outbox } from '../connection/outbox.ts'
import type { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import { type Delivery, remainingLife } from '../session/delivery.ts'
import type { OutgoingAliases } from './topic-alias.ts'

const emptyProperties: Properties = Object.freeze({})
const noLimit = 0xffffffff

/** The sending half of a connection: turns packets into what this client's version and limits allow. */
export class PacketWriter {
  readonly broker: Broker
  readonly transport: Transport
  readonly outbox: Outbox
  version: ProtocolVersion = 4
  /** '' or the prefix of this client's topics. */
  mountpoint = ''
  clientMaximumPacketSize = noLimit
  /** What the client cannot take or does not want; undefined for nothing. [MQTT-3.1.2-24] [MQTT-3.1.2-29] */
  encodeOptions: EncodeOptions | undefined
  outgoingAliases: OutgoingAliases | undefined
  /** For operators: what this connection carried. */
  sentMessages = 0

  constructor(broker: Broker, transport: Transport) {
    this.broker = broker
    this.transport = transport
    this.outbox = new Outbox(transport, broker.flushes)
  }

  /** Queues a packet. false: too large for this client even without its optional properties. */
  send(packet: ControlPacket): boolean {
    const { counters } = this.broker.metrics
    const { writer } = this.outbox
    const before = writer.length
    const written = encodePacket(writer, packet, this.version, this.encodeOptions)
    if (!written) return false
    counters[M.PACKETS_SENT]++
    counters[M.BYTES_SENT] += writer.length - before
    return true
  }

  writeAck(
    type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
    packetId: number,
    reasonCode: number,
    reasonString?: string,
  ): void {
    const { counters } = this.broker.metrics
    if (type === 'puback') counters[M.PACKETS_PUBACK_SENT]++
    else if (type === 'pubrec') counters[M.PACKETS_PUBREC_SENT]++
    else if (type === 'pubrel') counters[M.PACKETS_PUBREL_SENT]++
    else counters[M.PACKETS_PUBCOMP_SENT]++
    const properties = reasonString === undefined ? emptyProperties : { reasonString }
    this.send({ type, packetId, reasonCode, properties })
  }

  /** Queues a PUBLISH. false: larger than the client takes. [MQTT-3.1.2-24] */
  writePublish(delivery: Delivery, message: BrokerMessage, packetId: number, dup: boolean): boolean {
    const { counters } = this.broker.metrics
    let topic: string | Buffer = this.#clientTopic(message)
    let properties: Properties | undefined
    if (this.version === 5) {
      properties = this.#publishProperties(delivery, message)
      const alias = this.outgoingAliases?.get(message.topic)
      if (alias !== undefined) {
        properties = { ...properties, topicAlias: alias }
        topic = ''
      }
      if (this.clientMaximumPacketSize !== noLimit && this.#tooLarge(delivery, message, topic, properties)) return false
      if (alias === undefined && this.outgoingAliases !== undefined) {
        const assigned = { ...properties, topicAlias: this.outgoingAliases.next(message.topic) }
        // The alias itself takes three bytes: a packet that only fits without it goes without.
        if (assigned.topicAlias !== undefined && !this.#tooLarge(delivery, message, topic, assigned)) {
          properties = assigned
          this.outgoingAliases.assign(message.topic)
        }
      }
    }
    const { writer } = this.outbox
    const before = writer.length
    writePublish(writer, topic, message.payload, delivery.qos, delivery.retain, dup, packetId, properties, this.version)
    counters[M.PACKETS_SENT]++
    counters[M.PACKETS_PUBLISH_SENT]++
    this.sentMessages++
    counters[M.BYTES_SENT] += writer.length - before
    // What the broker says of itself is no traffic.
    if (message.headers.system === true) return true
    counters[M.MESSAGES_SENT]++
    if (delivery.qos === 0) counters[M.MESSAGES_QOS0_SENT]++
    else if (delivery.qos === 1) counters[M.MESSAGES_QOS1_SENT]++
    else counters[M.MESSAGES_QOS2_SENT]++
    return true
  }

  #tooLarge(delivery: Delivery, message: BrokerMessage, topic: string | Buffer, properties: Properties): boolean {
    const topicLength = typeof topic === 'string' ? Buffer.byteLength(topic) : topic.length
    const size = publishSize(topicLength, message.payload.length, delivery.qos, propertiesSize(properties), 5)
    return size > this.clientMaximumPacketSize
  }

  #clientTopic(message: BrokerMessage): string | Buffer {
    if (this.mountpoint === '') return message.topicToSend
    return message.topic.startsWith(this.mountpoint) ? message.topic.slice(this.mountpoint.length) : message.topic
  }

  #publishProperties(delivery: Delivery, message: BrokerMessage): Properties {
    const life = remainingLife(message, this.broker.clock.now())
    const { subscriptionIdentifiers } = delivery
    if (life === undefined && subscriptionIdentifiers === undefined) return message.properties
    return {
      ...message.properties,
      ...(life !== undefined && { messageExpiryInterval: Math.max(1, life) }),
      ...(subscriptionIdentifiers !== undefined && { subscriptionIdentifiers }),
    }
  }
}
