import type { PluginContext } from '@hookmq/api'
import { type Endpoint, noContent, ok } from '../http/endpoint.ts'
import { ApiError, badRequest } from '../http/errors.ts'
import { type PayloadShown, Trace, type TraceType, traceTypes } from './trace.ts'

const tag = 'Trace'
const MOST_TRACES = 30
const LONGEST = 86_400_000
const DEFAULT_DURATION = 15 * 60_000
const time = { type: ['string', 'integer'], description: 'RFC 3339, or seconds since the epoch' } as const
const settings = {
  name: { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_-]{0,127}$' },
  type: { enum: traceTypes },
  clientid: { type: 'string', minLength: 1 },
  topic: { type: 'string', minLength: 1 },
  ip_address: { type: 'string', minLength: 1 },
  start_at: time,
  end_at: time,
  payload_encode: { enum: ['hidden', 'text', 'hex'], default: 'hidden' },
} as const
const rowSchema = {
  type: 'object',
  properties: { ...settings, status: { enum: ['waiting', 'running', 'stopped'] }, log_size: { type: 'object' } },
} as const

interface Body {
  readonly name: string
  readonly type: TraceType
  readonly clientid?: string
  readonly topic?: string
  readonly ip_address?: string
  readonly start_at?: string | number
  readonly end_at?: string | number
  readonly payload_encode: PayloadShown
}

/** Traces: watch one client, topic or address for a while. Kept in memory while the plugin is loaded. */
export function traceEndpoints(ctx: PluginContext): Endpoint[] {
  const traces = new Map<string, Trace>()
  const find = (name = ''): Trace => {
    const trace = traces.get(name)
    if (trace === undefined) throw new ApiError(404, 'NOT_FOUND', `there is no trace ${name}`)
    return trace
  }
  const show = (trace: Trace): object => {
    const { name, type, value, start, end, payload } = trace.spec
    return {
      name,
      type,
      [type]: value,
      start_at: new Date(start).toISOString(),
      end_at: new Date(end).toISOString(),
      payload_encode: payload,
      status: trace.status,
      log_size: { [ctx.admin.node]: trace.bytes },
    }
  }
  // Starts and ends come by themselves.
  ctx.every(1000, () => {
    for (const trace of traces.values()) trace.adjust()
  })
  return [
    {
      method: 'GET',
      path: '/trace',
      tag,
      summary: 'All traces, the newest first',
      responseSchema: { type: 'array', items: rowSchema },
      handle: () => ok([...traces.values()].reverse().map(show)),
    },
    {
      method: 'POST',
      path: '/trace',
      tag,
      summary: 'Begin a trace; it ends after 15 minutes unless end_at says otherwise',
      bodySchema: { type: 'object', required: ['name', 'type'], properties: settings },
      responseSchema: rowSchema,
      handle({ body }) {
        const { name, type, start_at, end_at, payload_encode, ...rest } = body as Body
        const value = rest[type]
        if (value === undefined) throw badRequest(`body: ${type} is missing`)
        if (traces.has(name)) throw new ApiError(400, 'ALREADY_EXISTS', `there already is a trace ${name}`)
        if (traces.size >= MOST_TRACES) {
          throw new ApiError(400, 'EXCEED_LIMIT', `there are ${MOST_TRACES} traces already; delete one`)
        }
        const start = start_at === undefined ? ctx.now() : readTime('start_at', start_at)
        const end = end_at === undefined ? start + DEFAULT_DURATION : readTime('end_at', end_at)
        if (end <= Math.max(start, ctx.now())) throw badRequest('body.end_at: has passed, or comes before start_at')
        if (end - start > LONGEST) throw badRequest('body.end_at: a trace takes a day at most')
        const trace = new Trace(ctx, { name, type, value, start, end, payload: payload_encode })
        traces.set(name, trace)
        trace.adjust()
        return ok(show(trace))
      },
    },
    {
      method: 'DELETE',
      path: '/trace',
      tag,
      summary: 'Delete all traces',
      responses: { 204: 'Deleted' },
      handle() {
        for (const trace of traces.values()) trace.stop()
        traces.clear()
        return noContent
      },
    },
    {
      method: 'DELETE',
      path: '/trace/:name',
      tag,
      summary: 'Delete a trace',
      responses: { 204: 'Deleted' },
      handle({ params: { name = '' } }) {
        find(name).stop()
        traces.delete(name)
        return noContent
      },
    },
    {
      method: 'PUT',
      path: '/trace/:name/stop',
      tag,
      summary: 'End a trace; what it has written stays',
      responseSchema: { type: 'object', properties: { name: { type: 'string' }, enable: { type: 'boolean' } } },
      handle({ params: { name = '' } }) {
        find(name).stop()
        return ok({ name, enable: false })
      },
    },
    {
      method: 'GET',
      path: '/trace/:name/download',
      tag,
      summary: 'What a trace has written, as text',
      produces: 'text/plain',
      responseSchema: { type: 'string' },
      handle: ({ params }) => ({ status: 200, body: find(params.name).text, contentType: 'text/plain; charset=utf-8' }),
    },
    {
      method: 'GET',
      path: '/trace/:name/log',
      tag,
      summary: 'What a trace has written, in pieces',
      querySchema: {
        type: 'object',
        properties: {
          position: { type: 'integer', minimum: 0, default: 0, description: 'Where the piece begins, in bytes' },
          bytes: { type: 'integer', minimum: 1, maximum: 1_048_576, default: 1000 },
        },
      },
      responseSchema: { type: 'object', properties: { items: { type: 'string' }, meta: { type: 'object' } } },
      handle({ params, query }) {
        const log = Buffer.from(find(params.name).text)
        const start = Number(query.position)
        const piece = log.subarray(start, start + Number(query.bytes))
        return ok({
          items: piece.toString(),
          meta: { position: Math.min(start, log.length) + piece.length, bytes: piece.length },
        })
      },
    },
  ]
}

function readTime(name: string, value: string | number): number {
  const time = typeof value === 'number' ? value * 1000 : Date.parse(value)
  if (Number.isNaN(new Date(time).getTime())) {
    throw badRequest(`body.${name}: expected a time such as 2030-01-01T00:00:00Z, or seconds since the epoch`)
  }
  return time
}
