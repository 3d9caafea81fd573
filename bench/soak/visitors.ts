import type { SoakClient } from './client.ts'
import type { MakeClient } from './senders.ts'
import type { Tally } from './tally.ts'

/** Changes that are under way at once, at most. */
const most = 200

/** Topics with a retained message. */
const kept = 1000

/** All others: most of them sit there; of them, and of the durable subscribers, now and then one comes, goes, or changes something. */
export class Visitors {
  readonly #make: MakeClient
  readonly #tally: Tally
  readonly #clients: SoakClient[] = []
  readonly #sleepers: readonly SoakClient[]
  readonly #busy = new Set<SoakClient>()
  /** The number of each retained message, 0 for none, undefined while somebody changes it. */
  readonly #kept: (number | undefined)[] = Array.from({ length: kept }, () => 0)
  #number = 0
  #underWay = 0

  constructor(make: MakeClient, tally: Tally, sleepers: readonly SoakClient[]) {
    this.#make = make
    this.#tally = tally
    this.#sleepers = sleepers
  }

  *opening(count: number): Generator<() => Promise<void>> {
    for (let index = 0; index < count; index++) {
      const client = this.#newcomer()
      this.#clients.push(client)
      yield () => this.#settle(client)
    }
  }

  get underWay(): number {
    return this.#underWay
  }

  /** Sit there and may have nothing to say for long. */
  get clients(): readonly SoakClient[] {
    return this.#clients
  }

  change(): void {
    if (this.#underWay >= most) return
    const changes = [this.#replace, this.#takeOver, this.#subscribe, this.#sleep, this.#keep]
    const change = changes[Math.floor(Math.random() * changes.length)]
    const sleeps = change === this.#sleep
    const from = sleeps ? this.#sleepers : this.#clients
    const client = from[Math.floor(Math.random() * from.length)]
    if (client === undefined || !client.connected || this.#busy.has(client)) return
    this.#underWay++
    this.#busy.add(client)
    change
      .call(this, client)
      .catch((error: Error) => this.#tally.fail(error.message))
      .finally(() => {
        this.#underWay--
        this.#busy.delete(client)
      })
  }

  /** One goes, with or without a word, and another one comes. */
  async #replace(client: SoakClient): Promise<void> {
    await client.end(Math.random() < 0.5)
    const other = this.#newcomer()
    await this.#settle(other)
    this.#clients[this.#clients.indexOf(client)] = other
    this.#tally.changed('client replaced')
  }

  /** The same client id once more: the older connection is ended by the broker. */
  async #takeOver(client: SoakClient): Promise<void> {
    const lost = Promise.withResolvers<void>()
    client.onLost = () => lost.resolve()
    const other = this.#make(client.id)
    await this.#settle(other)
    this.#clients[this.#clients.indexOf(client)] = other
    const timer = setTimeout(() => lost.reject(new Error(`${client.id}: taken over, but not closed`)), 60_000)
    await lost.promise
    clearTimeout(timer)
    this.#tally.changed('session taken over')
  }

  /** Gets what it is subscribed to, and nothing any more when it is not. */
  async #subscribe(client: SoakClient): Promise<void> {
    const topic = `change/${++this.#number}`
    let got = 0
    client.onMessage = () => {
      got++
    }
    await client.subscribe(topic, 1)
    await client.put(Buffer.from(topic), Buffer.from('in'), 1)
    await within(() => got === 1, `${client.id}: its own message on ${topic} did not come`)
    await client.unsubscribe(topic)
    await client.put(Buffer.from(topic), Buffer.from('out'), 1)
    client.onMessage = () => {}
    if (got !== 1) this.#tally.fail(`${client.id}: got ${got} messages of ${topic}`)
    this.#tally.changed('subscribed and unsubscribed')
  }

  /** A durable subscriber is away for a while; what was sent meanwhile is checked where it arrives. */
  async #sleep(client: SoakClient): Promise<void> {
    await client.end(Math.random() < 0.5)
    await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 4000))
    if (!(await client.connect(false))) this.#tally.fail(`${client.id}: its session is gone`)
    this.#tally.changed('durable session resumed')
  }

  /** A retained message is read, and set anew or taken away. */
  async #keep(client: SoakClient): Promise<void> {
    const at = Math.floor(Math.random() * kept)
    const number = this.#kept[at]
    if (number === undefined) return
    this.#kept[at] = undefined
    const topic = `kept/${at}`
    const got: string[] = []
    client.onMessage = (_, payload) => void got.push(payload.toString())
    await client.subscribe(topic, 1)
    if (number > 0) await within(() => got.length > 0, `${topic}: what is retained did not come`)
    await client.unsubscribe(topic)
    client.onMessage = () => {}
    const expected = number === 0 ? '' : `${number}`
    if (got.join() !== expected) this.#tally.fail(`${topic}: '${got}' is retained instead of '${expected}'`)
    const next = Math.random() < 0.2 ? 0 : ++this.#number
    await client.put(Buffer.from(topic), Buffer.from(next === 0 ? '' : `${next}`), 1, true)
    this.#kept[at] = next
    this.#tally.changed('retained message read and set')
  }

  #newcomer(): SoakClient {
    return this.#make(`visitor-${++this.#number}`)
  }

  async #settle(client: SoakClient): Promise<void> {
    await client.connect(true)
    await client.subscribe(`to/${client.id}`, 1)
  }
}

async function within(holds: () => boolean, problem: string): Promise<void> {
  for (const end = Date.now() + 60_000; !holds(); ) {
    if (Date.now() > end) throw new Error(problem)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
