import { createHash, randomBytes } from 'node:crypto'

const MOST_TOKENS = 1000

interface Token {
  readonly user: string
  readonly expiresAt: number
}

/** Bearer tokens of users who logged in. Only their hashes are kept; they end with the process. */
export class Tokens {
  readonly #lifetime: number
  readonly #now: () => number
  readonly #tokens = new Map<string, Token>()

  /** @param lifetime milliseconds */
  constructor(lifetime: number, now: () => number = Date.now) {
    this.#lifetime = lifetime
    this.#now = now
  }

  issue(user: string): string {
    const token = randomBytes(32).toString('base64url')
    this.#tokens.set(hashOf(token), { user, expiresAt: this.#now() + this.#lifetime })
    if (this.#tokens.size > MOST_TOKENS) {
      for (const oldest of this.#tokens.keys()) {
        this.#tokens.delete(oldest)
        break
      }
    }
    return token
  }

  /** undefined: unknown or expired. */
  userOf(token: string): string | undefined {
    const key = hashOf(token)
    const found = this.#tokens.get(key)
    if (found === undefined) return undefined
    if (found.expiresAt > this.#now()) return found.user
    this.#tokens.delete(key)
    return undefined
  }

  revoke(token: string): void {
    this.#tokens.delete(hashOf(token))
  }

  /** Logs a user out everywhere. */
  revokeUser(user: string): void {
    for (const [key, token] of this.#tokens) if (token.user === user) this.#tokens.delete(key)
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
