import { type ExHookPoint, exhookCallOf } from '@hookmq/provider-exhook/client'
import type { ServerLink } from '../link.ts'
import type { Findings } from './findings.ts'
import { burstSample } from './samples.ts'
import type { RegisteredHook, SpokenVersion } from './versions.ts'

export interface Measured {
  readonly hook: string
  /** Calls under way at a time. */
  readonly concurrency: number
  readonly calls: number
  readonly failed: number
  /** Milliseconds; undefined when no call was answered. */
  readonly p50: number | undefined
  readonly p99: number | undefined
  readonly perSecond: number
}

/** Those that people wait for come first. */
const preferred: readonly ExHookPoint[] = ['message.publish', 'client.authorize', 'client.authenticate']

/** A stage ends after so many milliseconds, however many calls it was to have. */
const longestStage = 2000
/** Below this the processor is what calls wait for, not each other: milliseconds of one call at a time. */
const waitsWhenAlone = 20
const slowWhenAlone = 50

/** Measures one hook, first with one call at a time, then with many. undefined: there is none to measure. */
export async function burst(
  link: ServerLink,
  { version, hooks }: SpokenVersion,
  { calls, concurrency }: { readonly calls: number; readonly concurrency: number },
  findings: Findings,
  progress: (what: string) => void,
): Promise<Measured[]> {
  const hook =
    preferred.map((name) => hooks.find((one) => one.name === name)).find((one) => one !== undefined) ?? hooks[0]
  if (hook === undefined || calls === 0) return []
  const request = burstSample(hook.name, hook.topics).request(version)
  const stages: Measured[] = []
  for (const [many, at] of [
    [Math.ceil(calls / 4), 1],
    [calls, concurrency],
  ]) {
    stages.push(await stage(link, version, hook, request, many, at, progress))
  }
  judge(hook, stages, findings)
  return stages
}

async function stage(
  link: ServerLink,
  version: string,
  { name }: RegisteredHook,
  request: Uint8Array,
  calls: number,
  concurrency: number,
  progress: (what: string) => void,
): Promise<Measured> {
  const call = exhookCallOf(name)?.name ?? ''
  const times: number[] = []
  let begun = 0
  let failed = 0
  const start = performance.now()
  const caller = async (key: string): Promise<void> => {
    while (begun < calls && performance.now() - start < longestStage) {
      begun++
      const began = performance.now()
      try {
        await link.call(version, call, request, { key })
        times.push(performance.now() - began)
      } catch {
        failed++
      }
      progress(`measuring ${name}: ${times.length + failed} of ${calls} calls, ${concurrency} at a time`)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, index) => caller(`doctor-${index}`)))
  const seconds = (performance.now() - start) / 1000
  times.sort((one, other) => one - other)
  return {
    hook: name,
    concurrency,
    calls: begun,
    failed,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    perSecond: times.length / seconds,
  }
}

function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted.length === 0 ? undefined : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

function judge({ name }: RegisteredHook, [alone, together]: readonly Measured[], findings: Findings): void {
  const failed = alone.failed + together.failed
  if (failed > 0)
    findings.add(
      'call-failed',
      `${failed} of ${alone.calls + together.calls} calls of ${name} failed while it was measured`,
    )
  if (alone.p50 === undefined || together.p50 === undefined) return
  // Little's law: how many calls are really worked on at the same time.
  const parallel = (together.concurrency * alone.p50) / together.p50
  if (alone.p50 >= waitsWhenAlone && parallel < together.concurrency / 4)
    findings.add(
      'too-few-threads',
      `${name} takes ${milliseconds(alone.p50)} alone and ${milliseconds(together.p50)} with ${together.concurrency} calls at a time: about ${Math.max(1, Math.round(parallel))} of them are worked on at once`,
    )
  if (alone.p50 >= slowWhenAlone && isWaitedFor(name))
    findings.add('slow-answers', `${name} takes ${milliseconds(alone.p50)}`)
}

function isWaitedFor(name: string): boolean {
  return preferred.some((one) => one === name)
}

export function milliseconds(value: number): string {
  return `${value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0)} ms`
}
