import type { Delivery } from './delivery.ts'

export interface InflightEntry extends Delivery {
  readonly packetId: number
  /** 'publish': sent, not acknowledged. 'pubrel': PUBREC came, PUBREL is sent, PUBCOMP is missing. */
  stage: 'publish' | 'pubrel'
  /** The connection that it was sent on is gone; it must be sent again. */
  resend: boolean
}

/** QoS 1 and 2 messages that were sent to a client and not yet finished, in the order in which they were sent. */
export class Inflight {
  readonly #entries = new Map<number, InflightEntry>()
  #lastPacketId = 0

  get size(): number {
    return this.#entries.size
  }

  get(packetId: number): InflightEntry | undefined {
    return this.#entries.get(packetId)
  }

  /** Gives the delivery a packet identifier that is not in use. [MQTT-2.2.1-3] [MQTT-2.3.1-2 v3.1.1] */
  add(delivery: Delivery): InflightEntry {
    let packetId = this.#lastPacketId
    do packetId = packetId === 0xffff ? 1 : packetId + 1
    while (this.#entries.has(packetId))
    this.#lastPacketId = packetId
    const entry: InflightEntry = {
      message: delivery.message,
      qos: delivery.qos,
      retain: delivery.retain,
      subscriptionIdentifiers: delivery.subscriptionIdentifiers,
      group: delivery.group,
      packetId,
      stage: 'publish',
      resend: false,
    }
    this.#entries.set(packetId, entry)
    return entry
  }

  delete(packetId: number): InflightEntry | undefined {
    const entry = this.#entries.get(packetId)
    if (entry !== undefined) this.#entries.delete(packetId)
    return entry
  }

  values(): IterableIterator<InflightEntry> {
    return this.#entries.values()
  }
}
