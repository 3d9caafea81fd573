/**
 * What a person sees of a test run: one line per file while it goes, every failure in full, every skip with its
 * reason, and the closing lines of Node's own reporter.
 */
import { appendFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { EventData } from 'node:test'
import { inspect } from 'node:util'

type Fail = EventData.TestFail
type Pass = EventData.TestPass
type Event =
  | { type: 'test:fail'; data: Fail }
  | { type: 'test:pass'; data: Pass }
  | { type: 'test:stdout' | 'test:stderr'; data: { file?: string; message: string } }
  | { type: 'test:summary'; data: EventData.TestSummary }
  | { type: 'test:diagnostic'; data: EventData.TestDiagnostic }
  | { type: string; data: unknown }

/** What tests print is shown only for files that fail, and only this much of it. */
const MOST_OUTPUT = 8_000
const failuresFile = process.env.HOOKMQ_TEST_FAILURES

class FileRecord {
  readonly failures: string[] = []
  readonly skips: string[] = []
  readonly path: string[] = []
  output = ''
}

export default async function* reporter(events: AsyncIterable<Event>): AsyncGenerator<string> {
  const files = new Map<string, FileRecord>()
  const recordOf = (file: string | undefined) => {
    const key = file ?? 'unknown file'
    const known = files.get(key)
    if (known !== undefined) return known
    const record = new FileRecord()
    files.set(key, record)
    return record
  }
  const closing: string[] = []
  let done = 0

  for await (const { type, data } of events) {
    if (type === 'test:fail') {
      const fail = data as Fail
      note(recordOf(fail.file), fail)
      // A file that ends before its tests do has no summary.
      if (fail.nesting === 0 && fail.name === fail.file) {
        done += 1
        yield `✖ ${String(done).padStart(3)}  ${relative('', fail.file)}  did not run to its end: FAILED\n`
      }
    } else if (type === 'test:pass') noteSkip(recordOf((data as Pass).file), data as Pass)
    else if (type === 'test:stdout' || type === 'test:stderr') {
      const { file, message } = data as { file?: string; message: string }
      const record = recordOf(file)
      if (record.output.length < MOST_OUTPUT) record.output += message
    } else if (type === 'test:summary') {
      const summary = data as EventData.TestSummary
      if (summary.file === undefined) continue
      done += 1
      yield fileLine(done, summary, recordOf(summary.file))
    } else if (type === 'test:diagnostic') {
      const { file, nesting, message } = data as EventData.TestDiagnostic
      if (
        nesting === 0 &&
        (file === undefined || /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) \d/.test(message))
      )
        closing.push(message)
    }
  }

  for (const [file, { failures, output }] of files) {
    if (failures.length === 0) continue
    const text = `\n✖ ${relative('', file)}\n${failures.join('\n')}\n`
    yield text
    // A run of many parts repeats them at its end.
    if (failuresFile !== undefined) appendFileSync(failuresFile, text)
    if (output !== '') yield `${indent(`It printed:\n${output.slice(0, MOST_OUTPUT)}`, '  ')}\n`
  }
  for (const [file, { skips }] of files) {
    for (const skip of skips) yield `﹣ ${relative('', file)}: ${skip}\n`
  }
  for (const message of closing) yield `ℹ ${message}\n`
}

function fileLine(
  done: number,
  { file, counts, duration_ms, success }: EventData.TestSummary,
  record: FileRecord,
): string {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
  const failed = record.failures.length > 0 ? `, ${record.failures.length} FAILED` : ''
  const mark = success && record.failures.length === 0 ? '✔' : '✖'
  const seconds = (duration_ms / 1000).toFixed(1)
  return `${mark} ${String(done).padStart(3)}  ${relative('', file ?? '')}  ${counts.tests} tests${skipped}${failed}, ${seconds} s\n`
}

function note(record: FileRecord, data: Fail): void {
  const { error } = data.details
  // A suite fails because a test in it failed, which has its own entry.
  if ('failureType' in error && error.failureType === 'subtestsFailed') return
  const place = data.line === undefined ? '' : ` (line ${data.line})`
  const cause = error.cause ?? error
  record.failures.push(indent(`✖ ${data.name}${place}\n${indent(inspect(cause, { depth: 4 }), '  ')}`, '  '))
}

function noteSkip(record: FileRecord, { name, skip }: Pass): void {
  if (skip === undefined || skip === false) return
  record.skips.push(`${name}: skipped, ${skip === true || skip === '' ? 'no reason given' : skip}`)
}

function indent(text: string, by: string): string {
  return text.trimEnd().replaceAll(/^/gm, by)
}
