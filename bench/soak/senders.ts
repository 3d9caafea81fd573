import type { QoS } from '@hookmq/mqtt'
import type { SoakClient } from './client.ts'
import type { Tally } from './tally.ts'

export type MakeClient = (id: string, durable?: boolean) => SoakClient

const size = 64
const members = 20

/** Publishers that also have work for the shared group. */
const withWork = 50

/**
 * Publishers that send a message now and then, and who gets it: each has a subscriber of its own, two clients see the messages of all, and the members of
 * a shared group take turns. Every message must arrive once, and in order.
 */
export class Senders {
  readonly sleepers: SoakClient[] = []
  readonly #tally: Tally
  readonly #publishers: SoakClient[] = []
  readonly #receivers: SoakClient[] = []
  readonly #topics: Buffer[] = []
  readonly #workTopics: Buffer[] = []
  readonly #busy: boolean[] = []
  readonly #sent: Uint32Array
  readonly #arrived: Uint32Array
  readonly #seen: readonly Uint32Array[]
  /** Work of each publisher that no member has got yet. */
  readonly #open: Set<number>[] = []
  #workNumber = 0
  #next = 0

  constructor(count: number, tally: Tally) {
    this.#tally = tally
    this.#sent = new Uint32Array(count)
    this.#arrived = new Uint32Array(count)
    this.#seen = [new Uint32Array(count), new Uint32Array(count)]
  }

  /** Connections that it needs. */
  static connections(count: number): number {
    return 2 * count + members + 2
  }

  /** What has to be done to connect all of them. */
  *opening(make: MakeClient): Generator<() => Promise<void>> {
    for (const [index, seen] of this.#seen.entries()) {
      const client = this.#receiver(make(`sees-all-${index}`))
      client.onMessage = (topic, payload) => this.#inOrder(seen, topic, payload, false)
      yield () => open(client, 'soak/p/#', 0)
    }
    for (let index = 0; index < members; index++) {
      const client = this.#receiver(make(`member-${index}`))
      client.onMessage = (topic, payload) => this.#work(topic, payload)
      yield () => open(client, '$share/team/soak/w/#', 1)
    }
    for (let index = 0; index < this.#sent.length; index++) {
      // Where it sleeps nothing may be lost: not for QoS 0.
      const durable = index % 10 === 1 && qosOf(index) > 0
      const client = this.#receiver(make(`subscriber-${index}`, durable))
      client.onMessage = (topic, payload, { dup, qos }) => {
        this.#inOrder(this.#arrived, topic, payload, dup && qos === 1)
      }
      if (durable) this.sleepers.push(client)
      yield () => open(client, `soak/p/${index}`, 2)
    }
    for (let index = 0; index < this.#sent.length; index++) {
      const client = make(`publisher-${index}`)
      this.#publishers.push(client)
      this.#topics.push(Buffer.from(`soak/p/${index}`))
      this.#workTopics.push(Buffer.from(`soak/w/${index}`))
      this.#open.push(new Set())
      yield async () => void (await client.connect(true))
    }
  }

  /** Those who may have nothing to say for long. */
  get receivers(): readonly SoakClient[] {
    return this.#receivers
  }

  #receiver(client: SoakClient): SoakClient {
    this.#receivers.push(client)
    return client
  }

  /** So many of the publishers send a message each; the next ones when it is called again. */
  send(count: number): void {
    for (let sent = 0; sent < count; sent++) {
      const index = this.#next
      this.#next = (this.#next + 1) % this.#publishers.length
      // One whose message is not acknowledged yet waits: so nothing grows here.
      if (this.#busy[index] === true) continue
      void this.#publish(index)
    }
  }

  /** Messages that have not arrived at everybody. */
  get missing(): number {
    let missing = 0
    for (const [index, sent] of this.#sent.entries()) {
      missing += sent - this.#arrived[index] + (this.#open[index]?.size ?? 0)
      for (const seen of this.#seen) missing += sent - seen[index]
    }
    return missing
  }

  async #publish(index: number): Promise<void> {
    const client = this.#publishers[index]
    const payload = Buffer.alloc(size, 'x')
    payload.writeUInt32BE(this.#sent[index]++, 0)
    this.#tally.published++
    this.#busy[index] = true
    try {
      await client.put(this.#topics[index], payload, qosOf(index))
      if (index < withWork) {
        const number = this.#workNumber++
        this.#open[index].add(number)
        payload.writeUInt32BE(number, 0)
        this.#tally.published++
        await client.put(this.#workTopics[index], payload, 1)
      }
    } catch (error) {
      this.#tally.fail((error as Error).message)
    }
    this.#busy[index] = false
  }

  #inOrder(expected: Uint32Array, topic: string, payload: Buffer, mayRepeat: boolean): void {
    const index = Number(topic.slice('soak/p/'.length))
    const number = payload.readUInt32BE(0)
    const wanted = expected[index]
    this.#tally.delivered++
    if (number === wanted && payload.length === size) expected[index] = wanted + 1
    else if (number >= wanted || !mayRepeat) {
      this.#tally.fail(`${topic}: message ${number} came where ${wanted} was due`)
      expected[index] = number + 1
    }
  }

  #work(topic: string, payload: Buffer): void {
    this.#tally.delivered++
    const number = payload.readUInt32BE(0)
    if (this.#open[Number(topic.slice('soak/w/'.length))]?.delete(number) !== true)
      this.#tally.fail(`${topic}: work ${number} was given out twice`)
  }
}

function qosOf(index: number): QoS {
  return (index % 3) as QoS
}

async function open(client: SoakClient, filter: string, qos: QoS): Promise<void> {
  await client.connect(true)
  await client.subscribe(filter, qos)
}
