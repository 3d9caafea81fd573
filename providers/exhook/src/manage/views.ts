import type { LatencyView, ProviderCounters, ProviderHandle, ProviderHookView } from '@hookmq/api'
import type { ServerStatus } from '../server.ts'
import type { HookMetrics } from './rates.ts'
import type { Managed } from './servers.ts'

/** One server as one process of the broker has it, in values that others can be told. */
export interface ServerView {
  readonly name: string
  readonly status: ServerStatus
  readonly error: string | undefined
  readonly version: string | undefined
  readonly transport: string | undefined
  /** As it was loaded, in its own order. */
  readonly loaded: readonly { readonly name: string; readonly topics: readonly string[] | undefined }[]
  readonly total: HookMetrics
  /** Of the loaded hooks. */
  readonly metrics: Readonly<Record<string, HookMetrics>>
  readonly hooks: readonly ProviderHookView[]
  /** undefined: it is disabled. */
  readonly attached:
    | {
        readonly breaker: ProviderHandle['breaker']
        readonly counters: ProviderCounters
        readonly numbers: Readonly<Record<string, number>>
      }
    | undefined
}

/** What a process says of a server. */
export interface Part {
  readonly node: string
  readonly view: ServerView
}

export function viewOf({ server, rates }: Managed): ServerView {
  const { handle, provider } = server
  return {
    name: server.name,
    status: server.status,
    error: server.error,
    version: provider.version,
    transport: handle === undefined ? undefined : provider.transport,
    loaded: provider.hooks.map(({ name, topics }) => ({ name, topics })),
    total: rates.total(handle),
    metrics: Object.fromEntries(provider.hooks.map(({ name }) => [name, rates.of(handle, name)])),
    hooks: handle?.hooks ?? [],
    attached:
      handle === undefined
        ? undefined
        : { breaker: handle.breaker, counters: { ...handle.counters }, numbers: { ...handle.numbers } },
  }
}

const statuses: readonly ServerStatus[] = ['connected', 'connecting', 'disconnected', 'disabled']
const breakers = ['closed', 'half-open', 'open'] as const

/** All processes together: what is counted is added up, and what differs is as bad as at the worst of them. At least one. */
export function together(parts: readonly Part[]): ServerView {
  return parts.map(({ view }) => view).reduce(both)
}

function both(one: ServerView, other: ServerView): ServerView {
  const loaded = one.loaded.length > 0 ? one.loaded : other.loaded
  return {
    name: one.name,
    status: statuses[Math.max(statuses.indexOf(one.status), statuses.indexOf(other.status))],
    error: one.error ?? other.error,
    version: one.version ?? other.version,
    transport: one.transport ?? other.transport,
    loaded,
    total: addUp(one.total, other.total),
    metrics: Object.fromEntries(
      loaded.map(({ name }) => [name, addUp(one.metrics[name] ?? {}, other.metrics[name] ?? {})]),
    ),
    hooks: (one.hooks.length > 0 ? one.hooks : other.hooks).map((hook) => {
      const [first, second] = [one, other].map(({ hooks }) => hooks.find(({ point }) => point === hook.point))
      return first === undefined || second === undefined ? hook : bothHooks(first, second)
    }),
    attached:
      one.attached === undefined || other.attached === undefined
        ? (one.attached ?? other.attached)
        : {
            breaker:
              breakers[Math.max(breakers.indexOf(one.attached.breaker), breakers.indexOf(other.attached.breaker))],
            counters: addUp(one.attached.counters, other.attached.counters),
            numbers: addUp(one.attached.numbers, other.attached.numbers),
          },
  }
}

function bothHooks(one: ProviderHookView, other: ProviderHookView): ProviderHookView {
  const { point, topics, latency, ...counted } = one
  const { point: _, topics: __, latency: otherLatency, ...otherCounted } = other
  return { point, topics, ...addUp(counted, otherCounted), latency: slower(latency, otherLatency) }
}

/** Percentiles cannot be added up: those of the slower one. */
function slower(one: LatencyView, other: LatencyView): LatencyView {
  return { count: one.count + other.count, p50: greater(one.p50, other.p50), p99: greater(one.p99, other.p99) }
}

function greater(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}

function addUp<Numbers extends object>(one: Partial<Numbers>, other: Partial<Numbers>): Numbers {
  const sum: Record<string, number> = {}
  for (const numbers of [one, other]) {
    for (const [name, value] of Object.entries(numbers)) sum[name] = (sum[name] ?? 0) + (value as number)
  }
  return sum as Numbers
}
