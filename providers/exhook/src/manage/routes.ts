import type { HttpResponse, HttpRoute } from '@hookmq/api'
import type { SettingTexts } from '../settings.ts'
import { BodyError, bodyOf, textsOfBody } from './body.ts'
import { noMetrics } from './rates.ts'
import { ChangeError, type Managed, type Servers } from './servers.ts'
import { type Part, together } from './views.ts'

export interface RoutesContext {
  readonly globals: SettingTexts
}

const common = { tag: 'ExHook' } as const

/** `/exhooks` as EMQX 5 has it, status codes and texts included. */
export function exhookRoutes(servers: Servers, context: RoutesContext): HttpRoute[] {
  const all = async (list: readonly Managed[]): Promise<unknown[]> => {
    const parts = await servers.everywhere(list)
    return list.map((managed, index) => detail(managed, parts[index] ?? [], context))
  }
  const shown = async (managed: Managed): Promise<unknown> => (await all([managed]))[0]
  return [
    {
      ...common,
      method: 'GET',
      path: '/exhooks',
      summary: 'The ExHook servers, in the order in which they are asked',
      handle: async () => ({ status: 200, body: await all(servers.list()) }),
    },
    {
      ...common,
      method: 'POST',
      path: '/exhooks',
      summary: 'Adds a server, as the last one',
      handle: ({ body }) =>
        answered('BAD_REQUEST', async () => {
          const { name, texts } = textsOfBody(body)
          if (name === undefined) throw new BodyError('name is missing')
          return { status: 200, body: await shown(await loaded(servers.add(name, texts))) }
        }),
    },
    {
      ...common,
      method: 'GET',
      path: '/exhooks/:name',
      summary: 'One server',
      handle: async ({ params }) => {
        const managed = servers.get(params.name)
        return managed === undefined ? notFound('BAD_REQUEST') : { status: 200, body: await shown(managed) }
      },
    },
    {
      ...common,
      method: 'PUT',
      path: '/exhooks/:name',
      summary: 'Gives a server other settings; what is not given has its default',
      handle: ({ params, body }) =>
        answered('NOT_FOUND', async () => {
          const before = servers.get(params.name)
          if (before === undefined) return notFound('NOT_FOUND')
          const { name = params.name, texts } = textsOfBody(body, before.texts)
          if (name !== params.name) throw new BodyError(`name is ${JSON.stringify(name)}, and a server keeps its name`)
          return { status: 200, body: await shown(await loaded(servers.update(name, texts))) }
        }),
    },
    {
      ...common,
      method: 'DELETE',
      path: '/exhooks/:name',
      summary: 'Unloads a server and forgets it',
      handle: ({ params }) =>
        answered('BAD_REQUEST', async () => {
          await servers.remove(params.name)
          return { status: 204 }
        }),
    },
    {
      ...common,
      method: 'GET',
      path: '/exhooks/:name/hooks',
      summary: 'The hooks of a server',
      handle: async ({ params }) => {
        const managed = servers.get(params.name)
        if (managed === undefined) return failure(400, 'BAD_REQUEST', 'Server not found')
        const [parts] = await servers.everywhere([managed])
        return { status: 200, body: hooks(parts) }
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/exhooks/:name/move',
      summary: 'Changes the order: front, rear, before:NAME, after:NAME',
      handle: ({ params, body }) =>
        answered('BAD_REQUEST', async () => {
          const { position } = (typeof body === 'object' && body !== null ? body : {}) as { position?: unknown }
          if (servers.get(params.name) === undefined) return notFound('BAD_REQUEST')
          if (typeof position !== 'string') throw new ChangeError('invalid_position', 'Invalid Position')
          await servers.move(params.name, position)
          return { status: 204 }
        }),
    },
    {
      ...common,
      method: 'DELETE',
      path: '/exhooks/:name/cache',
      summary: 'Forgets remembered verdicts, of one client (?clientid=) or of all',
      handle: async ({ params, query }) => {
        const managed = servers.get(params.name)
        if (managed === undefined) return notFound('BAD_REQUEST')
        const { clientid } = query
        const clientId = typeof clientid === 'string' ? clientid : undefined
        const cleaned = await servers.cleanCache({ clientId, server: managed.server.name })
        return { status: 200, body: { cleaned } }
      },
    },
  ]
}

/** As EMQX does, the answer comes when it is clear whether the server could be loaded. */
async function loaded(change: Promise<Managed>): Promise<Managed> {
  const managed = await change
  await managed.server.handle?.ready
  return managed
}

function detail({ texts, server }: Managed, parts: readonly Part[], { globals }: RoutesContext): unknown {
  const { total, error, loaded: hooks, attached, transport } = together(parts)
  return {
    ...bodyOf(server.settings, texts, globals),
    metrics: total,
    node_metrics: parts.map(({ node, view }) => ({ node, metrics: view.total })),
    node_status: parts.map(({ node, view }) => ({ node, status: view.status })),
    hooks: hooks.map(({ name, topics }) => ({ name, params: params(name, topics) })),
    ...(error === undefined ? {} : { error }),
    ...(attached === undefined
      ? {}
      : { transport, breaker_state: attached.breaker, counters: { ...attached.counters, ...attached.numbers } }),
  }
}

function hooks(parts: readonly Part[]): unknown {
  const { loaded: all, metrics, hooks: counted } = together(parts)
  const latencies = new Map<string, object>(counted.map(({ point, latency }) => [point, latency]))
  return all.map(({ name, topics }) => ({
    name,
    params: params(name, topics),
    metrics: metrics[name],
    node_metrics: parts.map(({ node, view }) => ({ node, metrics: view.metrics[name] ?? noMetrics })),
    latency: latencies.get(name) ?? { count: 0 },
  }))
}

function params(name: string, topics: readonly string[] | undefined): object {
  return name.startsWith('message.') ? { topics: topics ?? [] } : {}
}

async function answered(missing: string, work: () => Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof BodyError) return failure(400, 'BAD_REQUEST', `Bad Arguments: ${error.message}`)
    if (!(error instanceof ChangeError)) throw error
    if (error.code === 'not_found') return notFound(missing)
    if (error.code === 'bad_arguments') return failure(400, 'BAD_REQUEST', `Bad Arguments: ${error.message}`)
    return failure(400, 'BAD_REQUEST', error.message)
  }
}

function notFound(code: string): HttpResponse {
  return failure(404, code, 'Server not found')
}

function failure(status: number, code: string, message: string): HttpResponse {
  return { status, body: { code, message } }
}
