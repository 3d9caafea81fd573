import { type Message, type RetainedStore, topicMatches } from '@hookmq/api'
import { heldMessage } from './held-message.ts'
import { type Held, LevelTree } from './level-tree.ts'
import { OldestFirst } from './oldest-first.ts'

/** Messages or branches that one step of an iterator looks at. */
const slice = 256

/** Beyond so many matches they are not collected and put in order, but picked out of all messages in their order. */
const collectLimit = 16_384

/**
 * Retained messages in memory: gone when the process ends. Held twice: by topic in the order of their coming, and in a tree
 * by levels. A filter that matches few messages is looked up in the tree; one that matches many goes through the order.
 */
export class MemoryRetainedStore implements RetainedStore {
  readonly #maximum: number
  /** Oldest first: a message that replaces another moves to the end. */
  readonly #held = new Map<string, Held>()
  readonly #tree = new LevelTree()
  #sequence = 0

  /** `maximum`: messages held at most; 0 = no limit. */
  constructor(options: { maximum: number } = { maximum: 0 }) {
    this.#maximum = options.maximum
  }

  get count(): number {
    return this.#held.size
  }

  put(message: Message): boolean {
    const { topic } = message
    const known = this.#held.get(topic)
    if (known !== undefined) {
      known.gone = true
      this.#held.delete(topic)
    } else if (this.#maximum !== 0 && this.#held.size >= this.#maximum) return false
    const held: Held = { message: heldMessage(message), sequence: this.#sequence++, gone: false }
    this.#held.set(topic, held)
    this.#tree.set(topic, held)
    return true
  }

  delete(topic: string): boolean {
    const held = this.#held.get(topic)
    if (held === undefined) return false
    held.gone = true
    this.#held.delete(topic)
    this.#tree.delete(topic)
    return true
  }

  get(topic: string): Message | undefined {
    return this.#held.get(topic)?.message
  }

  clear(): void {
    for (const held of this.#held.values()) held.gone = true
    this.#held.clear()
    this.#tree.clear()
  }

  match(filter: string): Generator<Message | undefined, void, undefined> {
    if (!filter.includes('#') && !filter.includes('+')) return this.#single(this.#held.get(filter))
    // What comes from now on is none of this request's: who asks has subscribed, and gets it live.
    return this.#search(filter, this.#sequence)
  }

  all(): Generator<Message | undefined, void, undefined> {
    return this.#everything(this.#sequence)
  }

  *#everything(end: number): Generator<Message, void, undefined> {
    for (const held of this.#held.values()) {
      if (held.sequence >= end) return
      yield held.message
    }
  }

  *#single(held: Held | undefined): Generator<Message, void, undefined> {
    if (held !== undefined && !held.gone) yield held.message
  }

  *#search(filter: string, end: number): Generator<Message | undefined, void, undefined> {
    // `#` matches nearly everything: no use in collecting.
    const found = filter === '#' ? undefined : yield* this.#collect(filter)
    if (found === undefined) return yield* this.#inOrder(filter, end)
    let seen = 0
    for (let held = found.take(); held !== undefined && held.sequence < end; held = found.take()) {
      if (!held.gone) {
        seen = 0
        yield held.message
      } else if (++seen === slice) {
        seen = 0
        yield undefined
      }
    }
  }

  /** All that match, or undefined when they are too many. */
  *#collect(filter: string): Generator<undefined, OldestFirst | undefined, undefined> {
    const found = new OldestFirst()
    const walk = this.#tree.walk(filter)
    while (!walk.step(slice, found)) {
      if (found.size > collectLimit) return undefined
      yield undefined
    }
    return found
  }

  *#inOrder(filter: string, end: number): Generator<Message | undefined, void, undefined> {
    let seen = 0
    // A Map's iterator lives with changes: what is deleted is left out, what is added comes at the end.
    for (const [topic, held] of this.#held) {
      if (held.sequence >= end) return
      if (topicMatches(filter, topic)) {
        seen = 0
        yield held.message
      } else if (++seen === slice) {
        seen = 0
        yield undefined
      }
    }
  }
}
