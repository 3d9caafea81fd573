import type { KeyValueStore } from '@hookmq/api'
import {
  makeSecret,
  readSecret,
  type SecretKind,
  type StoredSecret,
  sameSecret,
  verifySecret,
} from '../passwords/index.ts'
import { KnownPasswords } from './known.ts'
import { Turns } from './turns.ts'

/** 'unknown': nobody of this name. */
export type PasswordCheck = 'right' | 'wrong' | 'unknown'

export interface AccountsInit {
  readonly store: KeyValueStore
  /** How the passwords of new accounts are kept. Default scrypt. */
  readonly kind?: SecretKind
  /** Hashes that are worked out at the same time; default 2, so that the rest of the process gets to its threads. */
  readonly atOnce?: number
  /** Checks that may wait for that; default 1000. */
  readonly waiting?: number
}

/** Names and passwords take at most what MQTT can carry. Bytes of UTF-8. */
const longest = 65_535

const prefix = 'account/'

/** Passwords by name, in a plugin's store. What is stored cannot be turned back into passwords, unless the kind is 'plain'. */
export class Accounts {
  readonly #store: KeyValueStore
  readonly #kind: SecretKind
  readonly #known = new KnownPasswords(10_000)
  readonly #turns: Turns
  /** Changes come one after the other: what one of them has looked at is still so when it writes. */
  readonly #changes = new Turns(1, 10_000)
  /** From the configuration, until they are in the store: a long file must not keep a broker from starting. */
  readonly #configured = new Map<string, Buffer>()

  constructor({ store, kind = 'scrypt', atOnce = 2, waiting = 1000 }: AccountsInit) {
    this.#store = store
    this.#kind = kind
    this.#turns = new Turns(atOnce, waiting)
  }

  /** Rejects with TooManyWaiting when more ask than can be answered. */
  async check(name: string, password: Uint8Array): Promise<PasswordCheck> {
    const configured = this.#configured.get(name)
    if (configured !== undefined) return sameSecret(configured, password) ? 'right' : 'wrong'
    const secret = await this.#read(name)
    if (secret === undefined) return 'unknown'
    if (this.#known.has(name, secret.hash, password)) return 'right'
    const right = await this.#turns.run(async () => verifySecret(password, secret))
    if (right) this.#known.remember(name, secret.hash, password)
    return right ? 'right' : 'wrong'
  }

  /** 'existed': there is one of this name, which stays as it is. */
  async add(name: string, password: string): Promise<'ok' | 'existed'> {
    requireFit('name', name)
    requireFit('password', password)
    return this.#changes.run(async () => {
      if (await this.has(name)) return 'existed'
      await this.#write(name, password)
      return 'ok'
    })
  }

  async update(name: string, password: string): Promise<'ok' | 'noexisted'> {
    requireFit('password', password)
    return this.#changes.run(async () => {
      if (!(await this.has(name))) return 'noexisted'
      await this.#write(name, password)
      this.#configured.delete(name)
      return 'ok'
    })
  }

  /** true: it was there. */
  async delete(name: string): Promise<boolean> {
    return this.#changes.run(async () => {
      const configured = this.#configured.delete(name)
      return (await this.#store.delete(prefix + name)) || configured
    })
  }

  async has(name: string): Promise<boolean> {
    return this.#configured.has(name) || (await this.#read(name)) !== undefined
  }

  /** In order. */
  async names(): Promise<string[]> {
    const names = new Set(this.#configured.keys())
    for await (const [key] of this.#store.list(prefix)) names.add(key.slice(prefix.length))
    return [...names].sort()
  }

  /**
   * Takes over what a configuration says. In force at once; `keep` then writes it to the store.
   * @param overwrite false: who is there already keeps the password
   */
  async configure(entries: ReadonlyMap<string, string>, overwrite: boolean): Promise<void> {
    for (const [name, password] of entries) {
      requireFit('name', name)
      requireFit('password', password)
      if (overwrite || !(await this.has(name))) this.#configured.set(name, Buffer.from(password))
    }
  }

  /** Stores what was configured, hashed, one after the other. Ends early, with the rest in force until the process ends, on abort. */
  async keep(signal: AbortSignal): Promise<void> {
    for (const [name, password] of [...this.#configured]) {
      if (signal.aborted) return
      const secret = await makeSecret(password, this.#kind)
      await this.#changes.run(async () => {
        // Meanwhile somebody may have changed or deleted it, and means that.
        if (signal.aborted || this.#configured.get(name) !== password) return
        await this.#store.put(prefix + name, secret)
        this.#configured.delete(name)
      })
    }
  }

  async #read(name: string): Promise<StoredSecret | undefined> {
    return readSecret(await this.#store.get(prefix + name))
  }

  async #write(name: string, password: string): Promise<void> {
    await this.#store.put(prefix + name, await makeSecret(Buffer.from(password), this.#kind))
  }
}

function requireFit(what: string, text: string): void {
  const length = Buffer.byteLength(text)
  if (length >= 1 && length <= longest) return
  throw new TypeError(`a ${what} has 1 to ${longest} bytes, this one ${length}`)
}
