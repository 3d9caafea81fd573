import type { IPublishPacket, Packet } from 'mqtt-packet'
import type { Connection } from './connection.ts'
import type { Ledger } from './ledger.ts'
import { Member } from './member.ts'
import { payloadOf } from './payload.ts'
import type { Random } from './random.ts'

interface Unacknowledged {
  readonly topic: string
  readonly number: number
  readonly qos: 1 | 2
  /** PUBREC came: from here on only PUBREL is sent again. */
  released: boolean
  /** The broker may have taken it already. */
  again: boolean
}

export interface PublisherOptions {
  readonly clientId: string
  readonly version: 4 | 5
  readonly qos: 1 | 2
  /** false: the broker keeps its session. */
  readonly clean: boolean
  readonly topics: number
  readonly window: number
  /** First level of its topics. Default: load. */
  readonly prefix?: string
}

/** Publishes to topics of its own, as fast as acknowledgements come; what has none is sent again with DUP after a reconnect, in order. */
export class Publisher extends Member {
  readonly #options: PublisherOptions
  readonly #unacknowledged = new Map<number, Unacknowledged>()
  /** Messages that it may still send. */
  #left = 0

  constructor(options: PublisherOptions, ledger: Ledger, random: Random) {
    super(options.clientId, options.version, options.clean, ledger, random)
    this.#options = options
  }

  /** Sends so many more. */
  publish(count: number): void {
    this.#left = count
    this.fill()
  }

  /** All that it is to send is acknowledged. */
  get done(): boolean {
    return this.#left === 0 && this.#unacknowledged.size === 0
  }

  protected connected(connection: Connection): void {
    for (const [messageId, message] of this.#unacknowledged) {
      if (message.released) connection.send({ cmd: 'pubrel', messageId })
      else {
        message.again = true
        connection.send(this.#packet(messageId, message, true))
      }
    }
    this.fill()
  }

  /** Called at every acknowledgement, and now and then. */
  fill(): void {
    const { clientId, qos, topics, window, prefix = 'load' } = this.#options
    while (this.#left > 0 && this.connection !== undefined && this.#unacknowledged.size < window) {
      const topic = `${prefix}/${clientId}/${this.random.below(topics)}`
      const message = { topic, number: this.ledger.sending(topic, qos), qos, released: false, again: false }
      this.#left--
      const messageId = this.nextPacketId((id) => this.#unacknowledged.has(id))
      this.#unacknowledged.set(messageId, message)
      this.connection.send(this.#packet(messageId, message, false))
    }
  }

  #packet(messageId: number, { topic, number, qos }: Unacknowledged, dup: boolean): IPublishPacket {
    return { cmd: 'publish', topic, payload: payloadOf(number), qos, messageId, dup, retain: false }
  }

  protected packet(connection: Connection, packet: Packet): void {
    if (packet.cmd !== 'puback' && packet.cmd !== 'pubrec' && packet.cmd !== 'pubcomp') return
    const messageId = packet.messageId ?? 0
    const message = this.#unacknowledged.get(messageId)
    const right = message !== undefined && (packet.cmd === 'puback') === (message.qos === 1)
    if (!right) return this.ledger.violated(`${this.clientId}: ${packet.cmd} for ${messageId}, which awaits none`)
    const code = packet.reasonCode ?? 0
    // PUBCOMP 0x92: the broker knows nothing more of it, which is true when PUBREL had come before it was killed.
    if (code === 0x97 && packet.cmd !== 'pubcomp') {
      // The store does not work: another one in its place.
      this.#unacknowledged.delete(messageId)
      if (!message.again) this.ledger.refused(message.topic, message.number)
      this.#left++
      return
    }
    if (code >= 0x80 && !(packet.cmd === 'pubcomp' && code === 0x92))
      this.ledger.violated(`${this.clientId}: ${packet.cmd} with code 0x${code.toString(16)}`)
    if (packet.cmd === 'pubrec') {
      message.released = true
      this.ledger.acknowledged(message.topic, message.number)
      connection.send({ cmd: 'pubrel', messageId })
      return
    }
    if (packet.cmd === 'pubcomp' && !message.released)
      this.ledger.violated(`${this.clientId}: PUBCOMP for ${messageId} before PUBREC`)
    this.#unacknowledged.delete(messageId)
    this.ledger.acknowledged(message.topic, message.number)
  }
}
