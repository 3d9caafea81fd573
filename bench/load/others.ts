import { randomBytes } from 'node:crypto'
import { type PublishFrame, type QoS, writePublish } from '@hookmq/mqtt'
import { LoadClient } from './client.ts'

/** Connections that are opened at the same time. */
const concurrency = 64
/** Filters in one SUBSCRIBE. */
const filtersAtOnce = 250
/** Retained messages on their way to the broker. */
const window = 100

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane))
}

/** Connections that stay, and do nothing. */
export class Crowd {
  readonly #clients: LoadClient[] = []
  failure: Error | undefined

  async open(port: number, count: number): Promise<void> {
    const run = randomBytes(4).toString('hex')
    await inParallel(count, async (index) => {
      const client = new LoadClient(port, 4)
      client.onFailure = (error) => {
        this.failure ??= error
      }
      this.#clients.push(client)
      await client.connect(`crowd-${run}-${index}`)
    })
  }

  close(): void {
    for (const client of this.#clients) client.end()
  }
}

/** One client puts retained messages in; others read them all with one wildcard. */
export class Retained {
  readonly #count: number
  readonly #port: number
  readonly #run = randomBytes(4).toString('hex')
  readonly #readers: LoadClient[] = []
  #writer: LoadClient | undefined

  constructor(port: number, count: number) {
    this.#port = port
    this.#count = count
  }

  fill(): Promise<void> {
    return this.#write(Buffer.alloc(64, 'x'))
  }

  clear(): Promise<void> {
    return this.#write(Buffer.alloc(0))
  }

  async #write(payload: Buffer): Promise<void> {
    const client = new LoadClient(this.#port, 4)
    this.#writer = client
    await client.connect(`retained-${this.#run}`)
    await new Promise<void>((resolve, reject) => {
      let sent = 0
      let acknowledged = 0
      const more = (): void => {
        for (; sent < this.#count && sent - acknowledged < window; sent++) {
          const topic = Buffer.from(`retained/${this.#run}/${sent}`)
          writePublish(client.writer, topic, payload, 1, true, false, (sent % 0xffff) + 1, undefined, 4)
        }
      }
      client.onFailure = reject
      client.onAcknowledged = () => {
        if (++acknowledged === this.#count) resolve()
        else more()
      }
      more()
    })
    client.end()
  }

  /** Resolves when one new subscriber has got each of them once, marked as retained. */
  async read(): Promise<void> {
    const client = new LoadClient(this.#port, 4)
    this.#readers.push(client)
    await client.connect(`reader-${this.#run}-${this.#readers.length}`)
    const seen = new Uint8Array(this.#count)
    let left = this.#count
    const all = new Promise<void>((resolve, reject) => {
      client.onFailure = reject
      client.onPublish = ({ buffer, topicStart, topicEnd, retain }) => {
        const topic = buffer.toString('latin1', topicStart, topicEnd)
        const index = Number(topic.slice(topic.lastIndexOf('/') + 1))
        if (!retain || seen[index] !== 0) return reject(new Error('a retained message came twice, or as a new one'))
        seen[index] = 1
        if (--left === 0) resolve()
      }
    })
    await client.subscribe(`retained/${this.#run}/#`, 1)
    await all
    client.end()
  }

  close(): void {
    this.#writer?.end()
    for (const client of this.#readers) client.end()
  }
}

/**
 * Many filters with wildcards, of which four match each topic that is published to, each of another subscriber. Of each shape there
 * are as many: all levels of the tree have siblings, and none of the four is found by its text.
 */
export class Wildcards {
  readonly #filters: number
  readonly #port: number
  readonly #run = randomBytes(4).toString('hex')
  readonly #subscribers: LoadClient[] = []
  readonly #last: number[] = []
  readonly #topics: Buffer[] = []
  readonly #payload = Buffer.alloc(64, 'x')
  #publisher: LoadClient | undefined
  #sequence = 0
  #running = false
  delivered = 0
  failure: Error | undefined

  constructor(port: number, filters: number) {
    this.#port = port
    this.#filters = filters
  }

  async connect(): Promise<void> {
    const fail = (error: Error): void => {
      this.failure ??= error
    }
    for (let index = 0; index <= subscriberCount; index++) {
      const client = new LoadClient(this.#port, 4)
      client.onFailure = fail
      await client.connect(`wild-${this.#run}-${index}`)
      if (index === subscriberCount) this.#publisher = client
      else {
        client.onPublish = (frame) => this.#check(frame, index)
        this.#subscribers.push(client)
        this.#last.push(-1)
      }
    }
  }

  async subscribe(): Promise<void> {
    const wanted: string[][] = this.#subscribers.map(() => [])
    for (let index = 0; index < this.#filters; index++) {
      const key = `${this.#run}${index >> 2}`
      const shape = [`wild/${key}/#`, `wild/${key}/+/value`, `wild/${key}/state/+`, `+/${key}/state/value`][index & 3]
      wanted[index % subscriberCount].push(shape)
    }
    await Promise.all(
      this.#subscribers.map(async (client, index) => {
        for (let from = 0; from < wanted[index].length; from += filtersAtOnce)
          await client.subscribe(wanted[index].slice(from, from + filtersAtOnce), 0)
      }),
    )
    const topics = Math.min(512, this.#filters >> 2)
    for (let index = 0; index < topics; index++) this.#topics.push(Buffer.from(`wild/${this.#run}${index}/state/value`))
  }

  start(): void {
    this.#running = true
    this.#more()
  }

  async finish(timeout: number): Promise<void> {
    this.#running = false
    const until = Date.now() + timeout
    while (this.failure === undefined && this.delivered < this.#sequence * 4) {
      if (Date.now() > until) throw new Error(`${this.#sequence * 4 - this.delivered} messages did not arrive`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (this.failure !== undefined) throw this.failure
  }

  close(): void {
    this.#publisher?.end()
    for (const client of this.#subscribers) client.end()
  }

  /** Each of the four gets each message once: in order, and of its own topics only, which adds up to four for each. */
  #check({ buffer, payloadStart, end }: PublishFrame, subscriber: number): void {
    const sequence = buffer.readUInt32BE(payloadStart)
    const first = (sequence % this.#topics.length) * 4
    const wanted = (subscriber - (first % subscriberCount) + subscriberCount) % subscriberCount < 4
    if (!wanted || sequence <= this.#last[subscriber] || end - payloadStart !== this.#payload.length) {
      this.failure ??= new Error('a message arrived twice, late, or at the wrong subscriber')
      return
    }
    this.#last[subscriber] = sequence
    this.delivered++
    if (this.#running && this.delivered % 100 === 0) this.#more()
  }

  #more(): void {
    const publisher = this.#publisher
    if (publisher === undefined) return
    while (this.#sequence - this.delivered / 4 < 200) {
      this.#payload.writeUInt32BE(this.#sequence, 0)
      const topic = this.#topics[this.#sequence % this.#topics.length]
      writePublish(publisher.writer, topic, this.#payload, 0 as QoS, false, false, 0, undefined, 4)
      this.#sequence++
    }
  }
}

const subscriberCount = 100
