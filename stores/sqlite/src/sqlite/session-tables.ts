import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BatchReader } from '../sessions/batch-reader.ts'
import { Change } from '../sessions/change.ts'

/** A body of at least so many bytes that several sessions wait for is stored once. */
const sharedSize = 256

/** Writes batches of changes to the tables of sessions. Transactions are the caller's. */
export class SessionTables {
  readonly #begin: StatementSync
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

  constructor(database: DatabaseSync) {
    const prepare = (text: string): StatementSync => database.prepare(text)
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
      prepare('DELETE FROM awaiting WHERE session = ?'),
    ]
    this.#putSubscription = prepare(
      'INSERT INTO subscriptions (session, filter, bits, identifier) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT DO UPDATE SET bits = excluded.bits, identifier = excluded.identifier',
    )
    this.#deleteSubscription = prepare('DELETE FROM subscriptions WHERE session = ? AND filter = ?')
    this.#putBody = prepare('INSERT INTO bodies (id, receivers, body) VALUES (?, ?, ?)')
    this.#append = prepare(
      'INSERT INTO deliveries (session, sequence, place, flags, shared, size, extra, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#advance = prepare('UPDATE deliveries SET place = ? WHERE session = ? AND sequence = ?')
    this.#remove = prepare('DELETE FROM deliveries WHERE session = ? AND sequence = ?')
    this.#putAwaiting = prepare(
      'INSERT INTO awaiting (session, packet, since) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET since = excluded.since',
    )
    this.#deleteAwaiting = prepare('DELETE FROM awaiting WHERE session = ? AND packet = ?')
    this.#putRetained = prepare(
      'INSERT INTO retained (topic, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
    )
    this.#deleteRetained = prepare('DELETE FROM retained WHERE topic = ?')
    this.#clearRetained = prepare('DELETE FROM retained')
  }

  /** false: this batch was written before; nobody had heard of it. */
  apply(batch: Uint8Array): boolean {
    const reader = new BatchReader(batch)
    const run = reader.number()
    const number = reader.number()
    if (this.#begin.run(number, run, number).changes === 0) return false
    const bodies: Uint8Array[] = []
    /** Of each body, how many messages are made of it. */
    const receivers: number[] = []
    /** Of bodies that are stored once: the number that they have. */
    const shared: number[] = []
    while (!reader.done) {
      const kind = reader.byte()
      switch (kind) {
        case Change.Body:
          receivers.push(reader.uint32())
          bodies.push(reader.blob())
          break
        case Change.Append: {
          const session = reader.number()
          const sequence = reader.number()
          const index = reader.uint32()
          const place = reader.uint32()
          const flags = reader.byte()
          const extra = reader.text()
          const body = bodies[index] as Uint8Array
          const count = receivers[index] as number
          const once = count > 1 && body.length >= sharedSize
          if (once && shared[index] === undefined) {
            shared[index] = sequence
            this.#putBody.run(sequence, count, body)
          }
          this.#append.run(
            session,
            sequence,
            place,
            flags,
            once ? (shared[index] as number) : null,
            body.length,
            extra === '' ? null : extra,
            once ? null : body,
          )
          break
        }
        case Change.Advance: {
          const session = reader.number()
          const sequence = reader.number()
          this.#advance.run(reader.uint32(), session, sequence)
          break
        }
        case Change.Remove:
          this.#remove.run(reader.number(), reader.number())
          break
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
        default:
          throw new TypeError(`no change of kind ${kind}`)
      }
    }
    return true
  }
}
