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
  /** Every message, those of `$…` topics too, in the same way as `match`. */
  all(): Iterator<Message | undefined>
  clear(): void
}

/**
 * What a plugin wants to hold for retained messages while it is loaded. What it leaves out stays as the broker has it; of two
 * plugins that set the same, the one loaded last holds.
 */
export interface RetainedPolicy {
  /** Messages held at most; 0 = no limit. A new topic beyond it is delivered but not stored, an update always is. */
  readonly maxMessages?: number
  /** Bytes; 0 = no limit. A longer payload is delivered but not stored, and the topic keeps its previous message. */
  readonly maxPayload?: number
  /**
   * Milliseconds, 0 = never: after so long a message is neither sent nor kept, unless it has a Message Expiry Interval of its own.
   * `$SYS/…` is exempt.
   */
  readonly expiry?: number
  /** Messages stored per second; 0 = no limit. What comes beyond it is delivered but not stored. */
  readonly storeRate?: number
  /** Retained messages sent to new subscriptions per second, by the whole broker; 0 = no limit. Beyond it they wait. */
  readonly deliveryRate?: number
  /** A message of this topic was stored or taken away; undefined: all were. What holds now is in `admin.retained`. */
  changed?(topic: string | undefined): void
}
