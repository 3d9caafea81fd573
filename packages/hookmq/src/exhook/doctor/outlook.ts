import type { ServerSettings } from '@hookmq/provider-exhook/client'
import { isValued } from '@hookmq/provider-exhook/client'
import type { RegisteredHook } from './versions.ts'

/** What goes wrong with a provider. */
export const failures = ['away', 'slow', 'error'] as const
/** What can be written as failed_action; default: nothing. */
export const policies = ['default', 'deny', 'ignore'] as const

export type Failure = (typeof failures)[number]
export type Policy = (typeof policies)[number]

/** What becomes of an event when the provider fails. */
export interface Prospect {
  readonly hook: string
  readonly failure: Failure
  readonly policy: Policy
  /** refused: the client does not get in, or may not. passes: as if the provider had not been there. lost: nobody waits, and the event is not told. */
  readonly outcome: 'refused' | 'passes' | 'lost'
  /** Milliseconds that the client waits first. */
  readonly after: number
  /** Only once the provider has been loaded; before, it passes. */
  readonly onceLoaded: boolean
}

/** For each hook, failure and policy. */
export function outlook(hooks: readonly RegisteredHook[], { requestTimeout, policy }: ServerSettings): Prospect[] {
  return hooks.flatMap(({ name }) =>
    failures.flatMap((failure) =>
      policies.map((written): Prospect => {
        if (!isValued(name))
          return { hook: name, failure, policy: written, outcome: 'lost', after: 0, onceLoaded: false }
        const own = policy.hooks?.[name]
        const timeout = own?.timeout ?? requestTimeout
        // What is written for one hook holds whatever is written for the server.
        const action = own?.failedAction ?? (name === 'message.publish' || written === 'ignore' ? 'ignore' : 'deny')
        const onceLoaded =
          action === 'deny' && failure === 'away' && written === 'default' && own?.failedAction === undefined
        return {
          hook: name,
          failure,
          policy: written,
          outcome: action === 'deny' ? 'refused' : 'passes',
          after: failure === 'slow' ? timeout : 0,
          onceLoaded,
        }
      }),
    ),
  )
}
