import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { QueuePage, RetainedPage, StoredDelivery, StoredSession } from '@hookmq/api'
import type { Query } from '../sessions/change.ts'
import type { PackedIndexPage } from '../sessions/index-page.ts'

type DeliveryRow = [
  sequence: number,
  place: number,
  flags: number,
  extra: string | null,
  body: Uint8Array,
  size: number,
]

/** Subscriptions of one page of the index; more only when one session has them. */
const subscriptionsTogether = 32_768

/** Owner of a subscription whose session is gone. */
const nobody = 0xffffffff

interface Subscribed {
  readonly sessions: readonly number[]
  readonly filters: Uint8Array
  readonly bits: string
  readonly identifiers: string
  /** There are more behind those of this session, perhaps its own. */
  readonly cut: number | undefined
}

const delivery =
  'SELECT d.sequence, d.place, d.flags, d.extra, coalesce(d.body, b.body), d.size FROM deliveries d ' +
  'LEFT JOIN bodies b ON b.id = d.shared WHERE d.session = ?'

/** Reads what SessionTables writes. */
export class SessionQueries {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  read(query: Query): unknown {
    switch (query.kind) {
      case 'run':
        return this.#run()
      case 'index':
        return this.#index(query.after, query.limit)
      case 'session':
        return this.#session(query.session)
      case 'queue':
        return this.#queue(query.session, query.after, query.limit, query.bytes)
      case 'due':
        return this.#rows('SELECT client FROM sessions WHERE due BETWEEN ? AND ? ORDER BY due LIMIT ?')
          .all(query.from, query.to, query.limit)
          .map((row) => (row as unknown as [string])[0])
      case 'retained':
        return this.#retained(query.after, query.limit)
      case 'marks':
        return this.#rows('SELECT name, text FROM marks').all()
    }
  }

