/** Milliseconds for which a change of a retained message is remembered: much longer than a change is on its way. */
const memory = 10_000
/** Changes that are remembered at most, in each of two generations. */
const most = 100_000

/**
 * When the retained messages of which topics changed lately, and where: of two members' changes of one topic, all members let the same
 * one hold. What is older than any message can be on its way is forgotten.
 */
export class Stamps {
  readonly #name: string
  #young = new Map<string, { stamp: number; by: string }>()
  #old = new Map<string, { stamp: number; by: string }>()
  #since = 0
  #last = 0

  /** @param name of this member */
  constructor(name: string) {
    this.#name = name
  }

  /** The stamp of a change that is made here now. It is greater than any that was seen. */
  make(topic: string, now: number): number {
    this.#last = Math.max(now, this.#last + 0.001)
    this.#note(topic, this.#last, this.#name, now)
    return this.#last
  }

  /** false: a change that holds against this one is known. */
  accept(topic: string, stamp: number, by: string, now: number): boolean {
    this.#last = Math.max(this.#last, stamp)
    const known = this.#young.get(topic) ?? this.#old.get(topic)
    if (known !== undefined && (known.stamp > stamp || (known.stamp === stamp && known.by > by))) return false
    this.#note(topic, stamp, by, now)
    return true
  }

  #note(topic: string, stamp: number, by: string, now: number): void {
    if (now - this.#since > memory || this.#young.size >= most) {
      this.#old = this.#young
      this.#young = new Map()
      this.#since = now
    }
    this.#young.set(topic, { stamp, by })
  }
}
