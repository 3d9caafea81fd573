import { createHmac, randomBytes } from 'node:crypto'
import type { AuthorizeRequest, Credential, HookPointName } from '@hookmq/api'

interface Remembered {
  readonly verdict: unknown
  readonly clientId: string
  /** Milliseconds on the clock of the cache. */
  readonly until: number
}

export interface VerdictCacheOptions {
  readonly ttl: number
  readonly negativeTtl: number
  readonly size: number
}

/** Whom an answer is about, and a key that is the same only for the same question. */
export interface CacheKey {
  readonly key: string
  readonly clientId: string
}

/** Answers of client.authenticate and client.authorize; the one that was not used for the longest time goes first. */
export class VerdictCache {
  readonly #options: VerdictCacheOptions
  readonly #now: () => number
  readonly #entries = new Map<string, Remembered>()
  /** Keys hold what was made of passwords: nobody who sees them can try passwords out. */
  readonly #secret = randomBytes(32)
  /** Changes when everything is forgotten: an answer to an older question is not kept. */
  generation = 0

  constructor(options: VerdictCacheOptions, now: () => number) {
    this.#options = options
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  /** undefined: the answer to this must not be remembered. */
  key(point: HookPointName, args: unknown, accumulator: unknown): CacheKey | undefined {
    if (point === 'client.authenticate') {
      const { client } = args as { readonly client: Credential }
      if (client.step !== 'connect' || client.authenticationMethod !== undefined) return undefined
      const password = client.password === undefined ? null : Buffer.from(client.password).toString('base64')
      return this.#hash(point, client.clientId, [{ ...client, ...ofConnection }, password, accumulator])
    }
    if (point !== 'client.authorize') return undefined
    const { client, ...request } = args as AuthorizeRequest
    return this.#hash(point, client.clientId, [{ ...client, ...ofConnection }, request, accumulator])
  }

  get({ key }: CacheKey): Remembered | undefined {
    const found = this.#entries.get(key)
    if (found === undefined) return undefined
    this.#entries.delete(key)
    if (found.until <= this.#now()) return undefined
    this.#entries.set(key, found)
    return found
  }

  /** `ttl`: as the provider said for this answer. */
  put({ key, clientId }: CacheKey, verdict: unknown, ttl: number | undefined): void {
    const kind = kindOf(verdict)
    if (kind === undefined) return
    const time = ttl ?? (kind === 'negative' ? this.#options.negativeTtl : this.#options.ttl)
    if (time <= 0) return
    this.#entries.delete(key)
    if (this.#entries.size >= this.#options.size) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
    this.#entries.set(key, { verdict, clientId, until: this.#now() + time })
  }

  /** All answers, or those about one client. Returns how many there were. */
  clean(clientId?: string): number {
    this.generation++
    if (clientId === undefined) {
      const { size } = this.#entries
      this.#entries.clear()
      return size
    }
    let count = 0
    for (const [key, entry] of this.#entries) if (entry.clientId === clientId && this.#entries.delete(key)) count++
    return count
  }

  #hash(point: HookPointName, clientId: string, parts: unknown): CacheKey {
    const hmac = createHmac('sha256', this.#secret).update(point).update('\0').update(JSON.stringify(parts))
    return { key: hmac.digest('base64'), clientId }
  }
}

/** What differs from one connection of a client to the next without being part of who it is. */
const ofConnection = { peerport: 0, password: undefined, state: undefined, expiresAt: undefined } as const

/** undefined: not one of the answers that mean the same the next time. */
function kindOf(verdict: unknown): 'positive' | 'negative' | undefined {
  if (verdict === undefined || verdict === 'ok' || verdict === 'stop') return 'positive'
  if (typeof verdict !== 'object' || verdict === null) return undefined
  if ('reject' in verdict) return 'negative'
  const value: unknown = 'stop' in verdict ? verdict.stop : 'ok' in verdict ? verdict.ok : undefined
  const result: unknown = typeof value === 'object' && value !== null && 'result' in value ? value.result : undefined
  if (result === 'allow' || result === 'ignore') return 'positive'
  return result === 'deny' ? 'negative' : undefined
}
