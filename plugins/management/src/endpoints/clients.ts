import type { BrokerAdmin, ClientView } from '@hookmq/api'
import { type Endpoint, noContent, ok } from '../http/endpoint.ts'
import { ApiError } from '../http/errors.ts'
import { pageOf, pageQuery, pageSchema, paginate } from '../http/page.ts'
import { clientFilter, clientFilterQuery } from './client-filter.ts'
import { clientRow, clientSchema } from './client-row.ts'

const tag = 'Clients'

/** Of a long list, so many are under way at a time. */
const kickedTogether = 64

export function clientEndpoints(admin: BrokerAdmin): Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/clients',
      tag,
      summary: 'Clients that are connected or have a session',
      querySchema: { type: 'object', properties: { ...pageQuery, ...clientFilterQuery } },
      responseSchema: pageSchema(clientSchema),
      async handle({ query }) {
        const keep = clientFilter(query, admin.node)
        const total = keep === undefined ? admin.stats()['sessions.count'] : undefined
        const show = (view: ClientView): object => clientRow(view, admin.node)
        return ok(await paginate(admin.clients(), pageOf(query), show, { keep, total }))
      },
    },
    {
      method: 'GET',
      path: '/clients/:clientid',
      tag,
      summary: 'One client',
      responseSchema: clientSchema,
      handle: ({ params }) => ok(clientRow(requireClient(admin, params.clientid), admin.node)),
    },
    {
      method: 'DELETE',
      path: '/clients/:clientid',
      tag,
      summary: 'Kick a client: its connection and its session end',
      responses: { 204: 'Kicked' },
      async handle({ params: { clientid = '' } }) {
        if (!(await kick(admin, clientid))) throw notThere(clientid)
        return noContent
      },
    },
    {
      method: 'POST',
      path: '/clients/kickout/bulk',
      tag,
      summary: 'Kick several clients; those that are not there are passed over',
      bodySchema: { type: 'array', items: { type: 'string' }, maxItems: 10_000 },
      responses: { 204: 'Kicked' },
      async handle({ body }) {
        // Each of them may concern another process, which has to answer.
        const rest = (body as string[]).values()
        const one = async (): Promise<void> => {
          for (const clientid of rest) await kick(admin, clientid)
        }
        await Promise.all(Array.from({ length: kickedTogether }, one))
        return noContent
      },
    },
    {
      method: 'DELETE',
      path: '/clients/:clientid/authorization/cache',
      tag,
      summary: 'Forget the remembered access decisions of a client',
      responses: { 204: 'Forgotten' },
      handle({ params: { clientid = '' } }) {
        if (!admin.cleanAclCache(clientid)) throw notThere(clientid)
        return noContent
      },
    },
    {
      method: 'DELETE',
      path: '/authorization/cache',
      tag,
      summary: 'Forget the remembered access decisions of all clients',
      responses: { 204: 'Forgotten' },
      handle() {
        admin.cleanAclCache()
        return noContent
      },
    },
  ]
}

/** Of a process that is away nobody can say what it has. */
async function kick(admin: BrokerAdmin, clientid: string): Promise<boolean> {
  try {
    return await admin.kick(clientid)
  } catch (error) {
    throw new ApiError(503, 'SERVICE_UNAVAILABLE', error instanceof Error ? error.message : String(error))
  }
}

export function requireClient(admin: BrokerAdmin, clientid = ''): ClientView {
  const view = admin.client(clientid)
  if (view === undefined) throw notThere(clientid)
  return view
}

export function notThere(clientid: string): ApiError {
  return new ApiError(404, 'CLIENTID_NOT_FOUND', `there is no client ${clientid}`)
}
