import type { HttpResponse, HttpRoute } from '@hookmq/api'
import type { SettingTexts } from '../settings.ts'
import { BodyError, bodyOf, textsOfBody } from './body.ts'
import { ChangeError, type Managed, type Servers } from './servers.ts'

export interface RoutesContext {
  readonly node: string
  readonly globals: SettingTexts
}

const common = { tag: 'ExHook' } as const

/** `/exhooks` as EMQX 5 has it, status codes and texts included. */
export function exhookRoutes(servers: Servers, context: RoutesContext): HttpRoute[] {
  const shown = (managed: Managed): unknown => detail(managed, context)
  return [
    {
      ...common,
      method: 'GET',
      path: '/exhooks',
      summary: 'The ExHook servers, in the order in which they are asked',
      handle: () => ({ status: 200, body: servers.list().map(shown) }),
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
          return { status: 200, body: shown(await loaded(servers.add(name, texts))) }
        }),
    },
    {
      ...common,
      method: 'GET',
      path: '/exhooks/:name',
      summary: 'One server',
      handle: ({ params }) => {
        const managed = servers.get(params.name)
        return managed === undefined ? notFound('BAD_REQUEST') : { status: 200, body: shown(managed) }
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
          return { status: 200, body: shown(await loaded(servers.update(name, texts))) }
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
      handle: ({ params }) => {
        const managed = servers.get(params.name)
        if (managed === undefined) return failure(400, 'BAD_REQUEST', 'Server not found')
        return { status: 200, body: hooks(managed, context) }
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
      handle: ({ params, query }) => {
        const managed = servers.get(params.name)
        if (managed === undefined) return notFound('BAD_REQUEST')
        const { clientid } = query
        const cleaned = managed.server.handle?.cleanCache(typeof clientid === 'string' ? clientid : undefined) ?? 0
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

function detail({ texts, server, rates }: Managed, { node, globals }: RoutesContext): unknown {
  const { handle, error } = server
  const metrics = rates.total(handle)
  return {
    ...bodyOf(server.settings, texts, globals),
    metrics,
    node_metrics: [{ node, metrics }],
    node_status: [{ node, status: server.status }],
    hooks: server.provider.hooks.map(({ name, topics }) => ({ name, params: params(name, topics) })),
    ...(error === undefined ? {} : { error }),
    ...(handle === undefined
      ? {}
      : {
          transport: server.provider.transport,
          breaker_state: handle.breaker,
          counters: { ...handle.counters, ...handle.numbers },
        }),
  }
}

function hooks({ server, rates }: Managed, { node }: RoutesContext): unknown {
  const views = new Map<string, object>(server.handle?.hooks.map(({ point, latency }) => [point, latency]) ?? [])
  return server.provider.hooks.map(({ name, topics }) => {
    const metrics = rates.of(server.handle, name)
    return {
      name,
      params: params(name, topics),
      metrics,
      node_metrics: [{ node, metrics }],
      latency: views.get(name) ?? { count: 0 },
    }
  })
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
