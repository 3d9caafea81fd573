import type { Dialect } from '../dialect.ts'
import { modernHooks } from './hooks.ts'
import { modernVerdict } from './verdict.ts'

/** Handlers that are written for this broker: its own names, and all that its hooks can do. */
export const modern: Dialect = {
  hook: (name) => modernHooks.get(name),
  names: [...modernHooks.keys()],
  verdict: modernVerdict,
}
