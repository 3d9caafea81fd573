import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { QueuePage, RetainedPage, StoredDelivery, StoredSession } from '@hookmq/api'
import type { Query } from '../sessions/change.ts'
import { type PackedIndexPage, pack } from '../sessions/index-page.ts'

type DeliveryRow = [
  sequence: number,
  place: number,
  flags: number,
  extra: string | null,
  body: Uint8Array,
  size: number,
]

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

  #index(after: number, limit: number): PackedIndexPage {
    const numbers: number[] = []
    const clientIds: string[] = []
    const dues: number[] = []
    const found = this.#rows('SELECT number, client, due FROM sessions WHERE number > ? ORDER BY number LIMIT ?')
    for (const row of found.iterate(after, limit)) {
      const [number, client, due] = row as unknown as [number, string, number | null]
      numbers.push(number)
      clientIds.push(client)
      dues.push(due ?? -1)
    }
    const page = { owners: [] as number[], filters: [] as string[], bits: [] as number[], identifiers: [] as number[] }
    const last = numbers.at(-1)
    if (last === undefined) return pack({ numbers, clientIds, dues, ...page })
    const subscribed = this.#rows(
      'SELECT session, filter, bits, identifier FROM subscriptions WHERE session > ? AND session <= ? ORDER BY session',
    )
    let owner = 0
    for (const row of subscribed.iterate(after, last)) {
      const [session, filter, bits, identifier] = row as unknown as [number, string, number, number]
      while (numbers[owner] !== session && owner < numbers.length) owner++
      if (owner === numbers.length) break
      page.owners.push(owner)
      page.filters.push(filter)
      page.bits.push(bits)
      page.identifiers.push(identifier)
    }
    return pack({ numbers, clientIds, dues, ...page })
  }

  #session(session: number): StoredSession | undefined {
    const row = this.#rows('SELECT record FROM records WHERE session = ?').get(session)
    if (row === undefined) return undefined
    const [record] = row as unknown as [Uint8Array]
    const awaiting = this.#rows('SELECT packet, since FROM awaiting WHERE session = ? ORDER BY since')
      .all(session)
      .map((pair) => pair as unknown as [number, number])
    const inflight = this.#rows(`${delivery} AND d.place > 0 ORDER BY d.sequence`).all(session).map(readDelivery)
    const [queued, queuedBytes] = this.#rows(
      'SELECT count(*), coalesce(sum(size), 0) FROM deliveries WHERE session = ? AND place = 0',
    ).get(session) as unknown as [number, number]
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
