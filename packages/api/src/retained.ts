import type { Message } from './message.ts'

/** Where retained messages live. A store part implements it; `api/testing` has its conformance suite. */
export interface RetainedStore {
  /** Number of messages held. */
  readonly count: number
  /** Replaces the message of its topic. false: refused, the store is full (an update of a held topic never is). */
  put(message: Message): boolean
  /** true: there was one. */
  delete(topic: string): boolean
  get(topic: string): Message | undefined
  /**
   * The messages that a filter matches, oldest first. A leading wildcard does not match `$…` topics. The iterator may be
   * left and taken up again later, while the store changes: it yields each message that was there all the time exactly once.
   */
  match(filter: string): Iterator<Message>
  clear(): void
}
