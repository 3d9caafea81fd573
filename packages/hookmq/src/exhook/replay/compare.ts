import type { RecordedEvent, RecordedVerdict, RecordHeader } from '../record/format.ts'

/** An event on which two runs do not agree. */
interface Difference {
  readonly seq: number
  readonly hook: string
  /** Whom and what it is about. */
  readonly about: string
  /** undefined: the event is in the other run only. */
  readonly one: RecordedVerdict | undefined
  readonly other: RecordedVerdict | undefined
}

export interface Comparison {
  /** Events that are in both, and of them those that were decided. */
  readonly events: number
  readonly compared: number
  /** Events that differ, or are in one only. */
  readonly different: number
  /** The first of them. */
  readonly differences: readonly Difference[]
}

export interface Run {
  readonly header: RecordHeader
  readonly events: AsyncIterable<RecordedEvent>
}

/** Differences that are kept to be shown. */
const mostDifferences = 1000

/** Goes through two runs side by side, by the numbers of their events. `hooks`: those that count; undefined: those of both. */
export async function compare(one: Run, other: Run, hooks?: readonly string[]): Promise<Comparison> {
  // Payloads were masked in one of them, or replaced by letters: what became of them says nothing about the other.
  const payloads =
    one.header.payloads === other.header.payloads &&
    (one.header.payloads === 'kept' || one.header.source === other.header.source)
  const counted = (hook: string) =>
    hooks?.includes(hook) ?? (one.header.hooks.includes(hook) && other.header.hooks.includes(hook))
  const differences: Difference[] = []
  let [events, compared, different] = [0, 0, 0]
  const note = (event: RecordedEvent, mine: RecordedVerdict | undefined, theirs: RecordedVerdict | undefined): void => {
    different++
    const { seq, hook } = event
    if (differences.length < mostDifferences)
      differences.push({ seq, hook, about: aboutOf(event), one: mine, other: theirs })
  }
  const left = cursor(one.events, counted)
  const right = cursor(other.events, counted)
  let [mine, theirs] = [await left(), await right()]
  while (mine !== undefined || theirs !== undefined) {
    if (theirs === undefined || (mine !== undefined && mine.seq < theirs.seq)) {
      if (mine !== undefined) note(mine, verdictOf(mine), undefined)
      mine = await left()
    } else if (mine === undefined || theirs.seq < mine.seq) {
      note(theirs, undefined, verdictOf(theirs))
      theirs = await right()
    } else {
      events++
      const [before, after] = [verdictOf(mine), verdictOf(theirs)]
      if (before.result !== 'unanswered' && after.result !== 'unanswered') {
        compared++
        if (!alike(before, after, payloads)) note(mine, before, after)
      }
      mine = await left()
      theirs = await right()
    }
  }
  return { events, compared, different, differences }
}

function cursor(
  events: AsyncIterable<RecordedEvent>,
  counted: (hook: string) => boolean,
): () => Promise<RecordedEvent | undefined> {
  const iterator = events[Symbol.asyncIterator]()
  return async () => {
    for (;;) {
      const { value, done } = await iterator.next()
      if (done === true) return undefined
      if (counted(value.hook)) return value
    }
  }
}

/** Where nothing is decided there is nothing to write down. */
function verdictOf({ verdict }: RecordedEvent): RecordedVerdict {
  return verdict ?? { result: 'told' }
}

function alike(one: RecordedVerdict, other: RecordedVerdict, payloads: boolean): boolean {
  if (one.result !== other.result) return false
  if (one.result === 'drop' || one.result === 'reject' || one.result === 'disconnect') return one.code === other.code
  if (one.result !== 'change') return true
  return (
    one.topic === other.topic &&
    one.qos === other.qos &&
    (!payloads || (one.payload === other.payload && one.payload_bytes === other.payload_bytes))
  )
}

function aboutOf({ request }: RecordedEvent): string {
  const { clientinfo, conninfo, message, topic } = request as {
    readonly clientinfo?: { readonly clientid?: string }
    readonly conninfo?: { readonly clientid?: string }
    readonly message?: { readonly from?: string; readonly topic?: string }
    readonly topic?: string
  }
  const client = clientinfo?.clientid ?? conninfo?.clientid ?? message?.from ?? ''
  return [client, topic ?? message?.topic ?? ''].filter((word) => word !== '').join(' ')
}

/** Differences that a person is shown. */
const shown = 20

export function comparisonLines(
  { compared, different, differences }: Comparison,
  one: string,
  other: string,
): string[] {
  if (different === 0) return [`${compared} events compared: ${one} and ${other} agree`]
  const lines = differences
    .slice(0, shown)
    .map(({ seq, hook, about, one: mine, other: theirs }) =>
      `  #${seq}  ${hook}  ${about}: ${inWords(mine)} → ${inWords(theirs)}`.replaceAll(/\p{Cc}/gu, '?'),
    )
  if (different > lines.length) lines.push(`  … and ${different - lines.length} more`)
  return [`${compared} events compared, ${different} differ: ${one} → ${other}`, ...lines]
}

function inWords(verdict: RecordedVerdict | undefined): string {
  if (verdict === undefined) return 'not there'
  const { result, code, topic, qos, payload, payload_bytes: bytes, reason } = verdict
  if (result === 'change')
    return `change to ${topic} QoS ${qos}, ${bytes ?? Buffer.from(payload ?? '', 'base64').length} bytes`
  if (result === 'error') return `error (${reason ?? 'no reason'})`
  return code === undefined ? result : `${result} 0x${code.toString(16).padStart(2, '0')}`
}