  /** A number that no writer had before. */
  #run(): number {
    const [row] = this.#rows('INSERT INTO writers (batch) VALUES (0) RETURNING run').all()
    const [run] = row as unknown as [number]
    // Others that write to the same file now are not as far behind.
    this.#rows('DELETE FROM writers WHERE run < ?').run(run - 1000)
    return run
  }

  /** One row of SQLite with a page in it: a row for each session would take three times as long. */
  #index(after: number, limit: number): PackedIndexPage {
    const found = this.#rows(
      'SELECT group_concat(number), CAST(group_concat(client, char(0)) || char(0) AS BLOB), group_concat(coalesce(due, -1)) FROM ' +
        '(SELECT number, client, due FROM sessions WHERE number > ? ORDER BY number LIMIT ?)',
    ).get(after, limit) as unknown as [string, Uint8Array<ArrayBuffer>, string] | [null, null, null]
    const [numberText, clientIds, dueText] = found
    if (numberText === null) return emptyPage()
    const numbers = Float64Array.from(numbersOf(numberText))
    const last = numbers[numbers.length - 1] as number
    const subscribed = this.#subscribed(after, last)
    const { cut } = subscribed
    if (cut !== undefined && numbers.length > 1) {
      // So many subscriptions that the page ends before its last sessions.
      const whole = numbers.findIndex((number) => number >= cut)
      return this.#index(after, Math.max(1, whole))
    }
    const { sessions, filters, bits, identifiers } =
      cut === undefined ? subscribed : this.#subscribed(after, last, Number.MAX_SAFE_INTEGER)
    const owners = new Uint32Array(sessions.length)
    for (let index = 0, owner = 0; index < sessions.length; index++) {
      while ((numbers[owner] as number) < (sessions[index] as number)) owner++
      owners[index] = numbers[owner] === sessions[index] ? owner : nobody
    }
    const page = {
      numbers,
      clientIds,
      dues: Float64Array.from(numbersOf(dueText)),
      waiting: new Uint32Array(numbers.length),
      waitingBytes: new Float64Array(numbers.length),
      inflight: new Uint32Array(numbers.length),
      owners,
      filters,
      bits: Uint8Array.from(numbersOf(bits)),
      identifiers: Uint32Array.from(numbersOf(identifiers)),
    }
    this.#counts(after, last, page)
    return page
  }

  #subscribed(after: number, last: number, most = subscriptionsTogether): Subscribed {
    const [sessions, filters, bits, identifiers] = this.#rows(
      'SELECT group_concat(session), CAST(group_concat(filter, char(0)) || char(0) AS BLOB), group_concat(bits), group_concat(identifier) FROM ' +
        '(SELECT session, filter, bits, identifier FROM subscriptions WHERE session > ? AND session <= ? ' +
        'ORDER BY session LIMIT ?)',
    ).get(after, last, most) as unknown as [string, Uint8Array, string, string] | [null, null, null, null]
    if (sessions === null) return { sessions: [], filters: new Uint8Array(), bits: '', identifiers: '', cut: undefined }
    const owners = numbersOf(sessions)
    return { sessions: owners, filters, bits, identifiers, cut: owners.length === most ? owners.at(-1) : undefined }
  }

  #counts(
    after: number,
    last: number,
    page: Pick<PackedIndexPage, 'numbers' | 'waiting' | 'waitingBytes' | 'inflight'>,
  ) {
    const { numbers, waiting, waitingBytes, inflight } = page
    let at = 0
    const find = (session: number): number => {
      while (at < numbers.length && (numbers[at] as number) < session) at++
      return at
    }
    const queues = this.#rows(
      'SELECT session, waiting, bytes FROM queues WHERE session > ? AND session <= ? ORDER BY session',
    )
    for (const row of queues.iterate(after, last)) {
      const [session, messages, bytes] = row as unknown as [number, number, number]
      const index = find(session)
      waiting[index] = messages
      waitingBytes[index] = bytes
    }
    at = 0
    const sent = this.#rows(
      'SELECT session, count(*) FROM deliveries WHERE place > 0 AND session > ? AND session <= ? GROUP BY session ORDER BY session',
    )
    for (const row of sent.iterate(after, last)) {
      const [session, messages] = row as unknown as [number, number]
      inflight[find(session)] = messages
    }
  }

  #session(session: number): StoredSession | undefined {
    const row = this.#rows('SELECT record FROM records WHERE session = ?').get(session)
    if (row === undefined) return undefined
    const [record] = row as unknown as [Uint8Array]
    const awaiting = this.#rows('SELECT packet, since FROM awaiting WHERE session = ? ORDER BY since')
      .all(session)
      .map((pair) => pair as unknown as [number, number])
    const inflight = this.#rows(`${delivery} AND d.place > 0 ORDER BY d.sequence`).all(session).map(readDelivery)
    const queue = this.#rows('SELECT waiting, bytes FROM queues WHERE session = ?').get(session)
    const [queued, queuedBytes] = (queue as unknown as [number, number] | undefined) ?? [0, 0]
    return { record, awaiting, inflight, queued, queuedBytes }
  }

  #queue(session: number, after: number, limit: number, bytes: number): QueuePage {
    const deliveries: StoredDelivery[] = []
    let read = 0
    const rows = this.#rows(`${delivery} AND d.sequence > ? AND d.place = 0 ORDER BY d.sequence`)
    for (const row of rows.iterate(session, after)) {
      deliveries.push(readDelivery(row))
      read += (row as unknown as DeliveryRow)[5]
      if (deliveries.length === limit || read >= bytes) return { deliveries, more: true }
    }
    return { deliveries, more: false }
  }

  #retained(after: string, limit: number): RetainedPage {
    const topics: string[] = []
    const bodies: Uint8Array[] = []
    const rows = this.#rows('SELECT topic, body FROM retained WHERE topic > ? ORDER BY topic LIMIT ?')
    for (const row of rows.iterate(after, limit)) {
      const [topic, body] = row as unknown as [string, Uint8Array]
      topics.push(topic)
      bodies.push(body)
    }
    return { topics, bodies }
  }

  #rows(text: string): StatementSync {
    let statement = this.#statements.get(text)
    if (statement === undefined) {
      statement = this.#database.prepare(text)
      statement.setReturnArrays(true)
      this.#statements.set(text, statement)
    }
    return statement
  }
}

const emptyPage = (): PackedIndexPage => ({
  numbers: new Float64Array(),
  clientIds: new Uint8Array(),
  dues: new Float64Array(),
  waiting: new Uint32Array(),
  waitingBytes: new Float64Array(),
  inflight: new Uint32Array(),
  owners: new Uint32Array(),
  filters: new Uint8Array(),
  bits: new Uint8Array(),
  identifiers: new Uint32Array(),
})

function numbersOf(text: string): number[] {
  return text === '' ? [] : text.split(',').map(Number)
}

function readDelivery(row: unknown): StoredDelivery {
  const [sequence, place, flags, extra, body] = row as DeliveryRow
  const [share, identifiers] = extra === null ? [null, null] : (JSON.parse(extra) as [string | null, number[] | null])
  return {
    sequence,
    packetId: place & 0xffff,
    released: place > 0xffff,
    qos: (flags & 3) === 2 ? 2 : 1,
    retain: (flags & 4) !== 0,
    subscriptionIdentifiers: identifiers ?? undefined,
    share: share ?? undefined,
    body,
  }
}
