import { topicMatches } from '@hookmq/mqtt'
import type { Message } from '../message.ts'
import type { RetainedStore } from '../retained.ts'
import { retainedStoreSuite } from './retained-store-suite.ts'

/** The plainest store that keeps the contract: shows that the suite asks for nothing else. */
class PlainStore implements RetainedStore {
  readonly #messages = new Map<string, Message>()
  readonly #maximum: number

  constructor(maximum: number) {
    this.#maximum = maximum
  }

  get count(): number {
    return this.#messages.size
  }

  put(message: Message): boolean {
    const isNew = !this.#messages.delete(message.topic)
    if (isNew && this.#maximum !== 0 && this.#messages.size === this.#maximum) return false
    this.#messages.set(message.topic, { ...message, payload: new Uint8Array(message.payload) })
    return true
  }

  delete(topic: string): boolean {
    return this.#messages.delete(topic)
  }

  get(topic: string): Message | undefined {
    return this.#messages.get(topic)
  }

  match(filter: string): Iterator<Message | undefined> {
    return this.#match(filter, [...this.#messages.values()])
  }

  all(): Iterator<Message | undefined> {
    return this.#all([...this.#messages.values()])
  }

  *#all(messages: readonly Message[]): Generator<Message | undefined> {
    for (const message of messages) yield this.#messages.get(message.topic) === message ? message : undefined
  }

  *#match(filter: string, messages: readonly Message[]): Generator<Message | undefined> {
    for (const message of messages) {
      const stayed = this.#messages.get(message.topic) === message
      yield stayed && topicMatches(filter, message.topic) ? message : undefined
    }
  }

  clear(): void {
    this.#messages.clear()
  }
}

retainedStoreSuite('a plain list', ({ maximum }) => new PlainStore(maximum))
