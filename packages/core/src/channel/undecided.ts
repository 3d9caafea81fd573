import type { BrokerMessage } from '../message.ts'
import type { Refusal } from '../refusal.ts'
import type { Channel } from './channel.ts'
import type { Slot } from './in-order.ts'

/** The same PUBLISH from a later connection: its answer is that of the first. */
interface Repeat extends Slot {
  /** undefined: nothing came of it. */
  decided(outcome: BrokerMessage | Refusal | undefined): void
}

/**
 * A QoS 2 PUBLISH that waits for its hooks. A client that comes back meanwhile and sends it once more must not be told that it was accepted before
 * it is: hooks may refuse it, and after a crash it would be lost.
 */
export class Undecided {
  readonly channel: Channel
  readonly #slot: Slot
  readonly #repeats: Repeat[] = []

  private constructor(channel: Channel, slot: Slot) {
    this.channel = channel
    this.#slot = slot
  }

  /** `slot` begins to wait. One that has the identifier already keeps it. */
  static note(channel: Channel, packetId: number, slot: Slot): void {
    const { session } = channel
    if (session === undefined) return
    session.undecided ??= new Map()
    if (!session.undecided.has(packetId)) session.undecided.set(packetId, new Undecided(channel, slot))
  }

  /** `slot` has taken effect; or not (undefined), then the identifier is free. */
  static settle(
    { session }: Channel,
    packetId: number,
    slot: Slot,
    outcome: BrokerMessage | Refusal | undefined,
  ): void {
    const undecided = session?.undecided?.get(packetId)
    if (session === undefined || undecided === undefined || undecided.#slot !== slot) return
    session.undecided?.delete(packetId)
    if (outcome === undefined) session.release(packetId)
    for (const repeat of undecided.#repeats) repeat.decided(outcome)
  }

  repeat<R extends Repeat>(repeat: R): R {
    this.#repeats.push(repeat)
    return repeat
  }
}
