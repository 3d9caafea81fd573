import type { Socket } from 'node:net'
import type { Tally } from '@hookmq/api'
import { SYNC } from './frame-types.ts'
import { FrameWriter } from './frame-writer.ts'

/** Bytes that may wait for one member. */
export interface Bounds {
  /** From here on publishers are slowed down. */
  readonly highWater: number
  /** Beyond it messages are dropped. */
  readonly most: number
}

interface Unacknowledged {
  readonly token: number
  readonly bytes: Buffer
}

/**
 * What goes to one member: frames gather in one buffer and leave in one write per turn of the event loop. What somebody waits for is kept until
 * the member has acknowledged it, and sent again when the member was away in between.
 */
export class Outgoing {
  readonly writer = new FrameWriter()
  readonly #bounds: Bounds
  readonly #relieved: () => void
  #socket: Socket | undefined
  #scheduled = false
  #token = 0
  #acknowledged = 0
  /** Something was written since the last SYNC. */
  #dirty = false
  #unacknowledged: Unacknowledged[] = []
  #unacknowledgedBytes = 0
  /** Of the counted messages that were not acknowledged yet, in their order. */
  #tallies: Tally[] = []
  #waiting: { readonly token: number; readonly resolve: (taken: boolean) => void }[] = []
  #sync: Promise<boolean> | undefined
  #lastSync: Promise<boolean> | undefined
  congested = false
  dropped = 0
  flushes = 0

  constructor(bounds: Bounds, relieved: () => void) {
    this.#bounds = bounds
    this.#relieved = relieved
  }

  get pending(): number {
    return (
      this.writer.length +
      (this.#socket?.writableLength ?? 0) +
      (this.#socket === undefined ? this.#unacknowledgedBytes : 0)
    )
  }

  /** Asked before a message is written. false: there is no room, it is lost. */
  admit(size: number): boolean {
    if (this.pending + size <= this.#bounds.most) return true
    this.dropped++
    return false
  }

  /** The frame that was just written asks for the number of its receivers. */
  count(tally: Tally): void {
    this.#tallies.push(tally)
  }

  /** Called after each frame. */
  written(): void {
    this.#dirty = true
    // For a member that is away nobody is slowed down: it may be away for long.
    if (!this.congested && this.#socket !== undefined && this.pending > this.#bounds.highWater) this.congested = true
    this.schedule()
  }

  schedule(): void {
    if (this.#scheduled || this.#socket === undefined) return
    this.#scheduled = true
    setImmediate(this.#flushLater)
  }

  readonly #flushLater = (): void => {
    this.#scheduled = false
    this.flush()
  }

  flush(): void {
    const socket = this.#socket
    const { writer } = this
    if (socket === undefined) return
    const synced = this.#sync !== undefined
    if (synced) {
      writer.number(SYNC, this.#token)
      this.#sync = undefined
      this.#dirty = false
    }
    if (writer.length === 0) return
    this.flushes++
    const bytes = writer.buffer.subarray(0, writer.length)
    if (synced) {
      this.#unacknowledged.push({ token: this.#token, bytes })
      this.#unacknowledgedBytes += bytes.length
    }
    socket.write(bytes, this.#sent)
    writer.restart(!synced && socket.writableLength === 0)
  }

  readonly #sent = (): void => {
    if (!this.congested || this.pending > this.#bounds.highWater / 2) return
    this.congested = false
    this.#relieved()
  }

  /** Settles when the member has taken all that was written until now; undefined: it has; false: it was given up before. */
  taken(): Promise<boolean> | undefined {
    if (this.#sync !== undefined) return this.#sync
    if (!this.#dirty) return this.#acknowledged === this.#token ? undefined : this.#lastSync
    const token = ++this.#token
    this.#sync = new Promise((resolve) => this.#waiting.push({ token, resolve }))
    this.#lastSync = this.#sync
    this.schedule()
    return this.#sync
  }

  /** `counts`: of the counted messages since the acknowledgement before. */
  acknowledged(token: number, counts: readonly number[]): void {
    this.#acknowledged = token
    const counted = this.#tallies.splice(0, counts.length)
    for (const [index, tally] of counted.entries()) tally.receivers += counts[index]
    while (this.#unacknowledged.length > 0 && this.#unacknowledged[0].token <= token) {
      this.#unacknowledgedBytes -= this.#unacknowledged.shift()?.bytes.length ?? 0
    }
    while (this.#waiting.length > 0 && this.#waiting[0].token <= token) this.#waiting.shift()?.resolve(true)
  }

  /** The member is there. `opening` is written first, then what it has not acknowledged, then what gathered meanwhile. */
  connected(socket: Socket, opening: (writer: FrameWriter) => void): void {
    const again = this.#unacknowledged
    const gathered = Buffer.from(this.writer.buffer.subarray(0, this.writer.length))
    this.writer.restart(true)
    opening(this.writer)
    for (const { bytes } of again) this.writer.replay(bytes)
    this.writer.replay(gathered)
    this.#socket = socket
    this.flush()
    this.schedule()
  }

  disconnected(): void {
    this.#socket = undefined
    // Publishers must not wait for somebody who may be away for long: what comes is kept up to the bound.
    if (!this.congested) return
    this.congested = false
    this.#relieved()
  }

  /** It has been away for too long: nobody waits for it any more. Returns the number of bytes that are lost. */
  giveUp(): number {
    const lost = this.pending
    this.writer.restart(false)
    this.#unacknowledged = []
    this.#unacknowledgedBytes = 0
    this.#sync = undefined
    this.#dirty = false
    this.#tallies = []
    this.#acknowledged = this.#token
    for (const { resolve } of this.#waiting.splice(0)) resolve(false)
    return lost
  }
}
