import { version } from '../../version.ts'
import { RecordReader, RecordWriter } from '../record/file.ts'
import type { RecordedEvent, RecordHeader } from '../record/format.ts'
import { type Comparison, compare } from './compare.ts'
import { type ReplayOptions, replay } from './replay.ts'
import { type HookStatistics, Statistics } from './statistics.ts'
import type { Target } from './target.ts'

export interface ReplayRequest {
  readonly file: string
  /** The url of a provider, or the file of a plugin. */
  readonly to: string
  /** Of the provider, as in exhook.conf. */
  readonly settings: readonly string[]
  readonly options: ReplayOptions
  /** Where the verdicts are written. */
  readonly out: string | undefined
  readonly force: boolean
  /** A record that the verdicts are compared with. */
  readonly compareWith: string | undefined
  readonly progress: (events: number) => void
}

export interface ReplayOutcome {
  readonly target: Pick<Target, 'name' | 'about'>
  readonly events: number
  readonly errors: number
  readonly hooks: readonly HookStatistics[]
  /** What to know about the numbers. */
  readonly notes: readonly string[]
  readonly comparison: Comparison | undefined
  /** 0: all was answered, and nothing differs. */
  readonly exitCode: 0 | 1
}

/** Rejects with a HookmqError for files that cannot be used, and when nobody answers. */
export async function runReplay(request: ReplayRequest): Promise<ReplayOutcome> {
  const { file, to, settings, options, out, force, compareWith, progress } = request
  const reader = await RecordReader.open(file)
  const other = compareWith === undefined ? undefined : await RecordReader.open(compareWith)
  const target = await targetOf(to, settings)
  const statistics = new Statistics()
  let writer: RecordWriter | undefined
  try {
    const header = headerOf(reader.header, target, options.hooks)
    writer = out === undefined ? undefined : await RecordWriter.open(out, force)
    let maskedPasswords = false
    let errors: RecordedEvent | undefined
    async function* played(): AsyncGenerator<RecordedEvent> {
      let events = 0
      await writer?.write([header])
      for await (const event of replay(reader.events(), target, options)) {
        statistics.add(event)
        if (event.masked?.password === true) maskedPasswords = true
        if (event.verdict?.result === 'error') errors ??= event
        await writer?.write([event])
        progress(++events)
        yield event
      }
      await writer?.write([{ end: new Date().toISOString(), events, dropped: 0 }])
    }
    let comparison: Comparison | undefined
    if (other === undefined) for await (const _ of played());
    else
      comparison = await compare(
        { header: other.header, events: other.events() },
        { header, events: played() },
        options.hooks,
      )
    const notes: string[] = []
    if (reader.end === undefined) notes.push('The record has no end: it was cut off.')
    if ((reader.end?.dropped ?? 0) > 0) notes.push(`${reader.end?.dropped} events were dropped when it was recorded.`)
    if (maskedPasswords)
      notes.push(
        'Passwords were masked when it was recorded (--with-passwords keeps them): logins may be decided in another way.',
      )
    if (errors !== undefined)
      notes.push(`The first error, event #${errors.seq} of ${errors.hook}: ${errors.verdict?.reason}`)
    const failed = statistics.errors > 0 || (comparison?.different ?? 0) > 0
    return {
      target: { name: target.name, about: target.about },
      events: statistics.events,
      errors: statistics.errors,
      hooks: statistics.hooks,
      notes,
      comparison,
      exitCode: failed ? 1 : 0,
    }
  } finally {
    await writer?.close()
    await reader.close()
    await other?.close()
    await target.close()
  }
}

/** What has a scheme is an address. */
async function targetOf(to: string, settings: readonly string[]): Promise<Target> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(to)) {
    const { serverTarget } = await import('./server.ts')
    return serverTarget(to, settings)
  }
  const { pluginTarget } = await import('./plugin.ts')
  return pluginTarget(to)
}

function headerOf(recorded: RecordHeader, target: Target, hooks: readonly string[] | undefined): RecordHeader {
  return {
    ...recorded,
    source: 'replay',
    started: new Date().toISOString(),
    hookmq: version,
    hooks: hooks ?? recorded.hooks,
    target: target.name,
  }
}
