import type { Command } from 'commander'
import { HookmqError, messageOf } from '../errors.ts'
import { hookNames } from './exhook-record.ts'
import { collect } from './start.ts'
import { numberOf, oneOf, usageError } from './words.ts'

interface ReplayFlags {
  to: string
  fast?: boolean
  out?: string
  compare?: string
  hook?: string[]
  set: string[]
  concurrency: number
  force?: boolean
  json?: boolean
}

const replayExamples = `
Examples:
  hookmq exhook replay traffic.jsonl --to http://127.0.0.1:9000           at the pace of the record
  hookmq exhook replay traffic.jsonl --to ./my-plugin.ts --fast           to a plugin, as fast as it answers
  hookmq exhook replay traffic.jsonl --to http://127.0.0.1:9000 --fast --compare traffic.jsonl
                                                                          does it decide as the broker's hooks did?
  hookmq exhook replay traffic.jsonl --to http://127.0.0.1:9000 --fast --out new.jsonl --compare old.jsonl

Asks a provider, or the hooks of a plugin in a broker of its own, what a record has, and counts the verdicts. Events of one client are sent one
after the other. Masked payloads are sent as letters x of the same length, masked passwords as '******'.

Exit code: 0 all was answered (and with --compare nothing differs), 1 calls failed or verdicts differ, 2 nobody answers, or wrong words.`

export function addReplay(exhook: Command): void {
  exhook
    .command('replay')
    .description('ask a provider or a plugin what a record has')
    .helpOption('--help', 'show this help')
    .argument('<file>', 'a record')
    .requiredOption('--to <url|plugin>', 'http://HOST:PORT of a provider, or the file of a plugin')
    .option('--fast', 'as fast as it answers, not at the pace of the record')
    .option('--out <file>', 'write the verdicts into a new record')
    .option('--compare <file>', 'show where the verdicts differ from those of another record')
    .option('--hook <name>', 'only events of this hook; may be repeated', oneOf(hookNames, 'hook'))
    .option('-s, --set <key=value>', 'a setting of the server, as in exhook.conf; may be repeated', collect, [])
    .option('--concurrency <number>', 'events under way at a time', numberOf(1, 10_000), 64)
    .option('--force', 'overwrite the file of --out')
    .option('--json', 'print JSON')
    .addHelpText('after', replayExamples)
    .exitOverride(usageError)
    .action(async (file: string, flags: ReplayFlags) => {
      process.exitCode = await usable(() => runReplay(file, flags))
    })
}

const compareExamples = `
Examples:
  hookmq exhook compare old.jsonl new.jsonl

Compares the verdicts of two records of the same events, such as those that 'replay --out' has written, event by event.

Exit code: 0 they agree, 1 they differ, 2 wrong words.`

export function addCompare(exhook: Command): void {
  exhook
    .command('compare')
    .description('compare the verdicts of two records')
    .helpOption('--help', 'show this help')
    .argument('<one>', 'a record')
    .argument('<other>', 'a record of the same events')
    .option('--hook <name>', 'only events of this hook; may be repeated', oneOf(hookNames, 'hook'))
    .option('--json', 'print JSON')
    .addHelpText('after', compareExamples)
    .exitOverride(usageError)
    .action(async (one: string, other: string, flags: { hook?: string[]; json?: boolean }) => {
      process.exitCode = await usable(() => runCompare(one, other, flags))
    })
}

/** What the person at the terminal can mend is one line and exit code 2. */
async function usable(run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof HookmqError)) throw error
    process.stderr.write(`hookmq: ${messageOf(error)}\n`)
    return 2
  }
}

async function runCompare(
  one: string,
  other: string,
  { hook, json }: { hook?: string[]; json?: boolean },
): Promise<number> {
  const [{ RecordReader }, { compare, comparisonLines }] = await Promise.all([
    import('../exhook/record/file.ts'),
    import('../exhook/replay/compare.ts'),
  ])
  const [left, right] = [await RecordReader.open(one), await RecordReader.open(other)]
  const comparison = await compare(
    { header: left.header, events: left.events() },
    { header: right.header, events: right.events() },
    hook,
  )
  print(json === true ? JSON.stringify(comparison, null, 2) : comparisonLines(comparison, one, other).join('\n'))
  return comparison.different === 0 ? 0 : 1
}

async function runReplay(file: string, flags: ReplayFlags): Promise<number> {
  const [{ runReplay: run }, { comparisonLines }, { statisticsLines }, { Progress }] = await Promise.all([
    import('../exhook/replay/run.ts'),
    import('../exhook/replay/compare.ts'),
    import('../exhook/replay/statistics.ts'),
    import('../exhook/progress.ts'),
  ])
  const progress = new Progress()
  try {
    const outcome = await run({
      file,
      to: flags.to,
      settings: flags.set,
      options: { paced: flags.fast !== true, concurrency: flags.concurrency, hooks: flags.hook },
      out: flags.out,
      force: flags.force === true,
      compareWith: flags.compare,
      progress: (events) => progress.show(`${events} events`),
    })
    progress.clear()
    const { target, hooks, notes, comparison, exitCode } = outcome
    if (flags.json === true) print(JSON.stringify(outcome, null, 2))
    else {
      const lines = [`${target.name}: ${target.about}`, ...statisticsLines(hooks), ...notes]
      if (comparison !== undefined && flags.compare !== undefined)
        lines.push('', ...comparisonLines(comparison, flags.compare, flags.out ?? target.name))
      // A provider's errors are strangers' texts.
      print(lines.map((line) => line.replaceAll(/\p{Cc}/gu, '?')).join('\n'))
    }
    return exitCode
  } finally {
    progress.clear()
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
