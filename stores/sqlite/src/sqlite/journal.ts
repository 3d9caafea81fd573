import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BatchReader } from '../sessions/batch-reader.ts'
import { Change, headerLength, type Query } from '../sessions/change.ts'
import { nothingPasses, type Passing } from './passing.ts'
import type { SessionTables } from './session-tables.ts'

/** Bytes of batches that are kept as they came. A new start makes rows of them first. */
const defaultRoom = 8 * 1024 * 1024

/** Batches of one run. */
const perRun = 2 ** 36

interface Kept {
  readonly id: number
  readonly batch: Uint8Array
  /** Sessions whose messages it changes. */
  readonly sessions: ReadonlySet<number>
  /** It changes something else than messages. */
  readonly others: boolean
}

/**
 * The last batches, stored as they came and not yet row by row: most messages are acknowledged soon after they went out, and what came
 * and went within the journal never becomes a row.
 *
 * The table is the truth, what is in memory repeats it: any process may make rows of what it finds there, in one transaction for all. All calls
 * are made within a transaction; after one that failed, `forget` must be called.
 */
export class Journal implements Passing {
  readonly #tables: SessionTables
  readonly #room: number
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #find: StatementSync
  readonly #own: StatementSync
  readonly #foreign: StatementSync
  #run = 0
  #kept: Kept[] = []
  #bytes = 0
  #stale = false
  /** Came with the journal, and has not gone with it. Sequences, less what all of one run have in common. */
  readonly #present = new Set<number>()
  /** Came and went. */
  readonly #gone = new Set<number>()

  constructor(database: DatabaseSync, tables: SessionTables, room = defaultRoom) {
    this.#tables = tables
    this.#room = room
    const prepare = (text: string): StatementSync => {
      const statement = database.prepare(text)
      statement.setReturnArrays(true)
      return statement
    }
    this.#put = prepare('INSERT INTO journal (id, changes) VALUES (?, ?)')
    this.#delete = prepare('DELETE FROM journal WHERE id = ?')
    this.#find = prepare('SELECT 1 FROM journal WHERE id = ?')
    this.#own = prepare('SELECT id, changes FROM journal WHERE id >= ? AND id < ? ORDER BY id')
    this.#foreign = prepare('SELECT 1 FROM journal WHERE id < ? OR id >= ? LIMIT 1')
  }

  /** A batch that was added before is left as it is. */
  add(batch: Uint8Array): void {
    const reader = new BatchReader(batch)
    const run = reader.number()
    const number = reader.number()
    if (!this.#tables.begin(run, number)) return
    this.#run = run
    this.#refresh()
    if (batch.length > this.#room / 2) {
      this.#settle(0)
      this.#tables.apply(batch, nothingPasses)
      return
    }
    const id = run * perRun + number
    this.#put.run(id, batch)
    this.#keep(id, batch)
    this.#settle(this.#room)
  }

  /** What is asked for may be in the journal: rows have to be made first. */
  hides(query: Query): boolean {
    if (query.kind === 'run') return false
    if (this.#stale || this.#foreign.get(this.#run * perRun, (this.#run + 1) * perRun) !== undefined) return true
    switch (query.kind) {
      case 'session':
        return this.#kept.some(({ sessions, others }) => others || sessions.has(query.session))
      case 'queue':
        return this.#kept.some(({ sessions }) => sessions.has(query.session))
      default:
        return this.#kept.some(({ others }) => others)
    }
  }

  /** Makes rows of all there is, also of other runs. */
  settleAll(): void {
    const present = this.#run
    this.#refresh()
    this.#settle(0)
    if (this.#foreign.get(present * perRun, (present + 1) * perRun) === undefined) return
    for (const [id] of this.#own.all(0, Number.MAX_SAFE_INTEGER) as unknown as [number, Uint8Array][]) {
      this.#run = Math.floor(id / perRun)
      this.#stale = true
      this.#refresh()
      this.#settle(0)
    }
    this.#run = present
  }

  /** The transaction failed: what the table holds is not known. */
  forget(): void {
    this.#stale = true
  }

  // --- Passing -------------------------------------------------------------------------------------------------------

  has(sequence: number): boolean {
    return this.#gone.has(this.#key(sequence))
  }

  appended(sequence: number): boolean {
    const key = this.#key(sequence)
    if (this.#gone.has(key)) return true
    this.#present.delete(key)
    return false
  }

  removed(sequence: number): boolean {
    return this.#gone.delete(this.#key(sequence))
  }

  // --- the batches ---------------------------------------------------------------------------------------------------

  /** Small whole numbers are cheaper to keep than large ones. */
  #key(sequence: number): number {
    return sequence - this.#run * perRun
  }

  /** Somebody else may have made rows of all there was. */
  #refresh(): void {
    const oldest = this.#kept[0]
    if (!this.#stale && (oldest === undefined || this.#find.get(oldest.id) !== undefined)) return
    this.#kept = []
    this.#bytes = 0
    this.#present.clear()
    this.#gone.clear()
    const rows = this.#own.all(this.#run * perRun, (this.#run + 1) * perRun)
    for (const row of rows) this.#keep(...(row as unknown as [number, Uint8Array]))
    this.#stale = false
  }

  #settle(room: number): void {
    let count = 0
    while (this.#bytes > room) {
      const kept = this.#kept[count++]
      if (kept === undefined) break
      this.#tables.apply(kept.batch, this)
      this.#delete.run(kept.id)
      this.#bytes -= kept.batch.length
    }
    if (count > 0) this.#kept.splice(0, count)
  }

  /** Looks through the batch for messages that come and go. */
  #keep(id: number, batch: Uint8Array): void {
    const sessions = new Set<number>()
    let others = false
    const reader = new BatchReader(batch, headerLength)
    while (!reader.done) {
      const kind = reader.byte()
      switch (kind) {
        case Change.Body:
          reader.skip(4)
          reader.skipSized()
          break
        case Change.Append:
          sessions.add(reader.number())
          this.#present.add(this.#key(reader.number()))
          reader.skip(9)
          reader.skipSized()
          break
        case Change.Advance:
          sessions.add(reader.number())
          reader.skip(12)
          break
        case Change.Remove: {
          sessions.add(reader.number())
          const key = this.#key(reader.number())
          if (this.#present.delete(key)) this.#gone.add(key)
          break
        }
        default:
          others = true
          skipFields(reader, kind)
      }
    }
    this.#kept.push({ id, batch, sessions, others })
    this.#bytes += batch.length
  }
}

function skipFields(reader: BatchReader, kind: number): void {
  switch (kind) {
    case Change.PutSession:
      reader.skip(16)
      reader.skipSized()
      return reader.skipSized()
    case Change.PutSubscription:
      reader.skip(13)
      return reader.skipSized()
    case Change.DeleteSubscription:
      reader.skip(8)
      return reader.skipSized()
    case Change.DeleteSession:
      return reader.skip(8)
    case Change.PutAwaiting:
      return reader.skip(20)
    case Change.DeleteAwaiting:
      return reader.skip(12)
    case Change.PutRetained:
      reader.skipSized()
      return reader.skipSized()
    case Change.DeleteRetained:
      return reader.skipSized()
    case Change.ClearRetained:
      return
    default:
      throw new TypeError(`no change of kind ${kind}`)
  }
}
