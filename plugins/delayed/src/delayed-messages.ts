import type { Message, PluginContext } from '@hookmq/api'
import { readStoredMessage, type StoredMessage, storeMessage } from '@hookmq/kit'
import { Schedule, type Waiting } from './schedule.ts'

/** Messages after which the event loop gets a turn. */
const batch = 200

/** Milliseconds until a message is tried again that the broker's store could not take. */
const retryAfter = 1000

/** The value of a waiting message in the store; its key is the id of the message. */
interface Stored {
  readonly due: number
  readonly message: StoredMessage
}

/** What the workers of a broker tell each other. */
export interface Told {
  /** To the one that leads: another one has taken a message. */
  readonly message?: { readonly id: string; readonly stored: Stored }
  /** From the one that leads: so many wait. */
  readonly count?: number
  /** The settings were changed. */
  readonly limits?: Readonly<Record<string, unknown>>
}

/** The messages that wait: in the store with all they have, here only when which one is due. */
export class DelayedMessages {
  readonly #ctx: PluginContext
  readonly #schedule = new Schedule()
  readonly #counter
  /** On their way into the store. */
  #coming = 0
  /** With the one that leads, as it said last, and those that it has been told of since. */
  #elsewhere = 0
  #announced = 0
  #publishing = false

  constructor(ctx: PluginContext) {
    this.#ctx = ctx
    this.#counter = ctx.counter('messages.delayed')
  }

  get count(): number {
    return this.#schedule.size + this.#coming
  }

  /** Of all workers together. */
  get total(): number {
    return this.count + this.#elsewhere
  }

  /** Tells the other workers how many wait, if that has changed. */
  announce(): void {
    if (this.#announced === this.count) return
    this.#announced = this.count
    this.#ctx.members.tell({ count: this.count } satisfies Told)
  }

  /** In the order of coming. */
  page(start: number, limit: number): Waiting[] {
    const page: Waiting[] = []
    let index = 0
    for (const waiting of this.#schedule.values()) {
      if (index++ < start) continue
      if (page.push(waiting) >= limit) break
    }
    return page
  }

  /** Reads what an earlier run left. */
  async restore(): Promise<void> {
    let unreadable = 0
    for await (const [key, value] of this.#ctx.store.list()) {
      if (!isMessageKey(key)) continue
      const stored = readStored(value)
      if (stored === undefined) unreadable++
      else this.#schedule.add(waiting(key, stored.message, stored.due))
    }
    if (unreadable > 0)
      this.#ctx.log.error('delayed messages in the store cannot be read; left there', { count: unreadable })
    if (this.#schedule.size > 0)
      this.#ctx.log.info('delayed messages of before wait on', { count: this.#schedule.size })
  }

  /** Settles when it is as safe as the store makes it. */
  async add(message: Message, due: number): Promise<void> {
    this.#coming++
    try {
      // When it is due, it is a message like any other.
      const { delayedUntil: _, ...headers } = message.headers
      const stored: Stored = { due, message: { ...storeMessage(message), headers } }
      await this.#ctx.store.put(message.id, stored)
      if (this.#ctx.members.leads) this.#schedule.add(waiting(message.id, message, due))
      else {
        this.#elsewhere++
        this.#ctx.members.tell({ message: { id: message.id, stored } } satisfies Told)
      }
      this.#counter.add()
    } finally {
      this.#coming--
    }
  }

  /** A message is in the store already, unless each worker has a store of its own. */
  async told({ message, count }: Told): Promise<void> {
    if (count !== undefined) this.#elsewhere = count
    const { leads } = this.#ctx.members
    const read = message === undefined || !leads ? undefined : readStored(message.stored)
    if (message === undefined || read === undefined) return
    const { id, stored } = message
    if ((await this.#ctx.store.get(id)) === undefined) await this.#ctx.store.put(id, stored)
    this.#schedule.add(waiting(id, read.message, read.due))
  }

  async message(id: string): Promise<{ waiting: Waiting; message: Message } | undefined> {
    const known = this.#schedule.get(id)
    const stored = known === undefined ? undefined : readStored(await this.#ctx.store.get(id))
    return known === undefined || stored === undefined ? undefined : { waiting: known, message: stored.message }
  }

  async delete(id: string): Promise<boolean> {
    if (!this.#schedule.delete(id)) return false
    await this.#ctx.store.delete(id)
    return true
  }

  /** Publishes what is due, in its order. */
  async publishDue(): Promise<void> {
    if (this.#publishing) return
    this.#publishing = true
    try {
      let done = 0
      const { signal } = this.#ctx
      for (let next = this.#take(); next !== undefined && !signal.aborted; next = this.#take()) {
        if (!(await this.#publish(next))) this.#schedule.postpone(next, this.#ctx.now() + retryAfter)
        if (++done % batch === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      this.#publishing = false
    }
  }

  #take(): Waiting | undefined {
    return this.#schedule.take(this.#ctx.now())
  }

  /**
   * Out of the store only when it is published: a crash in between publishes it twice rather than never. false: sessions that would have to
   * get it are in a store that does not work now.
   */
  async #publish({ id, topic }: Waiting): Promise<boolean> {
    const { store, broker, log } = this.#ctx
    try {
      const stored = readStored(await store.get(id))
      if (stored !== undefined && this.#schedule.get(id) !== undefined) {
        const { payload, qos, retain, from, properties, headers } = stored.message
        await broker.publish({ topic, payload, qos, retain, from, properties, headers })
      }
    } catch (error) {
      if ((error as { code?: unknown }).code === 'STORE_DOWN') return false
      log.error('delayed message not published', { id, topic, error: String(error) })
    }
    try {
      await this.delete(id)
    } catch (error) {
      log.error('published message stays in the store, and will be published again after a restart', {
        id,
        error: String(error),
      })
    }
    return true
  }
}

/** Settings lie there, too. */
function isMessageKey(key: string): boolean {
  return /^[0-9A-F]{32}$/.test(key)
}

function waiting(id: string, message: Message, due: number): Waiting {
  const { topic, qos, from, headers, timestamp } = message
  return { id, topic, qos, from, username: headers.username, publishedAt: timestamp, due }
}

function readStored(value: unknown): { due: number; message: Message } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { due, message } = value as Partial<Stored>
  const read = readStoredMessage(message)
  return typeof due !== 'number' || !Number.isFinite(due) || read === undefined ? undefined : { due, message: read }
}
