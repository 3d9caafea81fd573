import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeyValueStore } from '@hookmq/api'
import type { Role } from '../http/endpoint.ts'
import { ApiError, badRequest } from '../http/errors.ts'

const PREFIX = 'api_key/'
const MOST_KEYS = 100

export interface ApiKeyView {
  readonly name: string
  readonly api_key: string
  /** RFC 3339, or 'infinity'. */
  readonly expired_at: string
  readonly expired: boolean
  readonly created_at: string
  readonly enable: boolean
  readonly desc: string
  readonly role: Role
}

interface StoredKey extends Omit<ApiKeyView, 'expired'> {
  /** SHA-256, base64: enough for a secret of 256 random bits. */
  readonly secret: string
}

export interface KeyChanges {
  readonly expired_at?: string
  readonly enable?: boolean
  readonly desc?: string
  readonly role?: Role
}

/** Keys for programs. Held in memory, kept in the store; secrets only as hashes, shown once when they are made. */
export class ApiKeys {
  readonly #store: KeyValueStore
  readonly #keys = new Map<string, StoredKey>()
  readonly #byKey = new Map<string, StoredKey>()
  readonly #now: () => number

  private constructor(store: KeyValueStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  static async open(store: KeyValueStore, now: () => number = Date.now): Promise<ApiKeys> {
    const keys = new ApiKeys(store, now)
    for await (const [, value] of store.list(PREFIX)) keys.#remember(value as StoredKey)
    return keys
  }

  /** A key that the configuration names: not stored, and not to be changed through the API. */
  addFixed(key: string, secret: string): void {
    this.#byKey.set(key, {
      name: key,
      api_key: key,
      secret: hashOf(secret),
      expired_at: 'infinity',
      created_at: new Date(this.#now()).toISOString(),
      enable: true,
      desc: 'from the configuration file',
      role: 'administrator',
    })
  }

  /** Who owns this key; undefined: unknown, off, expired, or the wrong secret. */
  verify(key: string, secret: string): { readonly name: string; readonly role: Role } | undefined {
    const stored = this.#byKey.get(key)
    const right = sameText(stored?.secret ?? hashOf(''), hashOf(secret))
    if (stored === undefined || !right || !stored.enable || this.#hasExpired(stored)) return undefined
    return { name: stored.name, role: stored.role }
  }

  list(): ApiKeyView[] {
    return [...this.#keys.values()].map((key) => this.#view(key))
  }

  get(name: string): ApiKeyView {
    return this.#view(this.#require(name))
  }

  async add(name: string, changes: KeyChanges): Promise<ApiKeyView & { readonly api_secret: string }> {
    if (!/^[A-Za-z][\w-]{0,255}$/.test(name)) {
      throw badRequest("body.name: expected a letter, then up to 255 letters, digits, '_', '-'")
    }
    if (this.#keys.has(name)) throw new ApiError(400, 'ALREADY_EXISTS', `there already is an API key ${name}`)
    if (this.#keys.size >= MOST_KEYS) throw new ApiError(400, 'EXCEED_LIMIT', `there are ${MOST_KEYS} API keys already`)
    const api_secret = randomBytes(32).toString('base64url')
    const stored: StoredKey = {
      name,
      api_key: randomBytes(8).toString('hex'),
      secret: hashOf(api_secret),
      expired_at: readExpiry(changes.expired_at ?? 'infinity'),
      created_at: new Date(this.#now()).toISOString(),
      enable: changes.enable ?? true,
      desc: changes.desc ?? '',
      role: changes.role ?? 'administrator',
    }
    await this.#keep(stored)
    return { ...this.#view(stored), api_secret }
  }

  async update(name: string, changes: KeyChanges): Promise<ApiKeyView> {
    const stored = this.#require(name)
    const { expired_at = stored.expired_at, enable = stored.enable, desc = stored.desc, role = stored.role } = changes
    const changed = { ...stored, expired_at: readExpiry(expired_at), enable, desc, role }
    await this.#keep(changed)
    return this.#view(changed)
  }

  async remove(name: string): Promise<void> {
    const stored = this.#require(name)
    this.#keys.delete(name)
    this.#byKey.delete(stored.api_key)
    await this.#store.delete(PREFIX + name)
  }

  #require(name: string): StoredKey {
    const stored = this.#keys.get(name)
    if (stored === undefined) throw new ApiError(404, 'NOT_FOUND', `there is no API key ${name}`)
    return stored
  }

  #hasExpired({ expired_at }: StoredKey): boolean {
    return expired_at !== 'infinity' && Date.parse(expired_at) <= this.#now()
  }

  #view(stored: StoredKey): ApiKeyView {
    const { secret: _, ...view } = stored
    return { ...view, expired: this.#hasExpired(stored) }
  }

  #remember(stored: StoredKey): void {
    this.#keys.set(stored.name, stored)
    this.#byKey.set(stored.api_key, stored)
  }

  async #keep(stored: StoredKey): Promise<void> {
    this.#remember(stored)
    await this.#store.put(PREFIX + stored.name, stored)
  }
}

function readExpiry(text: string): string {
  if (text === 'infinity' || text === 'undefined') return 'infinity'
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw badRequest("body.expired_at: expected a time such as 2030-01-01T00:00:00Z, or 'infinity'")
  return new Date(time).toISOString()
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64')
}

function sameText(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
