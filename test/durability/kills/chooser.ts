import type { Packet } from 'mqtt-packet'
import type { Connection } from './connection.ts'
import type { Ledger } from './ledger.ts'
import { Member } from './member.ts'
import type { Random } from './random.ts'

interface Pending {
  readonly filter: string
  readonly adding: boolean
}

/** At most so many filters in all. */
const most = 2000

/** A durable client that subscribes and unsubscribes all the time, and knows what was acknowledged. */
export class Chooser extends Member {
  /** Each filter whose last request was answered, and whether it is subscribed to. */
  readonly settled = new Map<string, boolean>()
  readonly #got = new Set<string>()
  #pending: Pending | undefined
  #count = 0
  #refused = false
  active = false
  readonly #prefix: string
  #answered: (() => void) | undefined

  constructor(clientId: string, version: 4 | 5, clean: boolean, ledger: Ledger, random: Random, name = 'load') {
    super(clientId, version, clean, ledger, random)
    this.#prefix = `choice-${name}`
  }

  protected connected(connection: Connection): void {
    if (this.#pending !== undefined) this.#request(connection, this.#pending)
    else this.next()
  }

  /** Nothing is waited for. */
  get idle(): boolean {
    return this.#pending === undefined
  }

  next(): void {
    if (this.connection === undefined) return
    if (this.#refused && this.#pending !== undefined) {
      this.#refused = false
      this.#request(this.connection, this.#pending)
    }
    if (this.#pending !== undefined || !this.active) return
    const there = [...this.settled].filter(([, subscribed]) => subscribed).map(([filter]) => filter)
    const adding = there.length < 20 || (this.#count < most && this.random.chance(0.6))
    const filter = adding ? `${this.#prefix}/${this.#count++}` : there[this.random.below(there.length)]
    this.#pending = { filter, adding }
    this.#request(this.connection, this.#pending)
  }

  #request(connection: Connection, { filter, adding }: Pending): void {
    if (adding)
      connection.send({
        cmd: 'subscribe',
        messageId: 7,
        subscriptions: [{ topic: filter, qos: 1, nl: false, rap: false, rh: 0 }],
      })
    else connection.send({ cmd: 'unsubscribe', messageId: 7, unsubscriptions: [filter] })
  }

  protected packet(connection: Connection, packet: Packet): void {
    if (packet.cmd === 'publish') {
      this.#got.add(packet.topic)
      connection.send({ cmd: 'puback', messageId: packet.messageId ?? 0 })
    } else if (packet.cmd === 'pingresp') this.#answered?.()
    else if ((packet.cmd === 'suback' || packet.cmd === 'unsuback') && this.#pending !== undefined) {
      const { filter, adding } = this.#pending
      const [code] = packet.cmd === 'suback' ? packet.granted : ((packet.granted as number[] | undefined) ?? [])
      // Not taken while the store does not work: once more.
      if (code !== undefined && Number(code) >= 0x80) {
        this.#refused = true
        return
      }
      this.#pending = undefined
      this.settled.set(filter, adding)
    }
  }

  /** Has a message published to each filter, itself, and looks which ones come. */
  async check(): Promise<void> {
    const { connection } = this
    if (connection === undefined) return this.ledger.violated(`${this.clientId}: not connected at the end`)
    for (const filter of this.settled.keys())
      connection.send({ cmd: 'publish', topic: filter, payload: 'x', qos: 0, dup: false, retain: false })
    await new Promise<void>((resolve) => {
      this.#answered = resolve
      connection.send({ cmd: 'pingreq' })
    })
    for (const [filter, subscribed] of this.settled) {
      if (this.#got.has(filter) !== subscribed)
        this.ledger.violated(
          `${this.clientId}: ${filter} was ${subscribed ? '' : 'un'}subscribed and is ${subscribed ? 'gone' : 'there'}`,
        )
    }
  }
}
