import type { HookPointName } from '@hookmq/api'
import type { Value } from './value.ts'

/** A hook as one style of handlers knows it. */
export interface DialectHook {
  readonly point: HookPointName
  /** The broker waits for what it returns and does something with it. */
  readonly valued: boolean
  /** Whose event it is: the events of one key are handled in order. */
  key(args: unknown, accumulator: unknown): string
  args(args: unknown, accumulator: unknown, node: string): readonly Value[]
}

/** What one style of handlers calls hooks, what their callbacks get, and what their answers mean. */
export interface Dialect {
  /** undefined: there is none of this name. */
  hook(name: string): DialectHook | undefined
  readonly names: readonly string[]
  /** The verdict of a handler in the broker; `before` is what the chain had so far. Throws an Error that says what is wrong with the answer. */
  verdict(point: HookPointName, value: Value, from: string, before: unknown): unknown
}
