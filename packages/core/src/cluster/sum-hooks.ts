import type { ChainView, HookView } from '@hookmq/api'

/** The same hooks are in every member, each with numbers of its own: shown once. Times are those of the slowest member. */
export function sumHooks(own: readonly ChainView[], others: readonly (readonly ChainView[])[]): ChainView[] {
  const same = new Map<string, HookView[]>()
  for (const chains of others) for (const [key, hook] of keyed(chains)) same.set(key, [...(same.get(key) ?? []), hook])
  const summed = new Map([...keyed(own)].map(([key, hook]) => [hook, (same.get(key) ?? []).reduce(add, hook)]))
  return own.map((chain) => ({ ...chain, hooks: chain.hooks.map((hook) => summed.get(hook) ?? hook) }))
}

/** Several hooks of one plugin on one point may have the same name: then they are told apart by their order. */
function* keyed(chains: readonly ChainView[]): Generator<[string, HookView]> {
  for (const { point, hooks } of chains) {
    const seen = new Map<string, number>()
    for (const hook of hooks) {
      const key = [point, hook.phase, hook.owner, hook.name].join('\n')
      const number = seen.get(key) ?? 0
      seen.set(key, number + 1)
      yield [`${key}\n${number}`, hook]
    }
  }
}

function add(one: HookView, other: HookView): HookView {
  return {
    ...one,
    calls: one.calls + other.calls,
    failures: one.failures + other.failures,
    timeouts: one.timeouts + other.timeouts,
    p50: slower(one.p50, other.p50),
    p99: slower(one.p99, other.p99),
  }
}

function slower(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}
