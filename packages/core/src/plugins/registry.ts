/**
 * Something that a plugin can register in. What leaves and what comes change places in one step, so that nobody who asks in
 * between sees both or neither; what comes takes the place in the order that its predecessor had.
 */
export interface Registry<T> {
  /** Throws when `coming` cannot be registered once `leaving` is gone. Changes nothing. */
  check(leaving: readonly T[], coming: readonly T[]): void
  /** Only after `check`. Does not throw. */
  exchange(leaving: readonly T[], coming: readonly T[]): void
}

/** Something that is on or off, and needs no place in an order: a subscription, a timer. */
export interface Switch {
  /** Returns what turns it off again. */
  on(): () => void
  off?: () => void
}

export const switches: Registry<Switch> = {
  check() {},
  exchange(leaving, coming) {
    for (const item of leaving) {
      item.off?.()
      item.off = undefined
    }
    for (const item of coming) item.off = item.on()
  },
}
