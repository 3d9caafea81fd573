import type { HookPointName } from '@hookmq/api'
import type { Chain } from './chain.ts'

export interface HookDescription {
  readonly owner: string
  readonly name: string
  readonly priority: number
  readonly phase: 'mutate' | 'sink'
  readonly topics?: readonly string[]
  /** Milliseconds; 0 = none. */
  readonly timeout: number
  readonly failedAction: 'deny' | 'ignore'
  readonly calls: number
  /** Throws, rejections, timeouts and answers that the point does not take. */
  readonly failures: number
  readonly timeouts: number
  /** Notifications that never reached it, because its owner's queue was full. */
  readonly dropped: number
  /** Milliseconds, an estimate; only for hooks that have answered asynchronously. */
  readonly p50?: number
  readonly p99?: number
}

export interface ChainDescription {
  readonly point: HookPointName
  readonly kind: 'fold' | 'notification'
  /** In the order in which they run, sinks last. */
  readonly hooks: readonly HookDescription[]
}

export function describeChain(chain: Chain<HookPointName>, kind: 'fold' | 'notification'): ChainDescription {
  return {
    point: chain.point,
    kind,
    hooks: chain
      .hooks()
      .filter(({ hidden }) => !hidden)
      .map((hook) => ({
        owner: hook.owner.name,
        name: hook.name,
        priority: hook.priority,
        phase: hook.phase,
        topics: hook.topics,
        timeout: hook.timeout,
        failedAction: hook.failedAction,
        calls: hook.calls,
        failures: hook.failures,
        timeouts: hook.timeouts,
        dropped: hook.dropped,
        p50: hook.latency(0.5),
        p99: hook.latency(0.99),
      })),
  }
}
