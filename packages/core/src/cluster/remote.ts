import type { ClusterMember } from '@hookmq/api'
import type { BrokerMessage } from '../message.ts'
import type { DeliveryTarget } from '../routing/target.ts'
import type { Receiver, Route, SharedGroup, StoredOptions } from '../routing/types.ts'
import type { Peers } from './peers.ts'

/** What a member gets its messages with: all that they have, whatever its own subscribers asked for. */
export const wholeMessage: StoredOptions = { qos: 2, noLocal: false, retainAsPublished: true, retainHandling: 0 }

/** Another member as one receiver among others: it gets a message once, and hands it to its own. */
export class RemoteMember implements DeliveryTarget {
  readonly member: ClusterMember
  readonly #peers: Peers
  /** Filters without share prefix. */
  readonly filters = new Set<string>()
  /** Its members of shared groups, by client id. */
  readonly clients = new Map<string, RemoteClient>()

  constructor(peers: Peers, member: ClusterMember) {
    this.#peers = peers
    this.member = member
  }

  get id(): string {
    return `member:${this.member.name}`
  }

  get available(): boolean {
    return this.member.connected
  }

  deliver(message: BrokerMessage): void {
    this.#peers.forward(this.member, message)
  }
}

/** A client of another member, as a member of a shared group. */
export class RemoteClient implements DeliveryTarget {
  readonly id: string
  /** With their share prefixes. */
  readonly filters = new Set<string>()
  /** As its own member said last. */
  ready = true
  readonly #peers: Peers
  readonly #member: ClusterMember

  constructor(peers: Peers, member: ClusterMember, id: string) {
    this.#peers = peers
    this.#member = member
    this.id = id
  }

  get available(): boolean {
    return this.ready && this.#member.connected
  }

  deliver(message: BrokerMessage, _route: Route, group?: SharedGroup): void {
    if (group === undefined) return
    this.#peers.forward(this.#member, message, { filter: `${group.prefix}/${group.filter}`, clientId: this.id })
  }
}

export function isRemote(receiver: Receiver): boolean {
  return receiver instanceof RemoteMember || receiver instanceof RemoteClient
}
