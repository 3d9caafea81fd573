import type { FoldPointName, HookArgs } from '@hookmq/api'
import type { Chain, ChainAccumulator } from './chain.ts'
import type { AnyHandler, Hook } from './hook.ts'
import { CallFailure } from './pending.ts'
import { Ticket } from './ticket.ts'
import { isThenable } from './verdict.ts'

/** What became of one hook in a rehearsal. */
export interface RehearsedStep {
  readonly hook: Hook
  readonly answer: unknown
  /** The accumulator before and after it; after it, it may be a Refusal. */
  readonly before: unknown
  readonly after: unknown
  readonly ended: boolean
  readonly failure: string | undefined
  /** It was not called: it is only told about things that happen, or its topics are others. */
  readonly skipped: 'observes' | 'other topics' | undefined
  readonly milliseconds: number
}

export interface Rehearsal {
  record(step: RehearsedStep): void
  /** Called instead of a hook's handler, for hooks of the broker that have steps of their own. */
  instead?(hook: Hook): AnyHandler | undefined
}

/**
 * Runs the hooks of a chain (without its sinks) as a fold does and records each of them. Nothing is counted, timed, logged or
 * remembered by the engine; the hooks themselves cannot tell the difference. Resolves to the accumulator or a Refusal.
 */
export async function rehearse<P extends FoldPointName>(
  chain: Chain<P>,
  args: HookArgs<P>,
  start: ChainAccumulator<P>,
  { record, instead }: Rehearsal,
): Promise<unknown> {
  let accumulator: unknown = start
  for (const hook of chain.hooks()) {
    if (hook.phase === 'sink' || hook.gone) continue
    const before = accumulator
    const skipped = skip(hook, accumulator)
    if (skipped !== undefined) {
      const same = { before, after: before, ended: false, failure: undefined }
      record({ hook, answer: undefined, ...same, skipped, milliseconds: 0 })
      continue
    }
    const started = performance.now()
    const { answer, failure } = await ask(hook, instead?.(hook) ?? hook.handler, args, accumulator)
    const milliseconds = performance.now() - started
    const weighed = chain.weigh(hook, answer, failure, accumulator)
    accumulator = weighed.accumulator
    record({ hook, answer, before, after: accumulator, ...weighed, skipped: undefined, milliseconds })
    if (weighed.ended) return accumulator
  }
  return chain.conclude(accumulator)
}

function skip(hook: Hook, accumulator: unknown): RehearsedStep['skipped'] {
  if (hook.topics !== undefined && !hook.wants((accumulator as { readonly topic: string }).topic)) return 'other topics'
  return hook.observe ? 'observes' : undefined
}

async function ask(
  hook: Hook,
  handler: AnyHandler,
  args: unknown,
  accumulator: unknown,
): Promise<{ readonly answer?: unknown; readonly failure?: string }> {
  const ticket = hook.wantsTicket ? new Ticket(hook.timeout) : undefined
  let timer: NodeJS.Timeout | undefined
  try {
    const answer = handler(args, accumulator, ticket)
    if (!isThenable(answer)) return { answer }
    if (hook.timeout === 0) return { answer: await answer }
    const late = new Promise<{ failure: string }>((resolve) => {
      timer = setTimeout(() => resolve({ failure: `no answer within ${hook.timeout} ms` }), hook.timeout)
    })
    const inTime = Promise.resolve(answer).then((value) => ({ answer: value }))
    // Whichever is later is of no interest, nor how it ends.
    inTime.catch(() => {})
    return await Promise.race([inTime, late])
  } catch (error) {
    return { failure: messageOf(error) }
  } finally {
    clearTimeout(timer)
    // It takes its place among the calls of a provider, and says nothing about how well that one is.
    ticket?.end(new CallFailure('cancelled'))
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
