import type { TopicSubscription } from './client.ts'
import type { Transport, TransportHandler } from './listener.ts'
import type { Message } from './message.ts'

/**
 * What a broker that is made of several members (processes, machines) leans on. Each session lives at one member; members tell each other what they
 * are subscribed to, and hand each other messages. A cluster part implements `Cluster`, the core `ClusterHost`; `api/testing` has the
 * conformance suite.
 *
 * Between two members everything arrives in the order in which it was handed over: announcements, messages, retained messages and `tell`.
 */

/** What a member wants messages for. */
export interface Announcement {
  /** A filter, or for members of a shared group the filter with its share prefix. */
  readonly filter: string
  /** Set for a member of a shared group. A filter without share prefix is announced once for all its subscribers. */
  readonly member?: {
    readonly clientId: string
    readonly options: TopicSubscription['options']
    /** It can take a message now: others are passed over while one can. */
    readonly available: boolean
  }
}

/** A message on its way to another member. Its id goes with it when somebody has seen it: it must be the same everywhere then. */
export interface ForwardedMessage extends Omit<Message, 'id'> {
  readonly seenId?: string
}

/** Whom a forwarded message is for: without one, everybody at that member whose filters match. */
export interface SharedTarget {
  /** With its share prefix. */
  readonly filter: string
  readonly clientId: string
}

/** A change of the retained message of one topic. Of two changes the one with the greater stamp holds, wherever they were made. */
export interface RetainedChange {
  readonly topic: string
  /** Absent: the message was taken away. */
  readonly message?: ForwardedMessage
  /** Milliseconds since the epoch, never twice the same at one member. */
  readonly stamp: number
  /** The message is also routed to everybody at that member whose filters match. */
  readonly route: boolean
}

/** How many receivers a message has at other members: each of them adds its own before `Cluster.taken` settles. */
export interface Tally {
  receivers: number
}

/** Another member. */
export interface ClusterMember {
  readonly name: string
  /** false: it is away, and what is handed over is kept for it, within the cluster's bounds. */
  readonly connected: boolean
  forward(message: ForwardedMessage, to?: SharedTarget, tally?: Tally): void
  /**
   * A QoS 0 PUBLISH without retain flag, for everybody at that member whose filters match, as the bytes of its packet (MQTT 3.1.1 or 5 without
   * properties). They are copied before the call returns.
   */
  forwardFrame(frame: Uint8Array, start: number, end: number, version: 4 | 5, from: string): void
  /** Asks what `ClusterHost.requested` of that member answers. Rejects when it is away or leaves, or after the cluster's patience. */
  request(subject: string, value: unknown): Promise<unknown>
}

export interface Cluster {
  /** Of this member; unique. */
  readonly name: string
  /** This member does what is to be done once for all of them, such as `$SYS`. */
  readonly leads: boolean
  /** Names of all members that there may be, this one included, in the same order everywhere. */
  readonly names: readonly string[]
  /** The member that holds the session of a client id, as far as the cluster lays that down: this one when it does not. */
  owner(clientId: string): string
  /** Joins. Resolves when it knows what the present members have announced and retained. */
  start(host: ClusterHost): Promise<void>
  /** Leaves; what was handed over is sent, as far as that is possible within `timeout` milliseconds. */
  stop(timeout?: number): Promise<void>
  /** To all members, those that come later included. The same filter and client once more replaces what was said of it. */
  announce(announcement: Announcement): void
  withdraw(filter: string, clientId?: string): void
  /** To all members. */
  retain(change: RetainedChange, tally?: Tally): void
  /** To all members that are there. */
  tell(subject: string, value: unknown): void
  /**
   * Settles when every member has taken all that was handed over until now, and what it stored of it is safe; or will not, because it has been away for too long
   * or this one stops: then false. What was handed over may be lost then.
   * Never rejects. undefined: nothing is on its way.
   */
  taken(): Promise<boolean> | undefined
  /** More waits for a member than should: who can slow its messages down does so until `ClusterHost.relieved`. */
  readonly congested: boolean
  /**
   * Hands a connection to the owner of its session, together with the bytes that came in. Returns what takes its events from now on; undefined: that
   * member cannot be reached.
   * @param admission for `ListenerHost.accept` over there; something that the structured clone algorithm can copy
   */
  handOver(owner: string, transport: Transport, bytes: Uint8Array, admission?: unknown): TransportHandler | undefined
  /** Counters, such as messages forwarded; names without prefix. */
  counters(): Readonly<Record<string, number>>
}

/** What a cluster calls. None of these throws. */
export interface ClusterHost {
  /** Everything that the member announces follows. */
  joined(member: ClusterMember): void
  /** It is away. It may come back: until `forgotten` its announcements stay. */
  left(member: ClusterMember): void
  /** It is back or gone for good: what it announced is void; what it announces anew follows. */
  forgotten(member: ClusterMember): void
  announced(member: ClusterMember, announcement: Announcement): void
  withdrawn(member: ClusterMember, filter: string, clientId?: string): void
  /** Returns the number of receivers. */
  received(member: ClusterMember, message: ForwardedMessage, to?: SharedTarget): number
  /** As `ClusterMember.forwardFrame`; the bytes are only borrowed. */
  receivedFrame(member: ClusterMember, frame: Buffer, start: number, end: number, version: 4 | 5, from: string): void
  /** Returns the number of receivers that it was routed to. */
  retained(member: ClusterMember, change: RetainedChange): number
  /** All retained messages, for a member that joins: undefined is a step without a message. */
  retainedMessages(): Iterator<Message | undefined>
  requested(member: ClusterMember, subject: string, value: unknown): unknown
  told(member: ClusterMember, subject: string, value: unknown): void
  /**
   * How far this member has come with what another one forwards and retains, in words of the cluster's own. Called in the run of synchronous code in
   * which it was received: kept in the store together with what was stored of it.
   */
  reached(member: ClusterMember, position: string): void
  /** What `reached` said last of that member, as far as it was stored; of an earlier run too. */
  position(member: ClusterMember): string | undefined
  /** Settles when what was received so far is as safe as the store makes it; undefined: it is. */
  settled(): Promise<void> | undefined
  /** `congested` turned false. */
  relieved(): void
}
