import { setTimeout as sleep } from 'node:timers/promises'
import { askBroker } from '../../control/client.ts'
import { HookmqError } from '../../errors.ts'
import { RecordWriter } from './file.ts'
import type { RecordHeader } from './format.ts'
import type { Fetched, RecordingOptions } from './recorder.ts'

export interface RecordRequest {
  readonly dataDir: string
  readonly file: string
  /** Overwrite the file. */
  readonly force: boolean
  readonly options: RecordingOptions
  /** Ends it. */
  readonly signal: AbortSignal
  readonly started: (header: RecordHeader) => void
  readonly progress: (recorded: Recorded) => void
}

export interface Recorded {
  readonly events: number
  readonly dropped: number
  /** The broker has ended, or has ended the recording, before it was told to. */
  readonly cutOff: boolean
}

/** Milliseconds between two questions, when nothing more waits. */
const pause = 100

/** Records what a running broker asks its hooks. Rejects with a HookmqError when it cannot begin, or the file cannot be written. */
export async function record(request: RecordRequest): Promise<Recorded> {
  const { dataDir, file, force, options, signal, started, progress } = request
  const ask = async <T>(...args: string[]): Promise<T | undefined> => {
    const answer = await askBroker(dataDir, { args: ['hook-recording', ...args], json: true }, () => {})
    if (answer === undefined) return undefined
    if (answer.exitCode !== 0) throw refused((answer.json as { readonly error?: string } | undefined)?.error)
    return answer.json as T
  }
  const begun = await ask<{ header: RecordHeader }>('start', JSON.stringify(options))
  if (begun === undefined)
    throw new HookmqError(
      'USAGE',
      `no broker answers in ${dataDir}; give the same --data-dir or --config as to 'start'`,
    )
  let count = { events: 0, dropped: 0, cutOff: false }
  const writer = await RecordWriter.open(file, force).catch(async (error: unknown) => {
    await ask('stop')
    throw error
  })
  const keep = async ({ events, dropped }: Fetched): Promise<void> => {
    await writer.write(events)
    count = { ...count, events: count.events + events.length, dropped }
    progress(count)
  }
  try {
    await writer.write([begun.header])
    started(begun.header)
    while (!signal.aborted) {
      const fetched = await ask<Fetched>('fetch').catch(() => undefined)
      if (fetched === undefined) {
        count = { ...count, cutOff: true }
        break
      }
      await keep(fetched)
      if (fetched.events.length === 0 || fetched.waiting === 0)
        await sleep(pause, undefined, { signal }).catch(() => {})
    }
  } finally {
    const last = count.cutOff ? undefined : await ask<Fetched>('stop').catch(() => undefined)
    if (last !== undefined) await keep(last)
    await writer.write([{ end: new Date().toISOString(), events: count.events, dropped: count.dropped }])
    await writer.close()
  }
  return count
}

function refused(why = 'the broker does not know how to record'): HookmqError {
  const text = why === 'already_recording' ? 'somebody is recording already; there can be one recording at a time' : why
  return new HookmqError('USAGE', text)
}
