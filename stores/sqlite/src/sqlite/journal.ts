import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BatchReader, nobody } from '../sessions/batch-reader.ts'
import { Change, headerLength, type Query } from '../sessions/change.ts'
import { nothingPasses, type Passing } from './passing.ts'
import type { SessionTables } from './session-tables.ts'

/** Bytes of batches that are kept as they came. A new start makes rows of them first. */
const defaultRoom = 8 * 1024 * 1024

/** What is read may cost the looking through so many times the journal before rows are made of it. */
const lookedTimes = 4

/** Changes of which neither who there is depends, nor what is retained. */
const ofOneSession: ReadonlySet<number> = new Set([
  Change.Body,
  Change.PutAwaiting,
  Change.DeleteAwaiting,
  Change.PutMark,
])

/** Batches of one run. */
const perRun = 2 ** 36

interface Kept {
  readonly id: number
  readonly batch: Uint8Array
  /** Sessions that it changes, each with the last of its messages that it changes; 0: none of them. */
  readonly sessions: ReadonlyMap<number, number>
  /** When sessions that it puts are due. */
  readonly dues: readonly number[]
  /** It changes who there is, or what is retained. */
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
  /** Went, and had come before the journal. */
  readonly #leaving = new Set<number>()
  /** Bytes of batches that were looked through for what was read since rows were made. */
  #looked = 0

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
      case 'marks':
        return this.#kept.length > 0
      case 'session':
        return this.#kept.some(({ sessions }) => sessions.has(query.session))
      case 'queue':
        // What happens to messages that were read before does not show.
        return this.#kept.some(({ sessions }) => (sessions.get(query.session) ?? 0) > query.after)
      case 'due':
        return this.#kept.some(({ dues }) => dues.some((due) => due >= query.from && due <= query.to))
      default:
        return this.#kept.some(({ others }) => others)
    }
  }

  /** Of what was found to be due, some may not be any more. */
  hidesLess(): boolean {
    return this.#kept.some(({ others }) => others)
  }

  /** What hides the session is little, compared with all that rows would have to be made of. */
  hidesLittle(session: number): boolean {
    if (this.#stale || this.#foreign.get(this.#run * perRun, (this.#run + 1) * perRun) !== undefined) return false
    for (const { batch, sessions } of this.#kept) if (sessions.has(session)) this.#looked += batch.length
    return this.#looked <= lookedTimes * this.#bytes
  }

  /** Makes rows of all there is, or of what is one session's, for somebody who takes them back. `unwritten`: batches behind those. */
  lay(session: number | undefined, unwritten: readonly Uint8Array[]): void {
    const known = !this.#stale && session !== undefined && this.#isThere()
    const batches = known
      ? this.#kept.filter(({ sessions }) => sessions.has(session)).map(({ batch }) => batch)
      : (this.#own.all(0, Number.MAX_SAFE_INTEGER) as unknown as [number, Uint8Array][]).map(([, batch]) => batch)
    for (const batch of batches) this.#tables.apply(batch, nothingPasses, session)
    for (const batch of unwritten) {
      const reader = new BatchReader(batch)
      // It may have been written, and nobody heard of it.
      if (this.#tables.begin(reader.number(), reader.number())) this.#tables.apply(batch, nothingPasses, session)
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

  leaves(sequence: number): boolean {
    const key = this.#key(sequence)
    return this.#gone.has(key) || this.#leaving.has(key)
  }

  appended(sequence: number): boolean {
    const key = this.#key(sequence)
    if (this.#gone.has(key)) return true
    this.#present.delete(key)
    return false
  }

  removed(sequence: number): boolean {
    const key = this.#key(sequence)
    this.#leaving.delete(key)
    return this.#gone.delete(key)
  }

  // --- the batches ---------------------------------------------------------------------------------------------------

  /** Small whole numbers are cheaper to keep than large ones. */
  #key(sequence: number): number {
    return sequence - this.#run * perRun
  }

  /** false: somebody else has made rows of all there was. */
  #isThere(): boolean {
    const oldest = this.#kept[0]
    return oldest === undefined || this.#find.get(oldest.id) !== undefined
  }

  /** Somebody else may have made rows of all there was. */
  #refresh(): void {
    if (!this.#stale && this.#isThere()) return
    this.#kept = []
    this.#bytes = 0
    this.#present.clear()
    this.#gone.clear()
    this.#leaving.clear()
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
    if (count === 0) return
    this.#kept.splice(0, count)
    this.#looked = 0
  }

  /** Looks through the batch for messages that come and go. */
  #keep(id: number, batch: Uint8Array): void {
    const sessions = new Map<number, number>()
    const dues: number[] = []
    let others = false
    const touched = (session: number, sequence: number): void => {
      const last = sessions.get(session)
      if (last === undefined || sequence > last) sessions.set(session, sequence)
    }
    const reader = new BatchReader(batch, headerLength)
    while (!reader.done) {
      const kind = reader.byte()
      switch (kind) {
        case Change.Append: {
          const session = reader.number()
          const sequence = reader.number()
          touched(session, sequence)
          this.#present.add(this.#key(sequence))
          reader.skip(9)
          reader.skipSized()
          break
        }
        case Change.Advance:
          touched(reader.number(), reader.number())
          reader.skip(4)
          break
        case Change.Remove: {
          const session = reader.number()
          const sequence = reader.number()
          touched(session, sequence)
          const key = this.#key(sequence)
          if (this.#present.delete(key)) this.#gone.add(key)
          else this.#leaving.add(key)
          break
        }
        case Change.PutSession: {
          touched(reader.number(), 0)
          const due = reader.number()
          if (due >= 0) dues.push(due)
          others = true
          reader.skipSized()
          reader.skipSized()
          break
        }
        default: {
          const session = reader.sessionOf(kind)
          if (session !== nobody) touched(session, kind === Change.DeleteSession ? Number.POSITIVE_INFINITY : 0)
          if (!ofOneSession.has(kind)) others = true
          reader.skipFields(kind)
        }
      }
    }
    this.#kept.push({ id, batch, sessions, dues, others })
    this.#bytes += batch.length
  }
}
