import { freemem, loadavg, totalmem } from 'node:os'
import type { BrokerAdmin } from '@hookmq/api'
import type { Endpoint } from '../http/endpoint.ts'

/** What Prometheus reads. Public, as EMQX has it, unless the settings say otherwise. */
export function prometheusEndpoint(admin: BrokerAdmin, withAuthentication: boolean): Endpoint {
  return {
    method: 'GET',
    path: '/prometheus/stats',
    tag: 'Monitor',
    access: withAuthentication ? 'authenticated' : 'public',
    summary: 'Metrics in the text format of Prometheus, under the names of EMQX',
    produces: 'text/plain',
    responseSchema: { type: 'string' },
    handle: () => ({
      status: 200,
      body: prometheusText(admin),
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    }),
  }
}

function prometheusText(admin: BrokerAdmin): string {
  const lines: string[] = []
  const add = (name: string, type: 'counter' | 'gauge', value: number): void => {
    lines.push(`# TYPE ${name} ${type}`, `${name} ${value}`)
  }
  for (const [name, value] of Object.entries(admin.stats())) add(nameOf(name), 'gauge', value)
  for (const [name, value] of Object.entries(admin.metrics())) add(nameOf(name), 'counter', value)
  const total = totalmem()
  add('emqx_cluster_nodes_running', 'gauge', 1)
  add('emqx_cluster_nodes_stopped', 'gauge', 0)
  add('emqx_vm_total_memory', 'gauge', total)
  add('emqx_vm_used_memory', 'gauge', total - freemem())
  add('hookmq_load1', 'gauge', loadavg()[0] ?? 0)
  add('hookmq_resident_memory_bytes', 'gauge', process.memoryUsage.rss())
  add('hookmq_uptime_milliseconds', 'gauge', Date.now() - admin.startedAt)
  hookLines(admin, lines)
  providerLines(admin, lines)
  return `${lines.join('\n')}\n`
}

/** `packets.publish.received` is emqx_packets_publish_received. */
function nameOf(name: string): string {
  if (name === 'packets.connect.received') return 'emqx_packets_connect'
  return `emqx_${name.replace(/\W/g, '_')}`
}

/** What EMQX does not have: each hook of its own. */
function hookLines(admin: BrokerAdmin, lines: string[]): void {
  const hooks = admin.hooks().flatMap(({ point, hooks }) =>
    hooks.map((hook) => ({
      labels: `{point="${label(point)}",owner="${label(hook.owner)}",hook="${label(hook.name)}"}`,
      hook,
    })),
  )
  for (const name of ['calls', 'failures', 'timeouts'] as const) {
    if (hooks.length > 0) lines.push(`# TYPE hookmq_hook_${name} counter`)
    const sums = new Map<string, number>()
    for (const { labels, hook } of hooks) sums.set(labels, (sums.get(labels) ?? 0) + hook[name])
    for (const [labels, sum] of sums) lines.push(`hookmq_hook_${name}${labels} ${sum}`)
  }
}

const breakerStates = { closed: 0, 'half-open': 1, open: 2 } as const

/** Providers of hooks: servers of ExHook, drivers. */
function providerLines(admin: BrokerAdmin, lines: string[]): void {
  const providers = admin.providers()
  if (providers.length === 0) return
  const each = (
    name: string,
    type: 'counter' | 'gauge',
    read: (provider: (typeof providers)[number]) => number,
  ): void => {
    lines.push(`# TYPE hookmq_provider_${name} ${type}`)
    for (const provider of providers)
      lines.push(`hookmq_provider_${name}{provider="${label(provider.name)}"} ${read(provider)}`)
  }
  each('loaded', 'gauge', ({ status }) => (status === 'loaded' ? 1 : 0))
  // 0 closed, 1 half-open, 2 open.
  each('breaker', 'gauge', ({ breaker }) => breakerStates[breaker])
  each('breaker_opened', 'counter', ({ counters }) => counters.opened)
  each('turned_away', 'counter', ({ counters }) => counters.turnedAway)
  each('waiting', 'gauge', ({ counters }) => counters.waiting)
  each('overflowed', 'counter', ({ counters }) => counters.overflowed)
  each('notifications_queued', 'gauge', ({ counters }) => counters.queued)
  each('notifications_in_flight', 'gauge', ({ counters }) => counters.inFlight)
  each('notifications_dropped', 'counter', ({ counters }) => counters.dropped)
  each('cached_verdicts', 'gauge', ({ counters }) => counters.cached)
  each('cache_hits', 'counter', ({ counters }) => counters.cacheHits)
  for (const name of new Set(providers.flatMap(({ numbers }) => Object.keys(numbers)))) {
    lines.push(`# TYPE hookmq_provider_${name} untyped`)
    for (const { name: provider, numbers } of providers)
      if (numbers[name] !== undefined)
        lines.push(`hookmq_provider_${name}{provider="${label(provider)}"} ${numbers[name]}`)
  }
  lines.push('# TYPE hookmq_provider_latency_milliseconds summary')
  for (const { name, hooks } of providers) {
    for (const { point, latency } of hooks) {
      const labels = `provider="${label(name)}",point="${label(point)}"`
      for (const [quantile, value] of [
        ['0.5', latency.p50],
        ['0.99', latency.p99],
      ] as const)
        if (value !== undefined)
          lines.push(`hookmq_provider_latency_milliseconds{${labels},quantile="${quantile}"} ${value.toFixed(3)}`)
      lines.push(`hookmq_provider_latency_milliseconds_count{${labels}} ${latency.count}`)
    }
  }
}

function label(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
}
