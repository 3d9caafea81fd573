import { type HookPointName, type HookSpec, hookPointTable, topicMatches } from '@hookmq/api'
import type { CallbackSpec, Style } from './codec.ts'
import { compatible } from './compatible/index.ts'
import type { Dialect, DialectHook } from './dialect.ts'
import { modern } from './modern/index.ts'

/** One callback in its place on the broker. */
export interface Handler {
  /** What calls name it by. */
  readonly callback: number
  /** As the handler calls its hook. */
  readonly hook: string
  readonly target: string
  readonly dialect: Dialect
  readonly definition: DialectHook
  readonly observe: boolean
  /** Asked here only when another callback on the same point wants other topics. */
  readonly topics: readonly string[]
}

/** What a handler has asked for, by hook point. */
export interface Handlers {
  /** In the order in which they were named. */
  readonly hooks: readonly string[]
  readonly byPoint: ReadonlyMap<HookPointName, readonly Handler[]>
  readonly specs: readonly HookSpec[]
  /** What never fires, one line each. */
  readonly warnings: readonly string[]
}

const dialects: Readonly<Record<Style, Dialect>> = { compatible, modern }

export function arrange(style: Style, callbacks: readonly CallbackSpec[]): Handlers {
  const dialect = dialects[style]
  const byPoint = new Map<HookPointName, Handler[]>()
  const warnings: string[] = []
  for (const [callback, { hook, target, topics, observe = false }] of callbacks.entries()) {
    const definition = dialect.hook(hook)
    if (definition === undefined) {
      warnings.push(`there is no hook '${hook}': ${target} will never be called; there are ${dialect.names.join(', ')}`)
      continue
    }
    const { point } = definition
    const placed = { callback, hook, target, dialect, definition, topics, observe: observe || !definition.valued }
    const there = byPoint.get(point)
    if (there === undefined) byPoint.set(point, [placed])
    else there.push(placed)
  }
  const specs = [...byPoint].map(([name, handlers]) => specOf(name, handlers))
  return { hooks: callbacks.map(({ hook }) => hook), byPoint, specs, warnings }
}

function specOf(name: HookPointName, handlers: readonly Handler[]): HookSpec {
  const everything = handlers.some(({ topics }) => topics.length === 0)
  return {
    name,
    ...(everything ? {} : { topics: [...new Set(handlers.flatMap(({ topics }) => topics))] }),
    ...(hookPointTable[name].kind === 'fold' && handlers.every(({ observe }) => observe) ? { observe: true } : {}),
  }
}

/** Of several callbacks on one point each has its own topics. */
export function wants({ topics }: Handler, args: unknown, accumulator: unknown): boolean {
  if (topics.length === 0) return true
  const { topic } = ((args as { message?: { topic: string } }).message ?? accumulator ?? {}) as { topic?: string }
  return topic === undefined || topics.some((filter) => topicMatches(filter, topic))
}
