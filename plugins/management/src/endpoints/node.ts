import { readFileSync } from 'node:fs'
import { freemem, loadavg, totalmem } from 'node:os'
import type { Alarm, BrokerAdmin } from '@hookmq/api'
import { type Endpoint, noContent, ok } from '../http/endpoint.ts'
import { ApiError, errorCodes } from '../http/errors.ts'
import { pageOf, pageQuery, pageSchema, paginate } from '../http/page.ts'

const tag = 'Nodes'
const numbers = { type: 'object', additionalProperties: { type: ['number', 'string'] } } as const
const aggregate = {
  type: 'object',
  properties: { aggregate: { type: 'boolean', default: false, description: 'One object for all nodes' } },
} as const
const nodeSchema = {
  type: 'object',
  properties: {
    node: { type: 'string' },
    node_status: { enum: ['running', 'stopped'] },
    role: { type: 'string' },
    version: { type: 'string' },
    edition: { type: 'string' },
    uptime: { type: 'integer', description: 'Milliseconds' },
    connections: { type: 'integer' },
    live_connections: { type: 'integer' },
    cluster_sessions: { type: 'integer' },
    load1: { type: 'number' },
    load5: { type: 'number' },
    load15: { type: 'number' },
    max_fds: { type: 'integer' },
    memory_total: { type: 'integer', description: 'Bytes' },
    memory_used: { type: 'integer', description: 'Bytes' },
    process_available: { type: 'integer', description: 'Same as max_fds: Node.js has no process table' },
    process_used: { type: 'integer', description: 'Handles and requests that keep the event loop busy' },
    otp_release: { type: 'string', description: 'The version of Node.js' },
    log_path: { type: 'string' },
    sys_path: { type: 'string' },
  },
} as const

export function nodeEndpoints(admin: BrokerAdmin): Endpoint[] {
  const requireNode = (node = ''): void => {
    if (node !== admin.node) throw new ApiError(404, 'NOT_FOUND', `there is no node ${node}`)
  }
  const statistics = (name: 'metrics' | 'stats', what: string): Endpoint[] => [
    {
      method: 'GET',
      path: `/${name}`,
      tag,
      summary: `${what}, for each node or all together`,
      querySchema: aggregate,
      responseSchema: { oneOf: [numbers, { type: 'array', items: numbers }] },
      handle({ query }) {
        const values = admin[name]()
        return ok((query.aggregate as unknown) === true ? values : [{ node: admin.node, ...values }])
      },
    },
    {
      method: 'GET',
      path: `/nodes/:node/${name}`,
      tag,
      summary: `${what} of one node`,
      responseSchema: numbers,
      handle({ params }) {
        requireNode(params.node)
        return ok(admin[name]())
      },
    },
  ]
  return [
    {
      method: 'GET',
      path: '/nodes',
      tag,
      summary: 'The nodes',
      responseSchema: { type: 'array', items: nodeSchema },
      handle: () => ok([nodeRow(admin)]),
    },
    {
      method: 'GET',
      path: '/nodes/:node',
      tag,
      summary: 'One node',
      responseSchema: nodeSchema,
      handle({ params }) {
        requireNode(params.node)
        return ok(nodeRow(admin))
      },
    },
    ...statistics('metrics', 'Counters'),
    ...statistics('stats', 'Gauges'),
    {
      method: 'GET',
      path: '/status',
      tag,
      access: 'public',
      summary: 'Whether the broker runs; needs no login',
      produces: 'text/plain',
      querySchema: { type: 'object', properties: { format: { enum: ['json'] } } },
      responseSchema: { type: 'string' },
      handle({ query }) {
        if (query.format !== 'json') return { status: 200, body: statusText(admin), contentType: 'text/plain' }
        return ok({
          node_name: admin.node,
          rel_vsn: admin.version,
          broker_status: 'started',
          app_status: 'running',
        })
      },
    },
    {
      method: 'GET',
      path: '/topics',
      tag: 'Topics',
      summary: 'Filters that somebody is subscribed to',
      querySchema: {
        type: 'object',
        properties: { ...pageQuery, topic: { type: 'string' }, node: { type: 'string' } },
      },
      responseSchema: pageSchema(topicSchema),
      async handle({ query }) {
        const { topic, node } = query
        const filtered = topic !== undefined || node !== undefined
        const keep = filtered
          ? (filter: string) => (topic ?? filter) === filter && (node ?? admin.node) === admin.node
          : undefined
        const total = filtered ? undefined : admin.stats()['topics.count']
        return ok(await paginate(admin.topics(), pageOf(query), (filter) => topicRow(filter, admin), { keep, total }))
      },
    },
    {
      method: 'GET',
      path: '/topics/:topic',
      tag: 'Topics',
      summary: 'One filter, percent-encoded',
      responseSchema: { type: 'array', items: topicSchema },
      handle({ params: { topic = '' } }) {
        for (const filter of admin.topics()) if (filter === topic) return ok([topicRow(filter, admin)])
        throw new ApiError(404, 'NOT_FOUND', `nobody is subscribed to ${topic}`)
      },
    },
    {
      method: 'GET',
      path: '/error_codes',
      tag: 'API',
      summary: 'The codes of errors, and what each means',
      responseSchema: {
        type: 'array',
        items: { type: 'object', properties: { code: { type: 'string' }, description: { type: 'string' } } },
      },
      handle: () => ok(Object.entries(errorCodes).map(([code, description]) => ({ code, description }))),
    },
    {
      method: 'GET',
      path: '/alarms',
      tag: 'Alarms',
      summary: 'What is wrong now, or no longer is: `store_down` while the store does not work',
      querySchema: { type: 'object', properties: { ...pageQuery, activated: { type: 'boolean', default: true } } },
      responseSchema: pageSchema({ type: 'object' }),
      handle: async ({ query }) =>
        ok(
          await paginate(admin.alarms((query.activated as unknown) !== false), pageOf(query), (alarm) =>
            alarmRow(alarm, Date.now()),
          ),
        ),
    },
    {
      method: 'DELETE',
      path: '/alarms',
      tag: 'Alarms',
      summary: 'Forget what is no longer wrong',
      responses: { 204: 'Forgotten' },
      handle() {
        admin.forgetAlarms()
        return noContent
      },
    },
  ]
}

