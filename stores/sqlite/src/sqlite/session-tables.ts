import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BatchReader } from '../sessions/batch-reader.ts'
import { Change, headerLength } from '../sessions/change.ts'
import type { Passing } from './passing.ts'

/** A body of at least so many bytes that several sessions wait for is stored once. */
const sharedSize = 256

/** Writes batches of changes to the tables of sessions. Transactions are the caller's. */
export class SessionTables {
  readonly #begin: StatementSync
  readonly #fewerReceivers: readonly [StatementSync, StatementSync]
  readonly #putWaiting: StatementSync
  readonly #dropWaiting: StatementSync
  /** Of sessions whose queues the batch at hand changed: by how many messages, and bytes. */
  readonly #waiting = new Map<number, { messages: number; bytes: number }>()
  readonly #putSession: StatementSync
  readonly #putRecord: StatementSync
  readonly #deleteSession: readonly StatementSync[]
  readonly #putSubscription: StatementSync
  readonly #deleteSubscription: StatementSync
  readonly #putBody: StatementSync
  readonly #append: StatementSync
  readonly #advance: StatementSync
  readonly #remove: StatementSync
  readonly #putAwaiting: StatementSync
  readonly #deleteAwaiting: StatementSync
  readonly #putRetained: StatementSync
  readonly #deleteRetained: StatementSync
  readonly #clearRetained: StatementSync
  readonly #putMark: StatementSync

