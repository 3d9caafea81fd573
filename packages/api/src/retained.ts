import type { Message } from './message.ts'

/** Where retained messages live. A store part implements it; `api/testing` has its conformance suite. */
export interface RetainedStore {
  /** Number of messages held. */
  readonly count: number
  /**
   * Replaces the message of its topic, which becomes the newest. false: refused, the store is full (an update of a held topic
   * never is). The payload is copied: the caller's may lie in a buffer that is reused, or keep a big one alive.
   */
  put(message: Message): boolean
  /** true: there was one. */
  delete(topic: string): boolean
  get(topic: string): Message | undefined
  /**
   * The messages that a filter (without share prefix) matches, oldest first. A leading wildcard does not match `$…` topics. The
   * iterator may be left and taken up again later, while the store changes: it yields each message that was there all the
   * time exactly once, none that was deleted or replaced before its turn, and none that came after the call of `match`: who
   * asks has subscribed before, and gets that one live.
   *
   * It yields undefined when it has looked at a few hundred messages and found none that matches: a caller that
   * counts these too, and gives way to the event loop after a batch, never blocks it, however big the store.
   */
  match(filter: string): Iterator<Message | undefined>
  clear(): void
}
