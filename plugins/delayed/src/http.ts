import type { HttpRequest, HttpResponse, HttpRoute, PluginContext } from '@hookmq/api'
import { keepSettings } from '@hookmq/kit'
import type { DelayedMessages, Told } from './delayed-messages.ts'
import type { Waiting } from './schedule.ts'

export interface Limits {
  enabled: boolean
  maximum: number
}

/** Larger payloads are not shown. */
const largestPayload = 1024 * 1024

const badRequest = (message: string): HttpResponse => ({ status: 400, body: { code: 'BAD_REQUEST', message } })

/** @returns what is wrong with the body; nothing is changed then */
export function changeLimits(limits: Limits, body: unknown): string | undefined {
  const { enable, max_delayed_messages: maximum } = (body ?? {}) as Record<string, unknown>
  if (enable !== undefined && typeof enable !== 'boolean') return 'enable must be true or false'
  if (maximum !== undefined && !(Number.isSafeInteger(maximum) && Number(maximum) >= 0))
    return 'max_delayed_messages must be a number from 0'
  limits.enabled = enable ?? limits.enabled
  limits.maximum = maximum === undefined ? limits.maximum : Number(maximum)
  return undefined
}

/** The endpoints that EMQX 5 has for delayed messages. */
export function routes(ctx: PluginContext, messages: DelayedMessages, limits: Limits): HttpRoute[] {
  const tag = 'Delayed Publish'
  const row = (waiting: Waiting): Record<string, unknown> => describe(waiting, ctx.broker.node, ctx.now())
  const describeLimits = ({ enabled, maximum }: Limits) => ({ enable: enabled, max_delayed_messages: maximum })
  const settings = (): HttpResponse => ({ status: 200, body: describeLimits(limits) })
  const notFound = ({ params }: HttpRequest): HttpResponse => ({
    status: 404,
    body: { code: 'MESSAGE_ID_NOT_FOUND', message: `no delayed message ${params.msgid} waits on ${ctx.broker.node}` },
  })
  return [
    { method: 'GET', path: '/mqtt/delayed', summary: 'Settings of delayed messages', tag, handle: settings },
    {
      method: 'PUT',
      path: '/mqtt/delayed',
      summary: 'Changes the settings; the changes hold until the file of settings is changed',
      tag,
      async handle({ body }) {
        const next = { ...limits }
        const problem = changeLimits(next, body)
        if (problem !== undefined) return badRequest(problem)
        await keepSettings(ctx, describeLimits(next))
        changeLimits(limits, body)
        ctx.members.tell({ limits: describeLimits(limits) } satisfies Told)
        return settings()
      },
    },
    {
      method: 'GET',
      path: '/mqtt/delayed/messages',
      summary: 'Messages that wait, a page of them',
      tag,
      handle({ query }) {
        const page = positive(query.page, 1)
        const limit = positive(query.limit, 100)
        if (page === undefined || limit === undefined || limit > 10_000) {
          return badRequest('page must be a number from 1, limit one from 1 to 10000')
        }
        const data = messages.page((page - 1) * limit, limit).map(row)
        const { count } = messages
        return { status: 200, body: { data, meta: { page, limit, count, hasnext: page * limit < count } } }
      },
    },
    {
      method: 'GET',
      path: '/mqtt/delayed/messages/:node/:msgid',
      summary: 'One message, with its payload in base64',
      tag,
      async handle(request) {
        const found = request.params.node === ctx.broker.node ? await messages.message(request.params.msgid) : undefined
        if (found === undefined) return notFound(request)
        const { payload } = found.message
        const shown = payload.length > largestPayload ? 'PAYLOAD_TOO_LARGE' : Buffer.from(payload).toString('base64')
        return { status: 200, body: { ...row(found.waiting), payload: shown } }
      },
    },
    {
      method: 'DELETE',
      path: '/mqtt/delayed/messages/:node/:msgid',
      summary: 'Takes a message back',
      tag,
      async handle(request) {
        const gone = request.params.node === ctx.broker.node && (await messages.delete(request.params.msgid))
        return gone ? { status: 204 } : notFound(request)
      },
    },
  ]
}

function describe(waiting: Waiting, node: string, now: number): Record<string, unknown> {
  const { id, topic, qos, from, username, publishedAt, due } = waiting
  return {
    msgid: id,
    node,
    topic,
    qos,
    from_clientid: from,
    from_username: username ?? 'undefined',
    publish_at: new Date(publishedAt).toISOString(),
    delayed_interval: Math.round((due - publishedAt) / 1000),
    delayed_remaining: Math.max(0, Math.round((due - now) / 1000)),
    expected_at: new Date(due).toISOString(),
  }
}

function positive(value: string | readonly string[] | undefined, initial: number): number | undefined {
  if (value === undefined) return initial
  return typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined
}
