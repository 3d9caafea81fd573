import type { Message, RetainedStore } from '@hookmq/api'

/** What stands between a store and all others. */
export interface Governor {
  expired(message: Message): boolean
  /** A topic's message was stored or taken away; undefined: all were. */
  changed(topic: string | undefined): void
  /** No room for a topic that is not held yet. */
  full(): boolean
}

/** A store as everybody but its governor sees it: without what has expired, and with every change made known. */
export class GovernedStore implements RetainedStore {
  readonly #store: RetainedStore
  readonly #governor: Governor

  constructor(store: RetainedStore, governor: Governor) {
    this.#store = store
    this.#governor = governor
  }

  get count(): number {
    return this.#store.count
  }

  put(message: Message): boolean {
    if (this.#governor.full() && this.#store.get(message.topic) === undefined) return false
    if (!this.#store.put(message)) return false
    this.#governor.changed(message.topic)
    return true
  }

  delete(topic: string): boolean {
    if (!this.#store.delete(topic)) return false
    this.#governor.changed(topic)
    return true
  }

  /** [MQTT-3.3.2-5]: what has expired is found when it is read, which is when it matters. */
  get(topic: string): Message | undefined {
    const message = this.#store.get(topic)
    if (message === undefined || !this.#governor.expired(message)) return message
    this.delete(topic)
    return undefined
  }

  match(filter: string): Generator<Message | undefined, void, undefined> {
    return this.#unexpired(this.#store.match(filter))
  }

  all(): Generator<Message | undefined, void, undefined> {
    return this.#unexpired(this.#store.all())
  }

  *#unexpired(messages: Iterator<Message | undefined>): Generator<Message | undefined, void, undefined> {
    for (let next = messages.next(); next.done !== true; next = messages.next()) {
      const message = next.value
      if (message !== undefined && this.#governor.expired(message)) {
        this.delete(message.topic)
        // Counts as a step: a long run of expired messages must not hold the loop up.
        yield undefined
      } else yield message
    }
  }

  clear(): void {
    this.#store.clear()
    this.#governor.changed(undefined)
  }
}
