import type { Packet } from 'mqtt-packet'
import { Connection } from './connection.ts'
import type { Ledger } from './ledger.ts'
import { Member } from './member.ts'
import { payloadOf } from './payload.ts'
import type { Random } from './random.ts'

const topics = 20

interface Retained {
  /** Values in the order in which they were sent; '' takes the message away. */
  readonly sent: string[]
  /** Index of the last one that was acknowledged. */
  acknowledged: number
}

/** Sets and takes away retained messages, one at a time, and knows what must be found. */
export class Retainer extends Member {
  readonly #topics = Array.from({ length: topics }, (): Retained => ({ sent: [''], acknowledged: 0 }))
  #current = 0
  #waiting = false
  acknowledged = 0
  active = false
  readonly #prefix: string

  constructor(clientId: string, version: 4 | 5, clean: boolean, ledger: Ledger, random: Random, name = 'load') {
    super(clientId, version, clean, ledger, random)
    this.#prefix = `kept-${name}`
  }

  /** Nothing is waited for. */
  get idle(): boolean {
    return !this.#waiting
  }

  protected connected(connection: Connection): void {
    if (this.#waiting) this.#send(connection, true)
    else this.next()
  }

  next(): void {
    if (this.#waiting || !this.active || this.connection === undefined) return
    this.#current = this.random.below(topics)
    const { sent } = this.#topics[this.#current]
    sent.push(this.random.chance(0.2) ? '' : payloadOf(sent.length))
    this.#waiting = true
    this.#send(this.connection, false)
  }

  #send(connection: Connection, dup: boolean): void {
    const payload = this.#topics[this.#current].sent.at(-1) ?? ''
    connection.send({
      cmd: 'publish',
      topic: `${this.#prefix}/${this.#current}`,
      payload,
      qos: 1,
      messageId: 1,
      dup,
      retain: true,
    })
  }

  protected packet(_connection: Connection, packet: Packet): void {
    if (packet.cmd !== 'puback') return
    this.#waiting = false
    // The store does not work.
    if (packet.reasonCode === 0x97) return
    const topic = this.#topics[this.#current]
    topic.acknowledged = topic.sent.length - 1
    this.acknowledged++
  }

  /** Looks at what a new subscriber is given: for each topic what was acknowledged last, or what was sent after that. */
  async check(port: number): Promise<void> {
    const found = new Map<string, string>()
    let done = (): void => {}
    const finished = new Promise<void>((resolve) => {
      done = resolve
    })
    const connection = await Connection.open(
      port,
      { clientId: `${this.clientId}-checks`, version: 5, clean: true },
      {
        packet(packet) {
          if (packet.cmd === 'publish') found.set(packet.topic, String(packet.payload))
          else if (packet.cmd === 'suback') connection.send({ cmd: 'pingreq' })
          else if (packet.cmd === 'pingresp') done()
        },
        closed: () => done(),
      },
    )
    connection.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: `${this.#prefix}/#`, qos: 0, nl: false, rap: true, rh: 0 }],
    })
    await finished
    connection.destroy()
    this.#topics.forEach(({ sent, acknowledged }, index) => {
      const value = found.get(`${this.#prefix}/${index}`) ?? ''
      if (!sent.slice(acknowledged).includes(value))
        this.ledger.violated(
          `${this.#prefix}/${index}: ${JSON.stringify(value.slice(0, 20))} is retained; acknowledged was ${JSON.stringify(sent[acknowledged]?.slice(0, 20))}`,
        )
    })
  }
}
