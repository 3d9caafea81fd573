/** A message that waits for a session or is on its way to its client, as a store keeps it. */
export interface StoredDelivery {
  /** Orders the messages of a session. */
  readonly sequence: number
  /** 0: it waits. Else it was given this identifier, and may have been sent. */
  readonly packetId: number
  /** PUBREC has come for it; PUBCOMP is what is missing. */
  readonly released: boolean
  /** As it is delivered. */
  readonly qos: 1 | 2
  readonly retain: boolean
  readonly subscriptionIdentifiers: readonly number[] | undefined
  /** `$share/group/filter`, when the session was chosen from it. */
  readonly share: string | undefined
  /**
   * The message itself, in the core's own form. Receivers of one message that come one after the other share it: it is the same object for all
   * of them. A store that is given one must not keep it: its bytes are used again.
   */
  readonly body: Uint8Array
  /** Bytes that it counts for in `queuedBytes`; undefined: the length of the body. */
  readonly size?: number
}

/** Options of a subscription: bits 0-1 QoS, 2 no local, 3 retain as published, 4-5 retain handling. */
export type SubscriptionBits = number

/**
 * Of many sessions, what has to be known of each at the start, in the order of their numbers; in few large values, because there may be
 * millions. `numbers[owners[i]]` is the session that subscribed to `filters[i]`; owners ascend.
 */
export interface SessionIndexPage {
  readonly numbers: Float64Array
  /** UTF-8, a zero byte behind each. */
  readonly clientIds: Uint8Array
  /** As in `putSession`; -1: never. */
  readonly dues: Float64Array
  /** Messages that wait, their bytes, and those in flight. */
  readonly waiting: Uint32Array
  readonly waitingBytes: Float64Array
  readonly inflight: Uint32Array
  readonly owners: Uint32Array
  readonly filters: readonly string[]
  readonly bits: Uint8Array
  /** Subscription identifiers; 0 = none. */
  readonly identifiers: Uint32Array
}

/** All of one session but its queue. */
export interface StoredSession {
  readonly record: Uint8Array
  /** Packet identifiers of QoS 2 messages from the client that wait for PUBREL, and since when (milliseconds since the epoch). */
  readonly awaiting: readonly (readonly [packetId: number, since: number])[]
  /** In the order of their sequence. */
  readonly inflight: readonly StoredDelivery[]
  /** Messages that wait, and the bytes of their bodies. */
  readonly queued: number
  readonly queuedBytes: number
}

export interface QueuePage {
  readonly deliveries: readonly StoredDelivery[]
  /** There may be more behind the last one. */
  readonly more: boolean
}

export interface RetainedPage {
  readonly topics: readonly string[]
  readonly bodies: readonly Uint8Array[]
}

/** Who is told what becomes of batches. Called on the main thread, never from inside a call to the store. */
export interface SessionStoreObserver {
  /** All batches up to this one are as safe as the store makes them. */
  committed(batch: number): void
  /** The store failed and will be tried again (`problem` says how), or works again (undefined). */
  troubled(problem: string | undefined): void
}

/**
 * What outlives the broker: sessions with their subscriptions and messages, and retained messages. Batch-shaped: changes are called out
 * one after the other, return at once, and join the batch at hand; the store writes one batch after the other, each of them whole or
 * not at all, and never gives one up: while the disk fails it tries again, and what comes meanwhile waits. Changes that are made in one
 * run of synchronous code are never in different batches.
 *
 * Sessions and messages are told by numbers below 2^53 that the caller makes from `run`, so that none is ever used twice.
 */
export interface SessionStore {
  /** Grows by at least 1 each time when a store is opened; below 2^16. */
  readonly run: number
  /** The batch that changes join now; it and those before are safe when `committed` has reached it. */
  readonly batch: number
  /** The last batch that something was changed in; 0: none. */
  readonly last: number
  readonly committed: number
  /** Counts changes: what has not moved it has changed nothing. */
  readonly changes: number
  /** Bytes of changes that are not committed. */
  readonly waitingBytes: number
  /** What is wrong, in one line; undefined: it works. */
  readonly problem: string | undefined
  observe(observer: SessionStoreObserver): void

  /** `due`: milliseconds since the epoch when somebody has to look after the session; undefined = never. `record`: the core's own form. */
  putSession(session: number, clientId: string, due: number | undefined, record: Uint8Array): void
  /** The session, and all that is stored for it. */
  deleteSession(session: number): void
  putSubscription(session: number, filter: string, bits: SubscriptionBits, identifier: number): void
  deleteSubscription(session: number, filter: string): void
  append(session: number, delivery: StoredDelivery): void
  /** The message was given its packet identifier, or was released by PUBREC; or, with 0, has lost its identifier and waits again. */
  advance(session: number, sequence: number, packetId: number, released: boolean): void
  remove(session: number, sequence: number): void
  putAwaiting(session: number, packetId: number, since: number): void
  deleteAwaiting(session: number, packetId: number): void
  putRetained(topic: string, body: Uint8Array): void
  deleteRetained(topic: string): void
  clearRetained(): void
  /** A text under a name, for who must know afterwards which changes were made. The same name again replaces it. */
  putMark(name: string, text: string): void

  /** Resolves when all that was changed until now is committed. Rejects when the store is closed before. */
  settled(): Promise<void>
  /** Reads see all that was changed before the call. They reject when the store cannot be read. No numbers: nothing is behind `after`. */
  readIndex(after: number, limit: number): Promise<SessionIndexPage>
  readSession(session: number): Promise<StoredSession | undefined>
  /** Messages that wait, behind `after`; ends with the one that reaches `bytes`. */
  readQueue(session: number, after: number, limit: number, bytes: number): Promise<QueuePage>
  /** Client ids of sessions that are due between two times (both included), the earliest first. */
  readDue(from: number, to: number, limit: number): Promise<readonly string[]>
  /** Topics behind `after`, in the order of their code points. */
  readRetained(after: string, limit: number): Promise<RetainedPage>
  /** All of them, by name. */
  readMarks(): Promise<ReadonlyMap<string, string>>
}
