import type { PluginContext } from '@hookmq/api'
import { type Endpoint, noContent, ok } from '../http/endpoint.ts'
import { ApiError, badRequest } from '../http/errors.ts'
import { pageOf, pageQuery, pageSchema, paginate } from '../http/page.ts'
import { type Ban, type BanKind, type Bans, banKinds } from './bans.ts'

const tag = 'Banned'
const text = { type: 'string', maxLength: 1024 } as const
const time = { type: ['string', 'integer'], description: "RFC 3339, seconds since the epoch, or 'infinity'" } as const
const banSchema = {
  type: 'object',
  required: ['as', 'who'],
  properties: { as: { enum: banKinds }, who: { ...text, minLength: 1 }, by: text, reason: text, at: time, until: time },
} as const

interface Body {
  readonly as: BanKind
  readonly who: string
  readonly by?: string
  readonly reason?: string
  readonly at?: string | number
  readonly until?: string | number
}

/** Who may not connect. Clients that are connected already stay: kick them. */
export function bannedEndpoints(bans: Bans, ctx: PluginContext): Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/banned',
      tag,
      summary: 'Who is banned',
      querySchema: {
        type: 'object',
        properties: { ...pageQuery, ...Object.fromEntries(banKinds.map((kind) => [kind, { type: 'string' }])) },
      },
      responseSchema: pageSchema(banSchema),
      async handle({ query }) {
        const asked = banKinds.filter((kind) => query[kind] !== undefined)
        const keep =
          asked.length === 0
            ? undefined
            : (ban: Ban) => asked.some((kind) => ban.as === kind && ban.who === query[kind])
        return ok(await paginate(bans.values(), pageOf(query), banRow, { keep }))
      },
    },
    {
      method: 'POST',
      path: '/banned',
      tag,
      summary: 'Ban a client id, user name, address or network; MQTT 5 clients get reason code 0x8A',
      bodySchema: banSchema,
      responseSchema: banSchema,
      async handle({ body, user }) {
        const { as, who, by = user, reason = '', at, until = 'infinity' } = body as Body
        const ban = {
          as,
          who,
          by,
          reason,
          at: readTime('at', at) ?? ctx.now(),
          until: readTime('until', until) ?? null,
        }
        await bans.add(ban)
        return ok(banRow(ban))
      },
    },
    {
      method: 'DELETE',
      path: '/banned',
      tag,
      summary: 'Lift all bans',
      responses: { 204: 'Lifted' },
      async handle() {
        await bans.clear()
        return noContent
      },
    },
    {
      method: 'DELETE',
      path: '/banned/:as/:who',
      tag,
      summary: 'Lift one ban',
      responses: { 204: 'Lifted' },
      async handle({ params: { as = '', who = '' } }) {
        if (await bans.remove(as, who)) return noContent
        throw new ApiError(404, 'NOT_FOUND', `${as} ${who} is not banned`)
      },
    },
  ]
}

function banRow({ as, who, by, reason, at, until }: Ban): object {
  return {
    as,
    who,
    by,
    reason,
    at: new Date(at).toISOString(),
    until: until === null ? 'infinity' : new Date(until).toISOString(),
  }
}

/** undefined: not given, or for ever. */
function readTime(name: string, value: string | number | undefined): number | undefined {
  if (value === undefined || value === 'infinity') return undefined
  const time = typeof value === 'number' ? value * 1000 : Date.parse(value)
  if (Number.isNaN(new Date(time).getTime())) {
    throw badRequest(
      `body.${name}: expected a time such as 2030-01-01T00:00:00Z, seconds since the epoch, or 'infinity'`,
    )
  }
  return time
}
