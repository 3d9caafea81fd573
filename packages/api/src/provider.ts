import type { HookAccumulator, HookArgs, HookPointName } from './hook-points.ts'

/** One hook that a provider asks for when it is loaded. */
export interface HookSpec {
  /** A hook point, old names allowed. */
  readonly name: string
  /** message.* only. Empty or absent: all topics. */
  readonly topics?: readonly string[]
  /**
   * true: only told, also on a fold point: the call goes through `tell` and nobody waits for it. Notification points are
   * always like that. Default false.
   */
  readonly observe?: boolean
}

/**
 * A source of hooks that live elsewhere: ExHook, a driver's child process, a worker thread. The core wraps each in one
 * policy layer (timeout, failed action, bounded notification queue, order per client).
 */
export interface HookProvider {
  readonly name: string
  /** Connects and says which hooks it wants. Rejects when it cannot. */
  load(): Promise<readonly HookSpec[]>
  /** A fold point. The answer is a verdict as a handler would return it. `signal` aborts when nobody waits any more. */
  call<P extends HookPointName>(
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P>,
    signal: AbortSignal,
  ): unknown | Promise<unknown>
  /**
   * A notification. The promise settles when the provider has handled it: the next one of the same client waits for it.
   * `accumulator` is there only for a fold point that the provider observes.
   */
  tell<P extends HookPointName>(
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P> | undefined,
  ): void | Promise<void>
  unload(): Promise<void>
}

export interface HookProviderPolicy {
  /** Milliseconds. Default 5000. */
  timeout?: number
  /** Default 'deny'. */
  failedAction?: 'deny' | 'ignore'
  /** Default 100, where EMQX has ExHook. */
  priority?: number
  /** Notifications that may wait. Default 10000. */
  queueLimit?: number
  /** Which one goes when the queue is full. Default 'oldest'. */
  queueDrop?: 'oldest' | 'newest'
}