function alarmRow({ node, name, message, details, activatedAt, deactivatedAt }: Alarm, now: number): object {
  return {
    node,
    name,
    message,
    details,
    duration: (deactivatedAt ?? now) - activatedAt,
    activate_at: new Date(activatedAt).toISOString(),
    ...(deactivatedAt === undefined ? {} : { deactivate_at: new Date(deactivatedAt).toISOString() }),
  }
}

const topicSchema = { type: 'object', properties: { topic: { type: 'string' }, node: { type: 'string' } } } as const

function topicRow(topic: string, { node }: BrokerAdmin): object {
  return { topic, node }
}

/** Two lines, as EMQX has them; monitoring looks for these words. */
export function statusText({ node }: BrokerAdmin): string {
  return `Node ${node} is started\nemqx is running`
}

function nodeRow(admin: BrokerAdmin): object {
  const stats = admin.stats()
  const [load1, load5, load15] = loadavg().map((load) => Math.round(load * 100) / 100)
  const total = totalmem()
  return {
    node: admin.node,
    node_status: 'running',
    role: 'core',
    version: admin.version,
    edition: 'Opensource',
    uptime: Date.now() - admin.startedAt,
    connections: stats['connections.count'] ?? 0,
    live_connections: stats['live_connections.count'] ?? 0,
    cluster_sessions: stats['sessions.count'] ?? 0,
    load1,
    load5,
    load15,
    max_fds: maximumOfFiles(),
    memory_total: total,
    memory_used: total - freemem(),
    process_available: maximumOfFiles(),
    process_used: process.getActiveResourcesInfo().length,
    otp_release: `Node.js ${process.versions.node}`,
    log_path: '',
    sys_path: process.cwd(),
  }
}

let files: number | undefined

/** Files and sockets that this process may have open; 0 where the system does not tell. */
function maximumOfFiles(): number {
  if (files === undefined) {
    try {
      files = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0)
    } catch {
      files = 0
    }
  }
  return files
}
