import type { ClientView } from '@hookmq/api'
import { badRequest } from '../http/errors.ts'

const times = ['created_at', 'connected_at'] as const
const time = { type: 'string', description: 'RFC 3339, or milliseconds since the epoch' } as const
const list = { type: 'array', items: { type: 'string' }, maxItems: 1000 } as const

/** Properties of the querySchema. */
export const clientFilterQuery = {
  node: { type: 'string' },
  clientid: { ...list, description: 'One of these; may be repeated' },
  username: { ...list, description: 'One of these; may be repeated' },
  ip_address: { type: 'string' },
  conn_state: { enum: ['connected', 'idle', 'disconnected'] },
  clean_start: { type: 'boolean' },
  proto_ver: { type: 'integer' },
  like_clientid: { type: 'string', description: 'Part of the client id, case counts' },
  like_username: { type: 'string', description: 'Part of the user name, case counts' },
  gte_created_at: time,
  lte_created_at: time,
  gte_connected_at: time,
  lte_connected_at: time,
} as const

type Test = (view: ClientView) => boolean

/** What the query asks for as one test; undefined when it asks for everybody. */
export function clientFilter(query: Readonly<Record<string, unknown>>, node: string): Test | undefined {
  const tests: Test[] = []
  const when = <T>(name: string, test: (value: T, view: ClientView) => boolean): void => {
    const value = query[name]
    if (value !== undefined) tests.push((view) => test(value as T, view))
  }
  when<string>('node', (value) => value === node)
  if (query.clientid !== undefined) {
    const wanted = new Set(query.clientid as string[])
    tests.push(({ client }) => wanted.has(client.clientId))
  }
  if (query.username !== undefined) {
    const wanted = new Set(query.username as string[])
    tests.push(({ client }) => client.username !== undefined && wanted.has(client.username))
  }
  when<string>('ip_address', (value, { client }) => client.peerhost === value)
  // 'idle' is a connection that has not sent CONNECT: no session, so no row.
  when<string>('conn_state', (value, { connected }) => value === (connected ? 'connected' : 'disconnected'))
  when<boolean>('clean_start', (value, { connInfo }) => (connInfo?.cleanStart ?? false) === value)
  when<number>('proto_ver', (value, { client }) => client.protocolVersion === value)
  when<string>('like_clientid', (value, { client }) => client.clientId.includes(value))
  when<string>('like_username', (value, { client }) => client.username?.includes(value) ?? false)
  for (const name of times) {
    const from = readTime(query, `gte_${name}`)
    const to = readTime(query, `lte_${name}`)
    if (from === undefined && to === undefined) continue
    tests.push((view) => {
      const value = name === 'created_at' ? view.session.createdAt : view.connInfo?.connectedAt
      return value !== undefined && value >= (from ?? 0) && value <= (to ?? Number.POSITIVE_INFINITY)
    })
  }
  return tests.length === 0 ? undefined : (view) => tests.every((test) => test(view))
}

function readTime(query: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const value = /^\d+$/.test(String(text)) ? Number(text) : Date.parse(String(text))
  if (Number.isNaN(value)) {
    throw badRequest(`query.${name}: expected a time such as 2030-01-01T00:00:00Z, or milliseconds since the epoch`)
  }
  return value
}
