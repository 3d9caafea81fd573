import type { Dialect, DialectHook } from '../dialect.ts'
import { compatibleHooks } from './arguments.ts'
import { compatibleVerdict } from './verdict.ts'

/** Handlers of EMQX 4.1. */
export const compatible: Dialect = {
  hook: (name) => compatibleHooks.get(name) as DialectHook | undefined,
  names: [...compatibleHooks.keys()],
  verdict: compatibleVerdict,
}
