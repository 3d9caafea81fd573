import { type AckPacket, type PublishPacket, parseShared, topicMatches } from '@hookmq/mqtt'
import type { ClientMessage } from './options.ts'

export type Receive = (message: ClientMessage) => void

interface Receiver {
  readonly receive: Receive
  /** Without share prefix. */
  readonly filter: string
  readonly identifier: number | undefined
}

/** What the broker sends: hands each message to the subscriptions that it is for, and says how to answer. */
export class Incoming {
  readonly #receivers = new Map<string, Receiver>()
  /** QoS 2 messages that were handed over and not released yet. */
  readonly #unreleased = new Set<number>()
  readonly #otherwise: Receive | undefined
  #nextIdentifier = 1

  constructor(otherwise: Receive | undefined) {
    this.#otherwise = otherwise
  }

  /**
   * `identified`: subscription identifiers can be used. With one the broker says which subscription a message belongs to, also
   * when several match. Returns the identifier.
   */
  add(filter: string, receive: Receive, identified: boolean): number | undefined {
    const identifier = identified ? this.#nextIdentifier++ : undefined
    this.#receivers.set(filter, { receive, filter: parseShared(filter)?.filter ?? filter, identifier })
    return identifier
  }

  remove(filter: string): void {
    this.#receivers.delete(filter)
  }

  /** Returns the answer that the QoS asks for. A repeated QoS 2 message is answered and not handed over. [MQTT-4.3.3-10] */
  accept(packet: PublishPacket): AckPacket | undefined {
    const { packetId } = packet
    if (packetId === undefined) {
      this.#dispatch(packet)
      return undefined
    }
    if (packet.qos === 2) {
      const repeated = this.#unreleased.has(packetId)
      this.#unreleased.add(packetId)
      if (!repeated) this.#dispatch(packet)
      return { type: 'pubrec', packetId, reasonCode: 0, properties: {} }
    }
    this.#dispatch(packet)
    return { type: 'puback', packetId, reasonCode: 0, properties: {} }
  }

  /** PUBREL came. */
  release(packetId: number): void {
    this.#unreleased.delete(packetId)
  }

  #dispatch(packet: PublishPacket): void {
    const { topic, payload, qos, retain, dup, properties } = packet
    const message: ClientMessage = { topic, payload, qos, retain, dup, properties }
    let taken = false
    for (const { receive, filter, identifier } of this.#receivers.values()) {
      const mine =
        identifier === undefined
          ? topicMatches(filter, topic)
          : (properties.subscriptionIdentifiers?.includes(identifier) ?? false)
      if (!mine) continue
      taken = true
      receive(message)
    }
    if (!taken) this.#otherwise?.(message)
  }
}
