import type { Message, PluginContext } from '@hookmq/api'
import { readStoredMessage, storeMessage } from '@hookmq/kit'
import { inTurns, turn } from './in-turns.ts'

/** Keys of the store. */
const prefix = 'message/'
const runKey = 'run'

/** Milliseconds that changes are gathered before they are written, and before a failed write is tried again. */
const gathering = 50
const retrying = 1000
/** Writes at a time. */
const parallel = 64

/** Keeps the store as the retained messages in memory are, a moment later. */
export class DiscCopy {
  readonly #ctx: PluginContext
  /** Topics whose message in the store may be another one. */
  readonly #dirty = new Set<string>()
  /** What lay in the store and did not fit while the broker's own limits held. */
  #waiting: Message[] = []
  #scheduled = false
  #writing: Promise<void> | undefined
  #settled = false

  constructor(ctx: PluginContext) {
    this.#ctx = ctx
  }

  /** Puts what an earlier run left into memory, oldest first, unless the topic has a newer message already. */
  async restore(): Promise<void> {
    const { store, admin } = this.#ctx
    // In the run that wrote it memory is right, and knows what was cleared meanwhile.
    if ((await store.get(runKey)) === admin.startedAt) return
    const messages: Message[] = []
    let unreadable = 0
    for await (const [, value] of store.list(prefix)) {
      const message = readStoredMessage(value)
      if (message === undefined) unreadable++
      else messages.push(message)
    }
    if (unreadable > 0)
      this.#ctx.log.error('retained messages in the store cannot be read; left there', { count: unreadable })
    messages.sort((one, other) => one.timestamp - other.timestamp || (one.id < other.id ? -1 : 1))
    this.#waiting = await this.#put(messages)
  }

  async #put(messages: readonly Message[]): Promise<Message[]> {
    const { retained } = this.#ctx.admin
    const left: Message[] = []
    let count = 0
    for (const message of messages) {
      if (retained.get(message.topic) === undefined && !retained.put(message)) left.push(message)
      if (++count % 500 === 0) await turn()
    }
    return left
  }

  /** Once the plugin's limits hold: the rest of what was read, and what memory has that the store has not. */
  async settle(): Promise<void> {
    const { store, admin, log, signal } = this.#ctx
    const left = await this.#put(this.#waiting)
    if (left.length > 0)
      log.warn('stored retained messages beyond the limit; left in the store', { count: left.length })
    const kept = new Set(left.map(({ topic }) => topic))
    this.#waiting = []
    const stored = new Map<string, string>()
    for await (const [key, value] of store.list(prefix))
      stored.set(key.slice(prefix.length), readStoredMessage(value)?.id ?? '')
    for (const topic of stored.keys())
      if (admin.retained.get(topic) === undefined && !kept.has(topic)) this.#dirty.add(topic)
    await inTurns(
      admin.retained.all(),
      (message) => {
        if (stored.get(message.topic) !== message.id) this.#dirty.add(message.topic)
      },
      signal,
    )
    await store.put(runKey, admin.startedAt)
    this.#settled = true
    this.#schedule(0)
  }

  changed(topic: string | undefined): void {
    if (topic === undefined) void this.#clear()
    else {
      this.#dirty.add(topic)
      this.#schedule(gathering)
    }
  }

  /** All were taken away. */
  async #clear(): Promise<void> {
    try {
      for await (const [key] of this.#ctx.store.list(prefix)) this.#dirty.add(key.slice(prefix.length))
      this.#schedule(0)
    } catch (error) {
      this.#ctx.log.error('cleared retained messages are still in the store', { error: String(error) })
    }
  }

  #schedule(delay: number): void {
    if (this.#scheduled || !this.#settled || this.#dirty.size === 0 || this.#ctx.signal.aborted) return
    try {
      this.#ctx.after(delay, async () => {
        this.#scheduled = false
        await this.#write()
      })
      this.#scheduled = true
    } catch {
      // The plugin is on its way out and gets no timers any more: close() writes the rest.
    }
  }

  async #write(): Promise<void> {
    if (this.#writing !== undefined) return
    this.#writing = this.#writeAll()
    const failed = await this.#writing.then(
      () => false,
      (error: unknown) => {
        this.#ctx.log.error('retained messages not stored; tried again', {
          topics: this.#dirty.size,
          error: String(error),
        })
        return true
      },
    )
    this.#writing = undefined
    this.#schedule(failed ? retrying : gathering)
  }

  async #writeAll(): Promise<void> {
    while (this.#dirty.size > 0) {
      const topics: string[] = []
      for (const topic of this.#dirty) if (topics.push(topic) >= parallel) break
      for (const topic of topics) this.#dirty.delete(topic)
      const results = await Promise.allSettled(topics.map((topic) => this.#writeOne(topic)))
      results.forEach((result, index) => {
        if (result.status === 'rejected') this.#dirty.add(topics[index])
      })
      const failed = results.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      await turn()
    }
  }

  /** What holds now, not what held when it changed. */
  async #writeOne(topic: string): Promise<void> {
    const { store, admin } = this.#ctx
    const message = admin.retained.get(topic)
    if (message === undefined) await store.delete(prefix + topic)
    else await store.put(prefix + topic, storeMessage(message))
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    await this.#writing?.catch(() => {})
    if (this.#settled) await this.#writeAll()
  }
}
