import {
  type BreakerPolicy,
  type HookPointName,
  type HookProviderPolicy,
  HookRegistrationError,
  resolveHookPoint,
  type VerdictCachePolicy,
} from '@hookmq/api'
import { defaultFailedAction, denyingPoints } from './failed-action.ts'

/** What holds for one hook of a provider. */
export interface PointPolicy {
  readonly timeout: number
  readonly failedAction: 'deny' | 'ignore'
}

const longest = 0x7fffffff
/** The smallest and the greatest value of each number, and what the smallest means. */
const bounds = {
  timeout: [0, longest, 'milliseconds from 0 (none)'],
  queueLimit: [0, longest, 'a number from 0'],
  maxInFlight: [0, longest, 'a number from 0 (no limit)'],
  maxWaiting: [0, longest, 'a number from 0'],
  retry: [0, longest, 'milliseconds from 0 (never)'],
  failures: [0, longest, 'a number from 0 (never)'],
  failureRate: [0, 1, 'a share from 0 (never)'],
  window: [1, 1_000_000, 'a number from 1'],
  openFor: [1, longest, 'milliseconds from 1'],
  ttl: [0, longest, 'milliseconds from 0 (not at all)'],
  negativeTtl: [0, longest, 'milliseconds from 0 (not at all)'],
  size: [1, longest, 'a number from 1'],
} as const

const choices = {
  failedAction: ['deny', 'ignore'],
  queueDrop: ['oldest', 'newest'],
  notify: ['background', 'wait'],
} as const

/** A provider's policy with its defaults. */
export class ProviderPolicy {
  readonly timeout: number
  readonly priority: number
  readonly queueLimit: number | undefined
  readonly queueDrop: 'oldest' | 'newest' | undefined
  readonly strict: boolean
  readonly maxInFlight: number
  readonly maxWaiting: number
  readonly breaker: Required<BreakerPolicy>
  readonly cache: Required<VerdictCachePolicy> | undefined
  readonly retry: number
  readonly #given: HookProviderPolicy

  /** Throws `HookRegistrationError` 'invalid_options' with the option and what it takes. */
  constructor(provider: string, given: HookProviderPolicy) {
    check(provider, '', given)
    check(provider, 'breaker.', given.breaker ?? {})
    check(provider, 'cache.', given.cache ?? {})
    for (const [point, own] of Object.entries(given.hooks ?? {})) {
      resolveHookPoint(point)
      check(provider, `hooks['${point}'].`, own)
    }
    this.#given = given
    this.timeout = given.timeout ?? 5000
    this.priority = given.priority ?? 100
    this.queueLimit = given.queueLimit
    this.queueDrop = given.queueDrop
    this.strict = given.notify === 'wait'
    this.maxInFlight = given.maxInFlight ?? 4096
    this.maxWaiting = given.maxWaiting ?? 10_000
    this.retry = given.retry ?? 0
    const { failures = 20, failureRate = 0, window = 100, openFor = 2000 } = given.breaker ?? {}
    this.breaker = { failures, failureRate, window, openFor }
    const { ttl = 0, negativeTtl = ttl, size = 10_000 } = given.cache ?? {}
    this.cache = ttl > 0 || negativeTtl > 0 ? { ttl, negativeTtl, size } : undefined
  }

  of(point: HookPointName): PointPolicy {
    const own = this.#given.hooks?.[point]
    return { timeout: own?.timeout ?? this.timeout, failedAction: own?.failedAction ?? this.#failedAction(point) }
  }

  /** Points on which a provider that has never been loaded refuses. */
  get armedPoints(): HookPointName[] {
    const { armed, hooks, failedAction } = this.#given
    return denyingPoints.filter((point) => {
      if (armed === false || this.of(point).failedAction !== 'deny') return false
      return armed === true || (hooks?.[point]?.failedAction ?? failedAction) !== undefined
    })
  }

  #failedAction(point: HookPointName): 'deny' | 'ignore' {
    // As in EMQX, what fails on message.publish stops a message only where that is said for this very hook.
    return point === 'message.publish' ? 'ignore' : (this.#given.failedAction ?? defaultFailedAction(point))
  }
}

function check(provider: string, prefix: string, given: object): void {
  const wrong = (name: string, expected: string, value: unknown) =>
    new HookRegistrationError(
      'invalid_options',
      `policy of hook provider '${provider}': ${prefix}${name} must be ${expected}; got ${JSON.stringify(value)}`,
    )
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (name in bounds) {
      const [least, most, expected] = bounds[name as keyof typeof bounds]
      if (typeof value !== 'number' || !(value >= least && value <= most))
        throw wrong(name, `${expected} to ${most}`, value)
    } else if (name in choices) {
      const [one, other] = choices[name as keyof typeof choices]
      if (value !== one && value !== other) throw wrong(name, `'${one}' or '${other}'`, value)
    } else if ((name === 'priority' || name === 'place') && !Number.isFinite(value)) {
      throw wrong(name, 'a number', value)
    }
  }
}
