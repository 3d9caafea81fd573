import { randomBytes } from 'node:crypto'
import { type ProtocolVersion, type PublishFrame, type QoS, writePublish } from '@hookmq/mqtt'
import { LoadClient } from './client.ts'
import type { Carrier } from './wire.ts'

export interface Scenario {
  readonly name: string
  readonly publishers: number
  readonly subscribers: number
  /** Publisher i's messages go to subscriber i (pairs), or to all. */
  readonly pairs: boolean
  readonly qos: QoS
  /** Bytes of payload, 16 at least. */
  readonly size: number
  readonly version: ProtocolVersion
  /** Messages of one publisher that not everybody has got yet. */
  readonly outstanding: number
  /** 'tcp' when left out. */
  readonly carrier?: Carrier
  /** Messages per second, all publishers together; as many as are taken when left out. Then the time that each one takes is noted. */
  readonly rate?: number
}

/** Unacknowledged QoS 1 and 2 messages of one publisher. */
const unacknowledgedLimit = 100
const header = 16

/**
 * The load, and the check: each payload begins with run, publisher and sequence; each subscriber must see each message of
 * its publishers exactly once and in order. The load is bounded, so nothing may be lost, at QoS 0 neither.
 */
export class Load {
  readonly #scenario: Scenario
  readonly #publishers: Publisher[] = []
  readonly #subscribers: LoadClient[] = []
  readonly #run = randomBytes(4).readUInt32BE()
  #running = false
  delivered = 0
  /** Microseconds from when each message was due to its arrival. */
  readonly delays: number[] = []
  #pace: NodeJS.Timeout | undefined
  failure: Error | undefined

  constructor(scenario: Scenario) {
    this.#scenario = scenario
  }

  async open(port: number): Promise<void> {
    const { publishers, subscribers, pairs, qos, version, carrier } = this.#scenario
    const fail = (error: Error): void => {
      this.failure ??= error
    }
    for (let index = 0; index < subscribers; index++) {
      const client = new LoadClient(port, version, carrier)
      client.onFailure = fail
      await client.connect(`load-${this.#run}-s${index}`)
      await client.subscribe(pairs ? `load/${this.#run}/${index}` : `load/${this.#run}/+`, qos)
      const expected = new Uint32Array(publishers)
      client.onPublish = (frame) => this.#check(frame, expected, pairs ? index : -1)
      this.#subscribers.push(client)
    }
    for (let index = 0; index < publishers; index++) {
      const client = new LoadClient(port, version, carrier)
      client.onFailure = fail
      await client.connect(`load-${this.#run}-p${index}`)
      this.#publishers.push(new Publisher(client, this.#scenario, this.#run, index))
    }
  }

