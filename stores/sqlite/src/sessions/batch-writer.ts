import type { StoredDelivery } from '@hookmq/api'
import { Change, headerLength } from './change.ts'

/** Buffers that grew beyond this are let go of when their batch is done. */
const keptSize = 4 * 1024 * 1024

/**
 * One batch in the making: run, batch number, then changes, as the thread reads them. One buffer for all of them: to hand thousands of
 * objects to a thread costs more than the disk does.
 */
export class BatchWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  #length = headerLength
  #changes = 0
  /** Receivers of one message come one after the other: their body is written once. */
  #lastBody: Uint8Array | undefined
  /** Where the number of its receivers stands. */
  #lastCount = 0

  get bytes(): number {
    return this.#length - headerLength
  }

  get changes(): number {
    return this.#changes
  }

  /** A copy that may be given away. */
  seal(run: number, batch: number): Uint8Array<ArrayBuffer> {
    this.#buffer.writeDoubleLE(run, 0)
    this.#buffer.writeDoubleLE(batch, 8)
    const copy = new Uint8Array(this.#length)
    copy.set(this.#buffer.subarray(0, this.#length))
    return copy
  }

  reset(): void {
    this.#length = headerLength
    this.#changes = 0
    this.#lastBody = undefined
    if (this.#buffer.length > keptSize) this.#buffer = Buffer.allocUnsafeSlow(64 * 1024)
  }

  putSession(session: number, clientId: string, due: number | undefined, record: Uint8Array): void {
    this.#begin(Change.PutSession, 32 + 3 * clientId.length + record.length)
    this.#number(session)
    this.#number(due ?? -1)
    this.#text(clientId)
    this.#blob(record)
  }

  deleteSession(session: number): void {
    this.#begin(Change.DeleteSession, 16)
    this.#number(session)
  }

  putSubscription(session: number, filter: string, bits: number, identifier: number): void {
    this.#begin(Change.PutSubscription, 32 + 3 * filter.length)
    this.#number(session)
    this.#byte(bits)
    this.#uint32(identifier)
    this.#text(filter)
  }

  deleteSubscription(session: number, filter: string): void {
    this.#begin(Change.DeleteSubscription, 16 + 3 * filter.length)
    this.#number(session)
    this.#text(filter)
  }

  append(session: number, delivery: StoredDelivery): void {
    const { body } = delivery
    if (body !== this.#lastBody) {
      this.#begin(Change.Body, 16 + body.length)
      this.#lastCount = this.#length
      this.#uint32(0)
      this.#blob(body)
      this.#lastBody = body
    }
    this.#buffer.writeUInt32LE(this.#buffer.readUInt32LE(this.#lastCount) + 1, this.#lastCount)
    const { share, subscriptionIdentifiers } = delivery
    const extra =
      share === undefined && subscriptionIdentifiers === undefined
        ? ''
        : JSON.stringify([share ?? null, subscriptionIdentifiers ?? null])
    this.#begin(Change.Append, 48 + 3 * extra.length)
    this.#number(session)
    this.#number(delivery.sequence)
    this.#uint32(placeOf(delivery.packetId, delivery.released))
    this.#byte(delivery.qos | (delivery.retain ? 4 : 0))
    this.#uint32(delivery.size ?? body.length)
    this.#text(extra)
  }

  advance(session: number, sequence: number, packetId: number, released: boolean): void {
    this.#begin(Change.Advance, 32)
    this.#number(session)
    this.#number(sequence)
    this.#uint32(placeOf(packetId, released))
  }

  remove(session: number, sequence: number): void {
    this.#begin(Change.Remove, 32)
    this.#number(session)
    this.#number(sequence)
  }

  putAwaiting(session: number, packetId: number, since: number): void {
    this.#begin(Change.PutAwaiting, 32)
    this.#number(session)
    this.#uint32(packetId)
    this.#number(since)
  }

  deleteAwaiting(session: number, packetId: number): void {
    this.#begin(Change.DeleteAwaiting, 32)
    this.#number(session)
    this.#uint32(packetId)
  }

  putRetained(topic: string, body: Uint8Array): void {
    this.#begin(Change.PutRetained, 16 + 3 * topic.length + body.length)
    this.#text(topic)
    this.#blob(body)
  }

  deleteRetained(topic: string): void {
    this.#begin(Change.DeleteRetained, 16 + 3 * topic.length)
    this.#text(topic)
  }

  clearRetained(): void {
    this.#begin(Change.ClearRetained, 8)
  }

  putMark(name: string, text: string): void {
    this.#begin(Change.PutMark, 16 + 3 * (name.length + text.length))
    this.#text(name)
    this.#text(text)
  }

  /** `room`: bytes that the change takes at most. */
  #begin(kind: number, room: number): void {
    const needed = this.#length + room
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    if (kind !== Change.Body) this.#changes++
    this.#buffer[this.#length++] = kind
  }

  #byte(value: number): void {
    this.#buffer[this.#length++] = value
  }

  #uint32(value: number): void {
    this.#length = this.#buffer.writeUInt32LE(value, this.#length)
  }

  #number(value: number): void {
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  #text(value: string): void {
    const written = this.#buffer.write(value, this.#length + 4)
    this.#buffer.writeUInt32LE(written, this.#length)
    this.#length += 4 + written
  }

  #blob(value: Uint8Array): void {
    this.#length = this.#buffer.writeUInt32LE(value.length, this.#length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }
}

/** Where a message stands, as one number: 0 it waits, the packet identifier, and 65536 more once PUBREC has come. */
function placeOf(packetId: number, released: boolean): number {
  return released ? packetId + 0x10000 : packetId
}
