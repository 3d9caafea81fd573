import { type HookPointName, type HookProviderPolicy, HookRegistrationError, resolveHookPoint } from '@hookmq/api'
import { defaultFailedAction, denyingPoints } from './failed-action.ts'

/** What holds for one hook of a provider. */
export interface PointPolicy {
  readonly timeout: number
  readonly failedAction: 'deny' | 'ignore'
}

/** A provider's policy with its defaults. */
export class ProviderPolicy {
  readonly timeout: number
  readonly priority: number
  readonly queueLimit: number | undefined
  readonly queueDrop: 'oldest' | 'newest' | undefined
  readonly retry: number
  readonly #given: HookProviderPolicy

  /** Throws `HookRegistrationError` 'invalid_options' with the option and what it takes. */
  constructor(provider: string, given: HookProviderPolicy) {
    this.#given = given
    this.timeout = given.timeout ?? 5000
    this.priority = given.priority ?? 100
    this.queueLimit = given.queueLimit
    this.queueDrop = given.queueDrop
    this.retry = given.retry ?? 0
    const wrong = (problem: string) =>
      new HookRegistrationError('invalid_options', `policy of hook provider '${provider}': ${problem}`)
    if (!(this.timeout >= 0 && this.timeout <= 0x7fffffff))
      throw wrong('timeout must be milliseconds from 0 (none) to 2147483647')
    if (!(this.retry >= 0 && this.retry <= 0x7fffffff))
      throw wrong('retry must be milliseconds from 0 (never) to 2147483647')
    for (const point of Object.keys(given.hooks ?? {})) resolveHookPoint(point)
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