  start(): void {
    this.#running = true
    const { rate } = this.#scenario
    for (const publisher of this.#publishers) publisher.start(pairsOr(this.#scenario), rate === undefined)
    if (rate === undefined) return
    const began = now()
    let sent = 0
    // What is due is sent late rather than not at all, and its delay counts from when it was due.
    this.#pace = setInterval(() => {
      for (const due = ((now() - began) * rate) / 1e6; sent < due; sent++) {
        this.#publishers[sent % this.#publishers.length].sendOne(began + (sent * 1e6) / rate)
      }
    }, 1)
  }

  /** Stops publishing and waits until all has arrived. Throws when something is missing. */
  async finish(timeout: number): Promise<void> {
    this.#running = false
    clearInterval(this.#pace)
    for (const publisher of this.#publishers) publisher.stop()
    const until = Date.now() + timeout
    while (this.failure === undefined && this.#publishers.some((publisher) => !publisher.idle)) {
      if (Date.now() > until) {
        const missing = this.#publishers.reduce((sum, publisher) => sum + publisher.missing, 0)
        throw new Error(`${missing} messages did not arrive within ${timeout} ms`)
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (this.failure !== undefined) throw this.failure
  }

  close(): void {
    clearInterval(this.#pace)
    for (const client of this.#subscribers) client.end()
    for (const publisher of this.#publishers) publisher.client.end()
  }

  #check(frame: PublishFrame, expected: Uint32Array, only: number): void {
    const { buffer, payloadStart, end } = frame
    const publisher = buffer.readUInt32BE(payloadStart + 4)
    const sequence = buffer.readUInt32BE(payloadStart + 8)
    if (
      end - payloadStart !== this.#scenario.size ||
      buffer.readUInt32BE(payloadStart) !== this.#run ||
      publisher >= expected.length ||
      (only !== -1 && publisher !== only)
    ) {
      this.failure ??= new Error('a message arrived damaged or at the wrong subscriber')
      return
    }
    const wanted = expected[publisher]
    if (sequence !== wanted) {
      const what = sequence < wanted ? 'twice or late' : 'too early: one before it is missing'
      this.failure ??= new Error(`message ${sequence} of publisher ${publisher} arrived ${what}`)
      return
    }
    expected[publisher] = wanted + 1
    this.delivered++
    if (this.#scenario.rate !== undefined) this.delays.push(now() - buffer.readUInt32BE(payloadStart + 12))
    this.#publishers[publisher].arrived(this.#running)
  }
}

/** Microseconds, from some moment on. */
function now(): number {
  return Math.round(performance.now() * 1000)
}

function pairsOr(scenario: Scenario): number {
  return scenario.pairs ? 1 : scenario.subscribers
}

class Publisher {
  readonly client: LoadClient
  readonly #scenario: Scenario
  readonly #topic: Buffer
  readonly #payload: Buffer
  #copies = 1
  #sequence = 0
  #arrivals = 0
  #unacknowledged = 0
  #stopped = false
  #paced = false

  constructor(client: LoadClient, scenario: Scenario, run: number, index: number) {
    this.client = client
    this.#scenario = scenario
    this.#topic = Buffer.from(`load/${run}/${index}`)
    this.#payload = Buffer.alloc(Math.max(header, scenario.size), 'x')
    this.#payload.writeUInt32BE(run, 0)
    this.#payload.writeUInt32BE(index, 4)
    client.onAcknowledged = () => {
      this.#unacknowledged--
      this.#more()
    }
  }

  start(copies: number, atOnce: boolean): void {
    this.#copies = copies
    this.#paced = !atOnce
    if (atOnce) this.#more()
  }

  /** `due`: in microseconds, goes along. */
  sendOne(due: number): void {
    this.#payload.writeUInt32BE(Math.round(due) % 2 ** 32, 12)
    this.#publish()
  }

  stop(): void {
    this.#stopped = true
  }

  arrived(running: boolean): void {
    this.#arrivals++
    if (running && this.#arrivals % this.#copies === 0) this.#more()
  }

  get missing(): number {
    return this.#sequence * this.#copies - this.#arrivals
  }

  get idle(): boolean {
    return this.missing === 0 && this.#unacknowledged === 0
  }

  /** Publishes in bursts of a quarter of what may be on its way. */
  #more(): void {
    const { qos, outstanding } = this.#scenario
    const onTheWay = this.#sequence - Math.floor(this.#arrivals / this.#copies)
    let room = outstanding - onTheWay
    if (qos > 0) room = Math.min(room, unacknowledgedLimit - this.#unacknowledged)
    if (this.#stopped || this.#paced || room < Math.max(1, Math.min(outstanding, unacknowledgedLimit) / 4)) return
    for (; room > 0; room--) this.#publish()
  }

  #publish(): void {
    const { qos, version } = this.#scenario
    this.#payload.writeUInt32BE(this.#sequence, 8)
    const packetId = qos === 0 ? 0 : (this.#sequence % 0xffff) + 1
    writePublish(this.client.writer, this.#topic, this.#payload, qos, false, false, packetId, undefined, version)
    this.#sequence++
    if (qos > 0) this.#unacknowledged++
  }
}
