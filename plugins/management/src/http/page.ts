import { badRequest } from './errors.ts'

const MOST_PER_PAGE = 10_000
const DEFAULT_PER_PAGE = 100
/** Rows that are looked at for the sake of `count`; beyond, it is left out. */
const MOST_COUNTED = 100_000
/** Rows between two turns of the event loop, which everybody's messages wait for. */
const ROWS_PER_TURN = 1000

export interface Page {
  readonly page: number
  readonly limit: number
}

export interface Paged<Row> {
  readonly data: Row[]
  readonly meta: {
    readonly page: number
    readonly limit: number
    /** Rows in all; absent when too many would have to be looked at. */
    readonly count?: number
    readonly hasnext: boolean
  }
}

/** Properties of a querySchema. */
export const pageQuery = {
  page: { type: 'integer', minimum: 1, default: 1, description: 'Page, from 1' },
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: MOST_PER_PAGE,
    default: DEFAULT_PER_PAGE,
    description: 'Rows per page',
  },
} as const

export function pageOf(query: Readonly<Record<string, unknown>>): Page {
  const page = Number(query.page ?? 1)
  const limit = Number(query.limit ?? DEFAULT_PER_PAGE)
  if (!Number.isSafeInteger(page * limit)) throw badRequest('query.page: too high')
  return { page, limit }
}

/**
 * One page of the rows that `keep` accepts. `total`: how many there are, when nothing is filtered out and somebody knows. Gives way
 * to the event loop now and then; the rows may change meanwhile.
 */
export async function paginate<Item, Row>(
  items: Iterable<Item>,
  { page, limit }: Page,
  show: (item: Item) => Row,
  { keep, total }: { readonly keep?: (item: Item) => boolean; readonly total?: number } = {},
): Promise<Paged<Row>> {
  const start = (page - 1) * limit
  const end = start + limit
  const data: Row[] = []
  let matched = 0
  let seen = 0
  let complete = true
  for (const item of items) {
    if (++seen % ROWS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    if (keep !== undefined && !keep(item)) continue
    if (matched >= start && matched < end) data.push(show(item))
    matched++
    if (matched > end && (total !== undefined || seen >= MOST_COUNTED)) {
      complete = false
      break
    }
  }
  const count = complete ? matched : total
  return { data, meta: { page, limit, ...(count === undefined ? {} : { count }), hasnext: matched > end } }
}

/** JSON schema of a page of these rows. */
export function pageSchema(row: object): object {
  return {
    type: 'object',
    required: ['data', 'meta'],
    properties: {
      data: { type: 'array', items: row },
      meta: {
        type: 'object',
        required: ['page', 'limit', 'hasnext'],
        properties: {
          page: { type: 'integer' },
          limit: { type: 'integer' },
          count: { type: 'integer' },
          hasnext: { type: 'boolean' },
        },
      },
    },
  }
}
