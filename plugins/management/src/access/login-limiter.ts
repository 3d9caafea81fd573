const MOST_FAILURES = 5
const WINDOW = 5 * 60_000
const LOCKED_FOR = 5 * 60_000
/** Names that are remembered; beyond, the one that failed longest ago is forgotten. */
const MOST_REMEMBERED = 10_000

interface Failures {
  count: number
  since: number
  lockedUntil: number
}

/** Counts failed logins by name and address, and locks a pair out for a while. Times in milliseconds since the epoch. */
export class LoginLimiter {
  readonly #failures = new Map<string, Failures>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  get size(): number {
    return this.#failures.size
  }

  /** Milliseconds for which this name cannot log in from this address; 0 = it can. */
  lockedFor(name: string, address: string): number {
    const failures = this.#failures.get(keyOf(name, address))
    return failures === undefined ? 0 : Math.max(0, failures.lockedUntil - this.#now())
  }

  failed(name: string, address: string): void {
    const key = keyOf(name, address)
    const now = this.#now()
    let failures = this.#failures.get(key)
    if (failures === undefined || now - failures.since > WINDOW) failures = { count: 0, since: now, lockedUntil: 0 }
    failures.count++
    if (failures.count >= MOST_FAILURES) {
      failures.lockedUntil = now + LOCKED_FOR
      failures.count = 0
      failures.since = now
    }
    // Moved to the end: the map stays in the order of the last failure.
    this.#failures.delete(key)
    this.#failures.set(key, failures)
    if (this.#failures.size > MOST_REMEMBERED) {
      for (const oldest of this.#failures.keys()) {
        this.#failures.delete(oldest)
        break
      }
    }
  }

  succeeded(name: string, address: string): void {
    this.#failures.delete(keyOf(name, address))
  }
}

function keyOf(name: string, address: string): string {
  // A long name is no reason to remember much.
  return `${address} ${name.slice(0, 128)}`
}
