import type { FoldPointName, HookAccumulator, HookArgs, HookPointName, HookRefusal } from './hook-points.ts'
import type { Verdict } from './verdict.ts'

/** What a handler of a point may return, or promise. Handlers of notification points return nothing. */
export type HookResult<P extends HookPointName> = P extends FoldPointName
  ? Verdict<HookAccumulator<P>, HookRefusal<P>> | Promise<Verdict<HookAccumulator<P>, HookRefusal<P>>>
  : void | 'ok' | Promise<void | 'ok'>

/** `accumulator` is what the chain folds over; undefined on notification points. Both are read-only. */
export type HookHandler<P extends HookPointName> = (args: HookArgs<P>, accumulator: HookAccumulator<P>) => HookResult<P>

export type PayloadUse = 'keep' | 'borrow' | 'ignore'

export interface HookOptions {
  /** Higher runs first; equal: in order of registration. Default 0. */
  priority?: number
  /**
   * message.publish only. 'mutate' (default) may change the message; 'sink' runs after all of them and after the
   * core's re-check, sees only what will really be routed, and cannot change it (but may still drop it).
   */
  phase?: 'mutate' | 'sink'
  /** message.* only: run only for messages whose topic matches one of these filters. */
  topics?: readonly string[]
  /** Milliseconds that an asynchronous answer may take. Default: the plugin's, then the broker's `hooks.timeout`. */
  timeout?: number
  /**
   * What a throw, a rejection or a timeout means on a fold point. 'ignore': as if the hook had not been there.
   * 'deny': refuse (message.publish: not published). Default: 'deny' on client.authenticate and client.authorize,
   * else 'ignore'.
   */
  failedAction?: 'deny' | 'ignore'
  /**
   * message.publish only. false: when this hook changes the topic, the new topic is not authorized again; the hook
   * answers for it. Default true.
   */
  recheck?: boolean
  /**
   * message.publish, phase 'mutate': what the handler does with the payload, so that no copy is made for it in vain.
   * - 'keep' (default): it may keep the message and its payload.
   * - 'borrow': the bytes of the payload hold until it returns; what it wants to keep of them it copies.
   * - 'ignore': it does not look at it; the payload that it sees may be empty.
   *
   * With 'borrow' and 'ignore' it must answer at once (a promise counts as a failure), and must not keep the message for its payload.
   */
  payload?: PayloadUse
  /** Shown in logs and lists. Default: the handler's function name, else the point. */
  name?: string
}

/** What `ctx.hook` returns. */
export interface HookHandle {
  readonly point: HookPointName
  readonly name: string
  /** Takes the hook out of its chain; runs in progress finish with the chain that they started with. */
  remove(): void
}
