import type { BrokerAdmin, ListenerView, PluginOutcome, PluginView } from '@hookmq/api'
import { type Endpoint, noContent, ok } from '../http/endpoint.ts'
import { ApiError, badRequest } from '../http/errors.ts'

const listenerSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    type: { type: 'string' },
    name: { type: 'string' },
    bind: { type: 'string' },
    enable: { type: 'boolean' },
    status: { type: 'object' },
    node_status: { type: 'array', items: { type: 'object' } },
  },
} as const
const pluginSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    rel_vsn: { type: 'string' },
    description: { type: 'string' },
    placement: { enum: ['in-process', 'worker'] },
    running_status: { type: 'array', items: { type: 'object' } },
  },
} as const

/** Listeners, plugins and hook chains. `ownNames`: what this plugin is called, because it cannot unload itself. */
export function operationEndpoints(admin: BrokerAdmin, ownNames: readonly string[]): Endpoint[] {
  return [
    ...listenerEndpoints(admin),
    ...pluginEndpoints(admin, ownNames),
    {
      method: 'GET',
      path: '/hooks',
      tag: 'Hooks',
      summary: 'Every hook chain, in the order in which it runs',
      responseSchema: { type: 'array', items: { type: 'object' } },
      handle: () => ok(admin.hooks()),
    },
    {
      method: 'GET',
      path: '/hooks/waiting',
      tag: 'Hooks',
      summary: 'Hook calls that wait for an answer now',
      responseSchema: { type: 'array', items: { type: 'object' } },
      handle: () => ok(admin.waitingHooks()),
    },
    {
      method: 'GET',
      path: '/hooks/explain/:clientid',
      tag: 'Hooks',
      summary: 'Who would decide, step by step, whether this client may do this; nothing is done',
      querySchema: {
        type: 'object',
        required: ['action', 'topic'],
        properties: { action: { enum: ['publish', 'subscribe'] }, topic: { type: 'string', minLength: 1 } },
      },
      responseSchema: { type: 'object' },
      async handle({ params: { clientid = '' }, query }) {
        if (admin.client(clientid) === undefined) {
          throw new ApiError(404, 'CLIENTID_NOT_FOUND', `there is no client ${clientid}`)
        }
        const action = query.action === 'publish' ? 'publish' : 'subscribe'
        return ok(await admin.explain(clientid, action, String(query.topic)))
      },
    },
  ]
}

function listenerEndpoints(admin: BrokerAdmin): Endpoint[] {
  const tag = 'Listeners'
  const find = (id = ''): ListenerView => {
    const found = admin.listeners().find((listener) => listener.id === id)
    if (found === undefined) throw new ApiError(404, 'BAD_LISTENER_ID', `there is no listener ${id}`)
    return found
  }
  const change = (action: 'start' | 'stop' | 'restart'): Endpoint => ({
    method: 'POST',
    path: `/listeners/:id/${action}`,
    tag,
    summary: `${action} a listener${action === 'start' ? '' : '; open connections stay'}`,
    responseSchema: listenerSchema,
    async handle({ params: { id = '' } }) {
      find(id)
      try {
        if (action !== 'start') await admin.stopListener(id)
        if (action !== 'stop') await admin.startListener(id)
      } catch (error) {
        throw badRequest(error instanceof Error ? error.message : String(error))
      }
      return ok(listenerRow(find(id), admin.node))
    },
  })
  return [
    {
      method: 'GET',
      path: '/listeners',
      tag,
      summary: 'All listeners',
      responseSchema: { type: 'array', items: listenerSchema },
      handle: () => ok(admin.listeners().map((listener) => listenerRow(listener, admin.node))),
    },
    {
      method: 'GET',
      path: '/listeners/:id',
      tag,
      summary: 'One listener, such as tcp:external',
      responseSchema: listenerSchema,
      handle: ({ params }) => ok(listenerRow(find(params.id), admin.node)),
    },
    change('start'),
    change('stop'),
    change('restart'),
  ]
}

function listenerRow(listener: ListenerView, node: string): object {
  const status = {
    running: listener.running,
    current_connections: listener.currentConnections,
    max_connections: listener.maxConnections === 0 ? 'infinity' : listener.maxConnections,
    shutdown_count: listener.shutdownCount,
  }
  return {
    id: listener.id,
    type: listener.type,
    name: listener.id.slice(listener.id.indexOf(':') + 1),
    bind: listener.address,
    enable: listener.running,
    status,
    node_status: [{ node, status }],
  }
}

function pluginEndpoints(admin: BrokerAdmin, ownNames: readonly string[]): Endpoint[] {
  const tag = 'Plugins'
  const find = (name = ''): PluginView => {
    const found = admin.plugins().find((plugin) => plugin.name === name || plugin.alias === name)
    if (found === undefined) throw new ApiError(404, 'NOT_FOUND', `there is no plugin ${name}`)
    return found
  }
  const change = (action: 'start' | 'stop' | 'reload', run: (name: string) => Promise<PluginOutcome>): Endpoint => ({
    method: 'PUT',
    path: `/plugins/:name/${action}`,
    tag,
    summary: `${action} a plugin`,
    responses: { 204: 'Done' },
    async handle({ params: { name = '' } }) {
      if (action !== 'start' && ownNames.includes(name)) {
        throw badRequest(`${name} serves this API and cannot ${action} itself; use the command line`)
      }
      const outcome = await run(name)
      if (outcome.ok) return noContent
      if (outcome.error === 'not_found') throw new ApiError(404, 'NOT_FOUND', `there is no plugin ${name}`)
      throw badRequest(`${name}: ${outcome.error}`)
    },
  })
  return [
    {
      method: 'GET',
      path: '/plugins',
      tag,
      summary: 'All plugins that are loaded or could be',
      responseSchema: { type: 'array', items: pluginSchema },
      handle: () => ok(admin.plugins().map((plugin) => pluginRow(plugin, admin.node))),
    },
    {
      method: 'GET',
      path: '/plugins/:name',
      tag,
      summary: 'One plugin',
      responseSchema: pluginSchema,
      handle: ({ params }) => ok(pluginRow(find(params.name), admin.node)),
    },
    change('start', (name) => admin.loadPlugin(name)),
    change('stop', (name) => admin.unloadPlugin(name)),
    change('reload', (name) => admin.reloadPlugin(name)),
  ]
}

function pluginRow(plugin: PluginView, node: string): object {
  return {
    name: plugin.alias ?? plugin.name,
    rel_vsn: plugin.version,
    description: plugin.description,
    placement: plugin.placement,
    ...(plugin.error === undefined ? {} : { error: plugin.error }),
    running_status: [{ node, status: plugin.active ? 'running' : 'stopped' }],
  }
}
