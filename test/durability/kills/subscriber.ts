import type { IPublishPacket, Packet } from 'mqtt-packet'
import type { Connection } from './connection.ts'
import type { Ledger } from './ledger.ts'
import { Member } from './member.ts'
import { numberOf } from './payload.ts'
import type { Random } from './random.ts'

/** How it answers: at once, when it gets round to it, or not at all on this connection. */
export type Pace = 'fast' | 'slow' | 'never'

/** A durable subscriber of all load. What it holds of QoS 2 exchanges is its own: it outlives every broker. */
export class Subscriber extends Member {
  pace: Pace = 'fast'
  readonly #qos: 1 | 2
  readonly #filter: string
  /** SUBACK granted it. */
  subscribed = false
  /** QoS 2 messages that it has and whose PUBREL has not come. */
  readonly #held = new Map<number, string>()
  #unanswered: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #answered: (() => void) | undefined
  #pinged: (() => void) | undefined

  constructor(clientId: string, version: 4 | 5, qos: 1 | 2, ledger: Ledger, random: Random, prefix = 'load') {
    super(clientId, version, false, ledger, random)
    this.#qos = qos
    this.#filter = `${prefix}/+/+`
    ledger.subscriber(clientId, qos)
  }

  get held(): number {
    return this.#held.size
  }

  /** Resolves when there is an answer, or will be none. */
  subscribe(): Promise<void> {
    this.connection?.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: this.#filter, qos: this.#qos, nl: false, rap: false, rh: 0 }],
    })
    return new Promise((resolve) => {
      this.#answered = resolve
    })
  }

  /** Resolves when all that the broker had sent before is here. */
  ping(): Promise<void> {
    this.connection?.send({ cmd: 'pingreq' })
    return new Promise((resolve) => {
      this.#pinged = resolve
    })
  }

  override drop(): void {
    super.drop()
    this.#forget()
  }

  #forget(): void {
    this.#answered?.()
    this.#answered = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#unanswered = []
  }

  protected connected(): void {
    this.#forget()
  }

  protected packet(connection: Connection, packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        return this.#received(connection, packet)
      case 'pubrel': {
        const messageId = packet.messageId ?? 0
        this.#held.delete(messageId)
        return this.#answer(() => connection.send({ cmd: 'pubcomp', messageId }))
      }
      case 'suback': {
        this.subscribed ||= packet.granted[0] === this.#qos
        return this.#answered?.()
      }
      case 'pingresp':
        return this.#pinged?.()
      default:
    }
  }

  #received(connection: Connection, { topic, payload, qos, messageId = 0, dup }: IPublishPacket): void {
    const number = numberOf(payload)
    const what = `${topic} ${number}`
    if (number === undefined) return this.ledger.violated(`${this.clientId}: a damaged message of ${topic}`)
    if (qos === 2) {
      const held = this.#held.get(messageId)
      // Held under this identifier: the same again, and only with DUP.
      if (held === undefined) this.ledger.received(this.clientId, topic, number, qos)
      else if (held !== what || !dup)
        this.ledger.violated(`${this.clientId}: ${what}${dup ? '' : ' without DUP'} as ${messageId}, which is ${held}`)
      this.#held.set(messageId, what)
      return this.#answer(() => connection.send({ cmd: 'pubrec', messageId }))
    }
    this.ledger.received(this.clientId, topic, number, qos)
    this.#answer(() => connection.send({ cmd: 'puback', messageId }))
  }

  /** In the order in which it was asked. */
  #answer(send: () => void): void {
    if (this.pace === 'fast' && this.#unanswered.length === 0) return send()
    if (this.pace === 'never') return
    this.#unanswered.push(send)
    this.#timer ??= setTimeout(() => this.#some(), this.random.below(30))
  }

  #some(): void {
    this.#timer = undefined
    for (const send of this.#unanswered.splice(0, 1 + this.random.below(10))) send()
    if (this.#unanswered.length > 0) this.#timer = setTimeout(() => this.#some(), this.random.below(30))
  }
}
