import type { Message, RetainedStore } from '@hookmq/api'

/** What stands between a store and all others. */
export interface Governor {
  expired(message: Message): boolean
  /** A topic's message was stored or taken away; undefined: all were. */
  changed(topic: string | undefined): void
  /** Somebody changed it, and it has not just expired: other processes have to know. A topic of undefined: all of them are taken away. */
  told(topic: string | undefined, message: Message | undefined): void
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
    if (!this.replicate(message.topic, message)) return false
    this.#governor.told(message.topic, message)
    return true
  }

  /** A change that need not be told to others. */
  replicate(topic: string, message: Message | undefined): boolean {
    if (message === undefined ? !this.#store.delete(topic) : !this.#store.put(message)) return false
    this.#governor.changed(topic)
    return true
  }

  delete(topic: string): boolean {
    this.#governor.told(topic, undefined)
    return this.replicate(topic, undefined)
  }

  /** [MQTT-3.3.2-5]: what has expired is found when it is read, which is when it matters. */
  get(topic: string): Message | undefined {
    const message = this.#store.get(topic)
    if (message === undefined || !this.#governor.expired(message)) return message
    this.replicate(topic, undefined)
    return undefined
  }

  match(filter: string): Generator<Message | undefined, void, undefined> {
    return this.#unexpired(this.#store.match(filter))
  }

  all(): Generator<Message | undefined, void, undefined> {
    return this.#unexpired(this.#store.all())
  }

  /** As `match`, with what has expired: who reads asks `lives` for each. */
  read(filter: string): Iterator<Message | undefined> {
    return this.#store.match(filter)
  }

  /** false: it has expired, and is kept no longer. */
  lives(message: Message): boolean {
    if (!this.#governor.expired(message)) return true
    this.replicate(message.topic, undefined)
    return false
  }

  *#unexpired(messages: Iterator<Message | undefined>): Generator<Message | undefined, void, undefined> {
    for (let next = messages.next(); next.done !== true; next = messages.next()) {
      const message = next.value
      // What has expired counts as a step: a long run of such messages must not hold the loop up.
      yield message === undefined || this.lives(message) ? message : undefined
    }
  }

  clear(): void {
    this.#governor.told(undefined, undefined)
    this.wipe()
  }

  /** As `clear`; need not be told to others. */
  wipe(): void {
    this.#store.clear()
    this.#governor.changed(undefined)
  }
}
