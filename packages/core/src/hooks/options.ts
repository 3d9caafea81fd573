import { type HookOptions, type HookPointName, HookRegistrationError } from '@hookmq/api'
import { defaultFailedAction } from './failed-action.ts'
import type { HookOwner, HookSettings } from './hook.ts'
import { filterProblem } from './topics.ts'

const known = ['priority', 'phase', 'topics', 'timeout', 'failedAction', 'recheck', 'payload', 'name'] as const

/** The settings of a hook from what its author gave. Throws `HookRegistrationError` 'invalid_options' with the option and what it takes. */
export function checkedSettings(
  point: HookPointName,
  handler: unknown,
  options: HookOptions,
  owner: HookOwner,
  defaultTimeout: number,
): HookSettings {
  const wrong = (problem: string) =>
    new HookRegistrationError('invalid_options', `hook on ${point} of ${owner.name}: ${problem}`)
  if (typeof handler !== 'function') throw wrong(`the handler must be a function, got ${typeof handler}`)
  for (const option of Object.keys(options))
    if (!(known as readonly string[]).includes(option))
      throw wrong(`there is no option '${option}'; the options are ${known.join(', ')}`)

  const {
    priority = 0,
    phase = 'mutate',
    topics,
    timeout = defaultTimeout,
    recheck = true,
    payload = 'keep',
    name,
  } = options
  if (typeof priority !== 'number' || !Number.isFinite(priority)) throw wrong('priority must be a number')
  if (phase !== 'mutate' && phase !== 'sink') throw wrong(`phase must be 'mutate' or 'sink', got '${String(phase)}'`)
  if (phase === 'sink' && point !== 'message.publish') throw wrong("phase 'sink' is for message.publish only")
  if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= 0x7fffffff))
    throw wrong('timeout must be milliseconds from 0 (none) to 2147483647')
  if (typeof recheck !== 'boolean') throw wrong('recheck must be true or false')
  if (!recheck && point !== 'message.publish') throw wrong('recheck is for message.publish only')
  if (payload !== 'keep' && payload !== 'borrow' && payload !== 'ignore')
    throw wrong(`payload must be 'keep', 'borrow' or 'ignore', got '${String(payload)}'`)
  if (payload !== 'keep' && (point !== 'message.publish' || phase === 'sink'))
    throw wrong("payload is for message.publish in phase 'mutate' only")
  if (name !== undefined && (typeof name !== 'string' || name === '')) throw wrong('name must be a string, not empty')
  const failedAction = options.failedAction ?? defaultFailedAction(point)
  if (failedAction !== 'deny' && failedAction !== 'ignore')
    throw wrong(`failedAction must be 'deny' or 'ignore', got '${String(failedAction)}'`)
  return {
    point,
    owner,
    name: name ?? (handler.name || point),
    priority,
    phase,
    topics: checkedTopics(point, topics, wrong),
    timeout,
    failedAction,
    answersForTopic: !recheck,
    payload,
    observe: false,
    wantsTicket: false,
    strict: false,
  }
}

export function takesTopics(point: HookPointName): boolean {
  return point.startsWith('message.')
}

function checkedTopics(
  point: HookPointName,
  topics: unknown,
  wrong: (problem: string) => Error,
): readonly string[] | undefined {
  if (topics === undefined) return undefined
  if (!Array.isArray(topics)) throw wrong(`topics must be a list of topic filters, got ${typeof topics}`)
  if (!takesTopics(point)) throw wrong('topics is for message.* only')
  for (const filter of topics) {
    const problem = filterProblem(filter)
    if (problem !== undefined) throw wrong(`topics: ${problem}`)
  }
  return topics.length === 0 ? undefined : [...topics]
}
