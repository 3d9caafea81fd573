import type { AuthenticateResult, AuthorizeResult, HookPointName } from '@hookmq/api'
import { Refusal } from '../refusal.ts'
import type { Hook } from './hook.ts'

/** The points on which a failed hook can refuse; on all others it is as if the hook had not been there. */
export const denyingPoints: readonly HookPointName[] = ['client.authenticate', 'client.authorize', 'message.publish']

/** What `failedAction: 'deny'` makes of a failed call: the end of the run. undefined where nothing can be refused. */
export function failedRefusal(
  point: HookPointName,
  hook: Hook,
): AuthenticateResult | AuthorizeResult | Refusal | undefined {
  switch (point) {
    case 'client.authenticate':
      return { result: 'deny', reasonCode: 0x87 }
    case 'client.authorize':
      // Not cacheable: the next request may find the hook well again.
      return { result: 'deny', from: hook.owner.name, cacheable: false }
    case 'message.publish':
      return new Refusal('reject', 0x83, hook.label, 'a hook that must agree has failed')
    default:
      return undefined
  }
}

export function defaultFailedAction(point: HookPointName): 'deny' | 'ignore' {
  return point === 'client.authenticate' || point === 'client.authorize' ? 'deny' : 'ignore'
}
