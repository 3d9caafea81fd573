export interface WatcherInit {
  /** Names of the plugins that are not what they were when they were loaded. */
  readonly changed: () => Promise<readonly string[]>
  /** Resolves to whether it worked. */
  readonly reload: (name: string) => Promise<boolean>
  /** Milliseconds. */
  readonly now: () => number
  /** How long a change is left alone: whoever saves one file often saves a second. Milliseconds. */
  readonly settle: number
  /** Between two attempts on a plugin that does not load. Milliseconds. */
  readonly longestPause: number
  readonly maxReloads: number
  /** Called once, when the last reload has been used up. */
  readonly exhausted: (count: number) => void
}

interface Seen {
  /** When it may be loaded. */
  due: number
  /** Until the next attempt after this one fails. */
  pause: number
}

/** Loads plugins again once they have changed and have been left alone for a moment. */
export class Watcher {
  readonly #init: WatcherInit
  readonly #seen = new Map<string, Seen>()
  #busy = false
  #reloads = 0

  constructor(init: WatcherInit) {
    this.#init = init
  }

  /** Notices changes, and loads those that were noticed long enough ago. */
  look(): Promise<void> {
    return this.#alone(async () => {
      const { changed, now, settle } = this.#init
      const names = await changed()
      for (const name of this.#seen.keys()) if (!names.includes(name)) this.#seen.delete(name)
      for (const name of names) {
        const seen = this.#seen.get(name)
        if (seen === undefined) this.#seen.set(name, { due: now() + settle, pause: settle })
        else if (now() >= seen.due) await this.#reload(name, seen)
      }
    })
  }

  /** Loads all that have changed, however short ago; those that did not load the last time as well. */
  sweep(): Promise<void> {
    return this.#alone(async () => {
      const { changed, now, settle } = this.#init
      for (const name of await changed()) {
        await this.#reload(name, this.#seen.get(name) ?? { due: now(), pause: settle })
      }
    })
  }

  async #reload(name: string, seen: Seen): Promise<void> {
    const { reload, now, longestPause, maxReloads, exhausted } = this.#init
    if (this.#reloads >= maxReloads) return
    this.#reloads++
    if (await reload(name)) this.#seen.delete(name)
    else {
      // What was saved half-finished is soon saved again; what stays broken is not tried all the time.
      const pause = Math.min(seen.pause * 2, longestPause)
      this.#seen.set(name, { due: now() + pause, pause })
    }
    if (this.#reloads === maxReloads) exhausted(maxReloads)
  }

  /** A look that comes while another is under way is not needed. */
  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      await work()
    } finally {
      this.#busy = false
    }
  }
}
