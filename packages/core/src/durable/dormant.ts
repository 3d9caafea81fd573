import type { SessionIndexPage } from '@hookmq/api'

/** Sessions of one page at most. */
export const pageLength = 8192

/** Tables that grow one by one: to make all of them larger at once would hold up everything else. */
const shardCount = 256

/** What the index tells of the messages of a session. */
export interface Counts {
  readonly waiting: number
  readonly waitingBytes: number
  readonly inflight: number
}

interface Page extends Pick<SessionIndexPage, 'waiting' | 'waitingBytes' | 'inflight'> {
  readonly ids: Buffer
  /** Where each client id ends; its zero byte lies there. */
  readonly ends: Uint32Array
  readonly hashes: Uint32Array
  /** 0: it is not dormant any more. */
  readonly numbers: Float64Array
}

/**
 * Sessions of earlier runs that nobody has needed yet, in few large pieces of memory: an object for each of a million would take
 * half a gigabyte. A session is told by its place, which never changes.
 */
export class Dormant {
  readonly #pages: Page[] = []
  /** Open addressing; a slot holds a place + 1. */
  readonly #shards: Int32Array[] = Array.from({ length: shardCount }, () => new Int32Array(16))
  readonly #filled = new Uint32Array(shardCount)
  /** Nobody who chooses client ids can know what falls together. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32)
  #size = 0

  get size(): number {
    return this.#size
  }

  /**
   * Returns the place of the first one; the others follow. `repeated` is told of a client id that is there already, before the later session
   * takes its place.
   */
  add(page: SessionIndexPage, repeated: (clientId: string) => void): number {
    const { length } = page.numbers
    const ids = Buffer.from(page.clientIds.buffer, page.clientIds.byteOffset, page.clientIds.byteLength)
    const ends = new Uint32Array(length)
    const hashes = new Uint32Array(length)
    const { waiting, waitingBytes, inflight } = page
    const first = this.#pages.length * pageLength
    this.#pages.push({ ids, ends, hashes, numbers: page.numbers.slice(), waiting, waitingBytes, inflight })
    for (let index = 0, start = 0; index < length; index++) {
      const end = ids.indexOf(0, start)
      const hash = hashOf(ids, start, end, this.#seed)
      ends[index] = end
      hashes[index] = hash
      const found = this.#find(ids, start, end, hash)
      if (found !== undefined) {
        repeated(this.clientId(found))
        this.remove(found)
      }
      this.#insert(hash, first + index)
      this.#size++
      start = end + 1
    }
    return first
  }

  /** The place of a session that is dormant still. */
  find(clientId: string): number | undefined {
    if (this.#size === 0) return undefined
    const id = Buffer.from(clientId)
    const place = this.#find(id, 0, id.length, hashOf(id, 0, id.length, this.#seed))
    return place === undefined || this.number(place) === 0 ? undefined : place
  }

  clientId(place: number): string {
    const { page, index } = this.#at(place)
    return page.ids.toString('utf8', startOf(page, index), page.ends[index])
  }

  /** 0: not dormant any more. */
  number(place: number): number {
    const { page, index } = this.#at(place)
    return page.numbers[index] ?? 0
  }

  counts(place: number): Counts {
    const { page, index } = this.#at(place)
    return {
      waiting: page.waiting[index] ?? 0,
      waitingBytes: page.waitingBytes[index] ?? 0,
      inflight: page.inflight[index] ?? 0,
    }
  }

  /** It is dormant no more. */
  remove(place: number): void {
    const { page, index } = this.#at(place)
    if (page.numbers[index] === 0) return
    page.numbers[index] = 0
    this.#size--
  }

  /** Places of all that are dormant. */
  *places(): IterableIterator<number> {
    for (const [number, page] of this.#pages.entries()) {
      for (let index = 0; index < page.numbers.length; index++)
        if (page.numbers[index] !== 0) yield number * pageLength + index
    }
  }

  #at(place: number): { page: Page; index: number } {
    const page = this.#pages[Math.floor(place / pageLength)]
    if (page === undefined) throw new RangeError(`no dormant session at ${place}`)
    return { page, index: place % pageLength }
  }

  /** Also one that is dormant no more. */
  #find(id: Buffer, start: number, end: number, hash: number): number | undefined {
    const shard = this.#shards[hash % shardCount] as Int32Array
    const mask = shard.length - 1
    let gone: number | undefined
    for (let slot = (hash >>> 8) & mask; ; slot = (slot + 1) & mask) {
      const place = (shard[slot] as number) - 1
      if (place < 0) return gone
      const page = this.#pages[Math.floor(place / pageLength)] as Page
      const index = place % pageLength
      if (page.hashes[index] !== hash) continue
      if (page.ids.compare(id, start, end, startOf(page, index), page.ends[index]) !== 0) continue
      if (page.numbers[index] !== 0) return place
      gone = place
    }
  }

  #insert(hash: number, place: number): void {
    const number = hash % shardCount
    let shard = this.#shards[number] as Int32Array
    const filled = (this.#filled[number] as number) + 1
    this.#filled[number] = filled
    if (2 * filled > shard.length) {
      const smaller = shard
      shard = new Int32Array(2 * smaller.length)
      for (const filledSlot of smaller) {
        if (filledSlot === 0) continue
        const page = this.#pages[Math.floor((filledSlot - 1) / pageLength)] as Page
        put(shard, page.hashes[(filledSlot - 1) % pageLength] as number, filledSlot)
      }
      this.#shards[number] = shard
    }
    put(shard, hash, place + 1)
  }
}

function put(shard: Int32Array, hash: number, value: number): void {
  const mask = shard.length - 1
  let slot = (hash >>> 8) & mask
  while (shard[slot] !== 0) slot = (slot + 1) & mask
  shard[slot] = value
}

function startOf({ ends }: Page, index: number): number {
  return index === 0 ? 0 : (ends[index - 1] as number) + 1
}

function hashOf(bytes: Buffer, start: number, end: number, seed: number): number {
  let hash = seed
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x5bd1e995)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
