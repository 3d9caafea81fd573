import type { LatencyView, ProviderCounters, ProviderHookView, ProviderView } from '@hookmq/api'

const statuses = ['loaded', 'loading', 'failed', 'detached'] as const
const breakers = ['closed', 'half-open', 'open'] as const

/** The same providers are attached in every member: shown once, with the sum of what they count, and the worse of what they are. */
export function sumProviders(
  own: readonly ProviderView[],
  others: readonly (readonly ProviderView[])[],
): ProviderView[] {
  return own.map((provider) =>
    others
      .flatMap((providers) => providers.filter(({ name }) => name === provider.name))
      .reduce((one, other) => add(one, other), provider),
  )
}

function add(one: ProviderView, other: ProviderView): ProviderView {
  const worse = statuses.indexOf(other.status) > statuses.indexOf(one.status)
  return {
    name: one.name,
    status: worse ? other.status : one.status,
    error: (worse ? other.error : one.error) ?? one.error ?? other.error,
    breaker: breakers[Math.max(breakers.indexOf(one.breaker), breakers.indexOf(other.breaker))],
    counters: sum(one.counters, other.counters) as unknown as ProviderCounters,
    numbers: sum(one.numbers, other.numbers),
    hooks: one.hooks.map((hook) => {
      const same = other.hooks.find(({ point }) => point === hook.point)
      return same === undefined ? hook : addHook(hook, same)
    }),
  }
}

function sum(one: object, other: object): Record<string, number> {
  const total: Record<string, number> = { ...one }
  for (const [name, value] of Object.entries(other)) total[name] = (total[name] ?? 0) + value
  return total
}

function addHook(one: ProviderHookView, other: ProviderHookView): ProviderHookView {
  return {
    ...one,
    calls: one.calls + other.calls,
    succeeded: one.succeeded + other.succeeded,
    failures: one.failures + other.failures,
    timeouts: one.timeouts + other.timeouts,
    dropped: one.dropped + other.dropped,
    latency: slower(one.latency, other.latency),
  }
}

/** Percentiles cannot be added: those of the slower member. */
function slower(one: LatencyView, other: LatencyView): LatencyView {
  return {
    count: one.count + other.count,
    p50: greater(one.p50, other.p50),
    p99: greater(one.p99, other.p99),
  }
}

function greater(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
