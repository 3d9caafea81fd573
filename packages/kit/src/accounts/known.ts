import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * Passwords that were right, as digests under a key that lives as long as the process: a slow hash is worked out once for each client and
 * not at each of its connections. The digest covers what the store holds, so that a changed password is not known any more.
 */
export class KnownPasswords {
  readonly #key = randomBytes(32)
  readonly #limit: number
  readonly #digests = new Map<string, Buffer>()

  /** `limit`: entries; the oldest goes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  remember(name: string, stored: string, password: Uint8Array): void {
    this.#digests.delete(name)
    this.#digests.set(name, this.#digest(stored, password))
    if (this.#digests.size <= this.#limit) return
    for (const oldest of this.#digests.keys()) {
      this.#digests.delete(oldest)
      break
    }
  }

  has(name: string, stored: string, password: Uint8Array): boolean {
    const digest = this.#digests.get(name)
    return digest !== undefined && timingSafeEqual(digest, this.#digest(stored, password))
  }

  #digest(stored: string, password: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(`${stored.length}:${stored}`).update(password).digest()
  }
}
