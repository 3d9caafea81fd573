import type { ConnInfo, HookHandle, HookHandler, PluginContext } from '@hookmq/api'
import { type AddressRange, readAddressRange } from '@hookmq/kit'
import { ApiError, badRequest } from '../http/errors.ts'

const PREFIX = 'banned/'
const MOST_BANS = 10_000
/** MQTT 5 reason code: Banned. */
const BANNED = 0x8a

export const banKinds = ['clientid', 'username', 'peerhost', 'peerhost_net'] as const
export type BanKind = (typeof banKinds)[number]

export interface Ban {
  readonly as: BanKind
  readonly who: string
  readonly by: string
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Milliseconds since the epoch; null = for ever. */
  readonly until: number | null
}

interface Told {
  readonly ban?: Ban
  /** Key of one that is over. */
  readonly forget?: string
}

/** Who may not connect. Held in memory, kept in the store. While nobody is banned nothing is hooked. */
export class Bans {
  readonly #ctx: PluginContext
  readonly #bans = new Map<string, Ban>()
  readonly #networks = new Map<string, AddressRange>()
  #hook: HookHandle | undefined

  private constructor(ctx: PluginContext) {
    this.#ctx = ctx
  }

  static async open(ctx: PluginContext): Promise<Bans> {
    const bans = new Bans(ctx)
    for await (const [, value] of ctx.store.list(PREFIX)) bans.#remember(value as Ban)
    bans.#hookWhenNeeded()
    ctx.members.onTold((value) => bans.#told(value as Told))
    return bans
  }

  get size(): number {
    return this.#bans.size
  }

  /** Those in force. */
  *values(): IterableIterator<Ban> {
    for (const ban of this.#bans.values()) if (this.#isInForce(ban)) yield ban
  }

  async add(ban: Ban): Promise<void> {
    const key = keyOf(ban.as, ban.who)
    if (ban.as === 'peerhost_net' && readAddressRange(ban.who) === undefined) {
      throw badRequest('body.who: expected an address range such as 10.0.0.0/8')
    }
    if (ban.until !== null && ban.until <= this.#ctx.now()) throw badRequest('body.until: has passed')
    const known = this.#bans.get(key)
    if (known !== undefined && this.#isInForce(known)) {
      throw new ApiError(400, 'ALREADY_EXISTS', `${ban.as} ${ban.who} is banned already`)
    }
    if (this.#bans.size >= MOST_BANS) await this.#forgetPast()
    if (this.#bans.size >= MOST_BANS) throw new ApiError(400, 'EXCEED_LIMIT', `there are ${MOST_BANS} bans already`)
    this.#remember(ban)
    this.#hookWhenNeeded()
    this.#ctx.members.tell({ ban } satisfies Told)
    await this.#ctx.store.put(PREFIX + key, ban)
  }

  /** false: not banned. */
  async remove(as: string, who: string): Promise<boolean> {
    const key = keyOf(as, who)
    const ban = this.#bans.get(key)
    if (ban === undefined) return false
    const was = this.#isInForce(ban)
    await this.#forget(key)
    return was
  }

  async clear(): Promise<void> {
    for (const key of [...this.#bans.keys()]) await this.#forget(key)
  }

  #remember(ban: Ban): void {
    const key = keyOf(ban.as, ban.who)
    this.#bans.set(key, ban)
    const range = ban.as === 'peerhost_net' ? readAddressRange(ban.who) : undefined
    if (range !== undefined) this.#networks.set(key, range)
  }

  /** Another worker of this broker has changed them, and the store. */
  #told({ ban, forget }: Told): void {
    if (ban !== undefined) this.#remember(ban)
    if (forget !== undefined) this.#drop(forget)
    this.#hookWhenNeeded()
  }

  #drop(key: string): void {
    this.#bans.delete(key)
    this.#networks.delete(key)
  }

  async #forget(key: string): Promise<void> {
    this.#drop(key)
    this.#hookWhenNeeded()
    this.#ctx.members.tell({ forget: key } satisfies Told)
    await this.#ctx.store.delete(PREFIX + key)
  }

  async #forgetPast(): Promise<void> {
    for (const [key, ban] of [...this.#bans]) if (!this.#isInForce(ban)) await this.#forget(key)
  }

  #isInForce({ until }: Ban): boolean {
    return until === null || until > this.#ctx.now()
  }

  #isBanned({ clientId, username, peerhost }: ConnInfo): boolean {
    const named = (as: BanKind, who: string | undefined): boolean => {
      const ban = who === undefined ? undefined : this.#bans.get(keyOf(as, who))
      return ban !== undefined && this.#isInForce(ban)
    }
    if (named('clientid', clientId) || named('username', username) || named('peerhost', peerhost)) return true
    for (const [key, range] of this.#networks) {
      const ban = this.#bans.get(key)
      if (ban !== undefined && this.#isInForce(ban) && range.contains(peerhost)) return true
    }
    return false
  }

  readonly #refuse: HookHandler<'client.connect'> = ({ connInfo }) =>
    this.#isBanned(connInfo) ? { reject: BANNED, reason: 'banned' } : undefined

  #hookWhenNeeded(): void {
    if (this.#bans.size === 0) {
      this.#hook?.remove()
      this.#hook = undefined
    } else {
      // Before anybody else looks at the client.
      this.#hook ??= this.#ctx.hook('client.connect', this.#refuse, { name: 'banned', priority: 1000 })
    }
  }
}

function keyOf(as: string, who: string): string {
  return `${as}/${who}`
}
