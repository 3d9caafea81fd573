import { setTimeout as sleep } from 'node:timers/promises'
import type { RecordedEvent } from '../record/format.ts'
import type { Target } from './target.ts'

export interface ReplayOptions {
  /** At the pace of the record; else as fast as the target answers. */
  readonly paced: boolean
  /** Events that may be under way. */
  readonly concurrency: number
  /** undefined: all. */
  readonly hooks: readonly string[] | undefined
}

/** Whose event it is: those of one client come one after the other. */
function clientOf({ request, seq }: RecordedEvent): string {
  const { clientinfo, conninfo, message } = request as {
    readonly clientinfo?: { readonly clientid?: string }
    readonly conninfo?: { readonly clientid?: string }
    readonly message?: { readonly from?: string }
  }
  return clientinfo?.clientid ?? conninfo?.clientid ?? message?.from ?? `event ${seq}`
}

/** Plays a record to a target. Yields the events with its verdicts, in the order of the record. */
export async function* replay(
  events: AsyncIterable<RecordedEvent>,
  target: Target,
  { paced, concurrency, hooks }: ReplayOptions,
): AsyncGenerator<RecordedEvent> {
  const underWay: Promise<RecordedEvent>[] = []
  /** The last event of each client that has one under way. */
  const last = new Map<string, Promise<RecordedEvent>>()
  const began = performance.now()
  for await (const event of events) {
    if (hooks !== undefined && !hooks.includes(event.hook)) continue
    if (paced) {
      const early = event.at - (performance.now() - began)
      if (early > 1) await sleep(early)
    }
    const first = underWay.length >= concurrency ? underWay.shift() : undefined
    if (first !== undefined) yield await first
    const client = clientOf(event)
    const before = last.get(client)
    const asked = before === undefined ? ask(target, event) : before.then(() => ask(target, event))
    last.set(client, asked)
    void asked.then(() => {
      if (last.get(client) === asked) last.delete(client)
    })
    underWay.push(asked)
  }
  for (const one of underWay) yield await one
}

async function ask(target: Target, event: RecordedEvent): Promise<RecordedEvent> {
  const began = performance.now()
  const verdict = await target.ask(event)
  return { ...event, verdict, took: Math.round((performance.now() - began) * 1000) / 1000 }
}