  constructor(database: DatabaseSync) {
    const prepare = (text: string): StatementSync => database.prepare(text)
    const rows = (text: string): StatementSync => {
      const statement = database.prepare(text)
      statement.setReturnArrays(true)
      return statement
    }
    this.#begin = prepare('UPDATE writers SET batch = ? WHERE run = ? AND batch < ?')
    this.#putSession = prepare(
      'INSERT INTO sessions (number, client, due) VALUES (?, ?, ?) ' +
        'ON CONFLICT DO UPDATE SET client = excluded.client, due = excluded.due',
    )
    this.#putRecord = prepare(
      'INSERT INTO records (session, record) VALUES (?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
    )
    this.#deleteSession = [
      prepare('DELETE FROM sessions WHERE number = ?'),
      prepare('DELETE FROM records WHERE session = ?'),
      prepare('DELETE FROM subscriptions WHERE session = ?'),
      prepare('DELETE FROM deliveries WHERE session = ?'),
      prepare('DELETE FROM queues WHERE session = ?'),
      prepare('DELETE FROM awaiting WHERE session = ?'),
    ]
    this.#fewerReceivers = [
      prepare('UPDATE bodies SET receivers = receivers - ? WHERE id = ?'),
      prepare('DELETE FROM bodies WHERE receivers <= ? AND id = ?'),
    ]
    this.#putWaiting = prepare(
      'INSERT INTO queues (session, waiting, bytes) VALUES (?, ?, ?) ' +
        'ON CONFLICT DO UPDATE SET waiting = waiting + excluded.waiting, bytes = bytes + excluded.bytes',
    )
    this.#dropWaiting = prepare('DELETE FROM queues WHERE session = ? AND waiting <= 0')
    this.#putSubscription = prepare(
      'INSERT INTO subscriptions (session, filter, bits, identifier) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT DO UPDATE SET bits = excluded.bits, identifier = excluded.identifier',
    )
    this.#deleteSubscription = prepare('DELETE FROM subscriptions WHERE session = ? AND filter = ?')
    this.#putBody = prepare('INSERT INTO bodies (id, receivers, body) VALUES (?, ?, ?)')
    this.#append = prepare(
      'INSERT INTO deliveries (session, sequence, place, flags, shared, size, extra, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#advance = rows('UPDATE deliveries SET place = ? WHERE session = ? AND sequence = ? RETURNING size')
    this.#remove = rows('DELETE FROM deliveries WHERE session = ? AND sequence = ? RETURNING place, size')
    this.#putAwaiting = prepare(
      'INSERT INTO awaiting (session, packet, since) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET since = excluded.since',
    )
    this.#deleteAwaiting = prepare('DELETE FROM awaiting WHERE session = ? AND packet = ?')
    this.#putRetained = prepare(
      'INSERT INTO retained (topic, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
    )
    this.#deleteRetained = prepare('DELETE FROM retained WHERE topic = ?')
    this.#clearRetained = prepare('DELETE FROM retained')
    this.#putMark = prepare(
      'INSERT INTO marks (name, text) VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text',
    )
  }

  /** Notes that the batch is written. false: it was before; nobody had heard of it. */
  begin(run: number, batch: number): boolean {
    return this.#begin.run(batch, run, batch).changes !== 0
  }

  /** Makes rows of a batch, but for messages that `passing` knows to be gone again. `only`: of one session. */
  apply(batch: Uint8Array, passing: Passing, only?: number): void {
    this.#waiting.clear()
    const reader = new BatchReader(batch, headerLength)
    const body = new Body()
    while (!reader.done) {
      const kind = reader.byte()
      if (only !== undefined && kind !== Change.Body && reader.sessionOf(kind) !== only) {
        reader.skipFields(kind)
        continue
      }
      switch (kind) {
        case Change.Body:
          this.#finishBody(body)
          body.receivers = reader.uint32()
          body.bytes = reader.blob()
          body.id = undefined
          body.passed = 0
          break
        case Change.Append: {
          const session = reader.number()
          const sequence = reader.number()
          const place = reader.uint32()
          const flags = reader.byte()
          const size = reader.uint32()
          const extra = reader.text()
          if (passing.appended(sequence)) {
            body.passed++
            break
          }
          const { bytes } = body
          const once = body.receivers > 1 && bytes.length >= sharedSize
          if (once && body.id === undefined) {
            body.id = sequence
            this.#putBody.run(sequence, body.receivers, bytes)
          }
          this.#append.run(
            session,
            sequence,
            place,
            flags,
            once ? (body.id ?? null) : null,
            size,
            extra === '' ? null : extra,
            once ? null : bytes,
          )
          if (place === 0) this.#waits(session, 1, size)
          break
        }
        case Change.Advance: {
          const session = reader.number()
          const sequence = reader.number()
          const place = reader.uint32()
          if (passing.leaves(sequence)) break
          const row = this.#advance.get(place, session, sequence) as [number] | undefined
          if (row === undefined || place > 0xffff) break
          // It waited, or waits again; a released one had its packet identifier before.
          if (place === 0) this.#waits(session, 1, row[0])
          else this.#waits(session, -1, -row[0])
          break
        }
        case Change.Remove: {
          const session = reader.number()
          const sequence = reader.number()
          if (passing.removed(sequence)) break
          const row = this.#remove.get(session, sequence) as [number, number] | undefined
          if (row !== undefined && row[0] === 0) this.#waits(session, -1, -row[1])
          break
        }
        case Change.PutSession: {
          const session = reader.number()
          const due = reader.number()
          this.#putSession.run(session, reader.text(), due < 0 ? null : due)
          this.#putRecord.run(session, reader.blob())
          break
        }
        case Change.DeleteSession: {
          const session = reader.number()
          for (const statement of this.#deleteSession) statement.run(session)
          this.#waiting.delete(session)
          break
        }
        case Change.PutSubscription: {
          const session = reader.number()
          const bits = reader.byte()
          const identifier = reader.uint32()
          this.#putSubscription.run(session, reader.text(), bits, identifier)
          break
        }
        case Change.DeleteSubscription:
          this.#deleteSubscription.run(reader.number(), reader.text())
          break
        case Change.PutAwaiting:
          this.#putAwaiting.run(reader.number(), reader.uint32(), reader.number())
          break
        case Change.DeleteAwaiting:
          this.#deleteAwaiting.run(reader.number(), reader.uint32())
          break
        case Change.PutRetained:
          this.#putRetained.run(reader.text(), reader.blob())
          break
        case Change.DeleteRetained:
          this.#deleteRetained.run(reader.text())
          break
        case Change.ClearRetained:
          this.#clearRetained.run()
          break
        case Change.PutMark:
          this.#putMark.run(reader.text(), reader.text())
          break
        default:
          throw new TypeError(`no change of kind ${kind}`)
      }
    }
    this.#finishBody(body)
    for (const [session, { messages, bytes }] of this.#waiting) {
      this.#putWaiting.run(session, messages, bytes)
      if (messages < 0) this.#dropWaiting.run(session)
    }
  }

  /** Receivers that were counted and have it already. */
  #finishBody({ id, passed }: Body): void {
    if (id === undefined || passed === 0) return
    const [less, none] = this.#fewerReceivers
    less.run(passed, id)
    none.run(0, id)
  }

  #waits(session: number, messages: number, bytes: number): void {
    const waiting = this.#waiting.get(session)
    if (waiting === undefined) this.#waiting.set(session, { messages, bytes })
    else {
      waiting.messages += messages
      waiting.bytes += bytes
    }
  }
}

/** The body that the appends behind it are made of. */
class Body {
  receivers = 0
  bytes: Uint8Array = new Uint8Array(0)
  /** Stored once for several receivers: the number that it has. */
  id: number | undefined = undefined
  /** Receivers for which no row is made. */
  passed = 0
}
