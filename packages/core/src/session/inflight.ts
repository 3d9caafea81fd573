import type { Delivery } from './delivery.ts'

export interface InflightEntry extends Delivery {
  readonly packetId: number
  /** 'publish': sent, not acknowledged. 'pubrel': PUBREC came, PUBREL is sent, PUBCOMP is missing. */
  stage: 'publish' | 'pubrel'
  /** The connection that it was sent on is gone; it must be sent again. */
  resend: boolean
  /** It went out before, or may have: DUP. [MQTT-3.3.1-1] */
  sent: boolean
  /** It may go out once the store has committed this batch. */
  batch: number
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
      sequence: delivery.sequence,
      packetId,
      stage: 'publish',
      resend: false,
      sent: false,
      batch: 0,
    }
    this.#entries.set(packetId, entry)
    return entry
  }

  /** One of an earlier run of the broker: it has its packet identifier, and may have been sent. */
  restore(delivery: Delivery, packetId: number, released: boolean, batch: number): void {
    const stage = released ? 'pubrel' : 'publish'
    this.#entries.set(packetId, { ...delivery, packetId, stage, resend: true, sent: true, batch })
    this.#lastPacketId = packetId
  }

  delete(packetId: number): InflightEntry | undefined {
    const entry = this.#entries.get(packetId)
    if (entry !== undefined) this.#entries.delete(packetId)
    return entry
  }

  clear(): void {
    this.#entries.clear()
  }

  values(): IterableIterator<InflightEntry> {
    return this.#entries.values()
  }
}
