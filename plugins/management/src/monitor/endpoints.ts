import type { PluginContext } from '@hookmq/api'
import { type Endpoint, ok } from '../http/endpoint.ts'
import { ApiError } from '../http/errors.ts'
import { type Sample, Series } from './series.ts'

const INTERVAL = 10_000
const LONGEST = 7 * 86_400
const tag = 'Monitor'
const numbers = { type: 'object', additionalProperties: { type: 'number' } } as const
const latest = {
  type: 'object',
  properties: { latest: { type: 'integer', minimum: 1, maximum: LONGEST, default: 3600, description: 'Seconds' } },
} as const

/** What a dashboard draws: counts and rates, now and in the past. Sampled every 10 s while the plugin is loaded. */
export function monitorEndpoints(ctx: PluginContext): Endpoint[] {
  const { admin } = ctx
  const series = new Series()
  let before = totals(ctx)
  const look = (): Sample => {
    const stats = admin.stats()
    const now = totals(ctx)
    const sample = {
      time_stamp: ctx.now(),
      connections: stats['connections.count'] ?? 0,
      live_connections: stats['live_connections.count'] ?? 0,
      topics: stats['topics.count'] ?? 0,
      subscriptions: stats['subscriptions.count'] ?? 0,
      received: now.received - before.received,
      sent: now.sent - before.sent,
      dropped: now.dropped - before.dropped,
    }
    return sample
  }
  ctx.every(INTERVAL, () => {
    series.add(look())
    before = totals(ctx)
  })

  const current = (): object => {
    const { time_stamp: _, received, sent, dropped, ...gauges } = look()
    // What was added since the last sample, over the time that it took; the last whole stretch right after one.
    const elapsed = ctx.now() - before.at
    const recent = elapsed >= 1000 || series.latest === undefined
    const rate = (fresh: number, last: number | undefined): number =>
      Math.round(recent ? (fresh * 1000) / Math.max(elapsed, 1000) : ((last ?? 0) * 1000) / INTERVAL)
    const stats = admin.stats()
    return {
      ...gauges,
      received_msg_rate: rate(received, series.latest?.received),
      sent_msg_rate: rate(sent, series.latest?.sent),
      dropped_msg_rate: rate(dropped, series.latest?.dropped),
      node_uptime: Math.floor((ctx.now() - admin.startedAt) / 1000),
      retained_msg_count: stats['retained.count'] ?? 0,
      shared_subscriptions: stats['subscriptions.shared.count'] ?? 0,
      cluster_sessions: stats['sessions.count'] ?? 0,
    }
  }
  const past = (seconds: number): readonly Sample[] => series.since(ctx.now() - seconds * 1000, ctx.now())
  const requireNode = (node = ''): void => {
    if (node !== admin.node) throw new ApiError(404, 'NOT_FOUND', `there is no node ${node}`)
  }
  const seriesSchema = { type: 'array', items: numbers } as const
  return [
    {
      method: 'GET',
      path: '/monitor',
      tag,
      summary: 'Samples of the past: received, sent and dropped are counts of messages since the sample before',
      querySchema: latest,
      responseSchema: seriesSchema,
      handle: ({ query }) => ok(past(Number(query.latest))),
    },
    {
      method: 'GET',
      path: '/monitor/nodes/:node',
      tag,
      summary: 'Samples of one node',
      querySchema: latest,
      responseSchema: seriesSchema,
      handle({ params, query }) {
        requireNode(params.node)
        return ok(past(Number(query.latest)))
      },
    },
    {
      method: 'GET',
      path: '/monitor_current',
      tag,
      summary: 'Counts and rates (messages per second) of the moment',
      responseSchema: numbers,
      handle: () => ok(current()),
    },
    {
      method: 'GET',
      path: '/monitor_current/nodes/:node',
      tag,
      summary: 'Counts and rates of one node',
      responseSchema: numbers,
      handle({ params }) {
        requireNode(params.node)
        return ok(current())
      },
    },
  ]
}

function totals(ctx: PluginContext): { at: number; received: number; sent: number; dropped: number } {
  const metrics = ctx.admin.metrics()
  return {
    at: ctx.now(),
    received: metrics['messages.received'] ?? 0,
    sent: metrics['messages.sent'] ?? 0,
    dropped: (metrics['messages.dropped'] ?? 0) + (metrics['delivery.dropped'] ?? 0),
  }
}
