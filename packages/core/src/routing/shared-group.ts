import type { SharedStrategy } from '../options.ts'
import { StoredRoute } from './route.ts'
import type { Receiver, Route, SharedGroup, StoredOptions } from './types.ts'

/** Up to here members are looked for in the array: a map would cost more than it saves. */
const smallGroup = 8

/** The members of one `$share/name/filter`. It is live: those who hold it see members come and go. */
export class Group implements SharedGroup {
  readonly name: string
  readonly filter: string
  /** `$share/name` or `$queue`: tells `$queue/f` from a group that is named `$queue`. */
  readonly prefix: string
  readonly #strategy: SharedStrategy
  readonly #random: () => number
  readonly #members: StoredRoute[] = []
  #positions: Map<Receiver, number> | undefined = undefined
  #cursor = 0
  /** Positions in the order of the members' ids, which is the same in every process of a broker. */
  #byId: number[] | undefined = undefined
  #sticky: StoredRoute | undefined = undefined

  constructor(prefix: string, name: string, filter: string, strategy: SharedStrategy, random: () => number) {
    this.prefix = prefix
    this.name = name
    this.filter = filter
    this.#strategy = strategy
    this.#random = random
  }

  get size(): number {
    return this.#members.length
  }

  members(): IterableIterator<Route> {
    return this.#members.values()
  }

  member(id: string): Route | undefined {
    return this.#members.find(({ receiver }) => receiver.id === id)
  }

  /** true: the receiver was not a member yet. */
  add(receiver: Receiver, options: StoredOptions): boolean {
    const route = StoredRoute.of(receiver, options)
    const position = this.#find(receiver)
    this.#byId = undefined
    if (position !== -1) {
      if (this.#sticky === this.#members[position]) this.#sticky = route
      this.#members[position] = route
      return false
    }
    this.#members.push(route)
    if (this.#positions !== undefined) this.#positions.set(receiver, this.#members.length - 1)
    else if (this.#members.length > smallGroup) {
      this.#positions = new Map(this.#members.map((member, index) => [member.receiver, index]))
    }
    return true
  }

  remove(receiver: Receiver): StoredRoute | undefined {
    const position = this.#find(receiver)
    if (position === -1) return undefined
    this.#byId = undefined
    const removed = this.#members[position]
    const last = this.#members.pop() as StoredRoute
    if (last !== removed) {
      this.#members[position] = last
      this.#positions?.set(last.receiver, position)
    }
    this.#positions?.delete(receiver)
    if (this.#sticky === removed) this.#sticky = undefined
    return removed
  }

  /**
   * The member for one message [MQTT-4.8.2-4]: by strategy; when that one cannot take it now, the next that can; when none
   * can, one that keeps it until it can. Undefined when `exclude` leaves nobody.
   */
  pick(from: string, topic: string, exclude?: ReadonlySet<Receiver>): Route | undefined {
    const members = this.#members
    const count = members.length
    const start = this.#start(from, topic, count)
    let fallback: StoredRoute | undefined
    for (let step = 0; step < count; step++) {
      const position = start + step < count ? start + step : start + step - count
      const member = members[position]
      if (exclude?.has(member.receiver)) continue
      if (member.receiver.available) {
        this.#cursor = position + 1
        // A message that goes around the sticky member does not move the others away from it.
        if (exclude === undefined) this.#sticky = member
        return member
      }
      fallback ??= member
    }
    if (fallback !== undefined) this.#cursor++
    return fallback
  }

  #start(from: string, topic: string, count: number): number {
    switch (this.#strategy) {
      case 'round_robin':
        return this.#cursor < count ? this.#cursor : 0
      case 'hash_clientid':
        return this.#hashed(from, count)
      case 'hash_topic':
        return this.#hashed(topic, count)
      case 'sticky': {
        const position = this.#sticky === undefined ? -1 : this.#find(this.#sticky.receiver)
        if (position !== -1) return position
        break
      }
    }
    let position = 0
    // A few draws, so that the neighbour of a run of absent members does not get all of their messages.
    for (let draw = 0; draw < 4; draw++) {
      position = Math.floor(this.#random() * count)
      if (count === 0 || this.#members[position].receiver.available) break
    }
    return position
  }

  #hashed(text: string, count: number): number {
    if (count === 0) return 0
    const members = this.#members
    this.#byId ??= members
      .map((_, position) => position)
      .sort((one, other) => (members[one].receiver.id < members[other].receiver.id ? -1 : 1))
    return this.#byId[hashOf(text) % count]
  }

  #find(receiver: Receiver): number {
    if (this.#positions !== undefined) return this.#positions.get(receiver) ?? -1
    for (let index = 0; index < this.#members.length; index++) {
      if (this.#members[index].receiver === receiver) return index
    }
    return -1
  }
}

/** FNV-1a, 32 bits, with a last mix so that the low bits are good for a small modulus. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x85ebca6b) >>> 0
}
