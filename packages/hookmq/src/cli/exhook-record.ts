import type { Command } from 'commander'
import { HookmqError, messageOf } from '../errors.ts'
import type { RecordingOptions } from '../exhook/record/recorder.ts'
import { place } from './ctl.ts'
import { collect } from './start.ts'
import { durationOf, numberOf, oneOf, usageError } from './words.ts'

interface RecordFlags {
  duration?: number
  hook?: string[]
  withPayloads?: boolean
  withPasswords?: boolean
  buffer: number
  force?: boolean
  config?: string
  set: string[]
  dataDir?: string
}

const examples = `
Examples:
  hookmq exhook record traffic.jsonl                                   until Ctrl-C
  hookmq exhook record traffic.jsonl --duration 60s --with-payloads
  hookmq exhook record - --hook client.authenticate | jq .verdict      as it happens

Writes down what a running broker asks its hooks, as an ExHook provider would see it, with what the chain of hooks made of it and how long that
took. Payloads and passwords are masked unless you ask for them. The file is lines of JSON; docs/exhook-tools.md says what stands in them.

The broker notes events in a buffer and never waits: what does not fit is dropped, and counted. While message hooks are recorded, messages do not
take the broker's short way; --hook leaves out what you do not need.

The broker is found by the socket in its data folder: give the same --data-dir, --config or --set node.data_dir as to 'start'.

Exit code: 0 when it was ended by Ctrl-C or --duration, 1 when the broker went away before, 2 when it could not begin.`

export function addRecord(exhook: Command): void {
  exhook
    .command('record')
    .description('write down what a running broker asks its hooks')
    .helpOption('--help', 'show this help')
    .argument('<file>', 'new file; - is standard output')
    .option('--duration <time>', 'end after this time, such as 60s', durationOf)
    .option('--hook <name>', 'record only this hook; may be repeated', oneOf(hookNames, 'hook'))
    .option('--with-payloads', 'with the payloads of messages')
    .option('--with-passwords', 'with passwords and authentication data')
    .option('--buffer <events>', 'events that may wait in the broker', numberOf(100, 1_000_000), 10_000)
    .option('--force', 'overwrite the file')
    .option('-d, --data-dir <folder>', 'data folder of the broker (node.data_dir)')
    .option('-c, --config <file>', 'configuration file that names the data folder')
    .option('-s, --set <key=value>', 'a setting, as for start; may be repeated', collect, [])
    .addHelpText('after', examples)
    .exitOverride(usageError)
    .action(async (file: string, flags: RecordFlags) => {
      process.exitCode = await run(file, flags)
    })
}

/** The 19 of ExHook; written here so that the command line starts without the code for them. */
export const hookNames: readonly string[] = [
  'client.connect',
  'client.connack',
  'client.connected',
  'client.disconnected',
  'client.authenticate',
  'client.authorize',
  'client.subscribe',
  'client.unsubscribe',
  'session.created',
  'session.subscribed',
  'session.unsubscribed',
  'session.resumed',
  'session.discarded',
  'session.takenover',
  'session.terminated',
  'message.publish',
  'message.delivered',
  'message.dropped',
  'message.acked',
]

/** Bytes of payloads for each event that may wait, on average. */
const averagePayload = 4096

async function run(file: string, flags: RecordFlags): Promise<number> {
  const [{ record }, { Progress }] = await Promise.all([
    import('../exhook/record/record.ts'),
    import('../exhook/progress.ts'),
  ])
  const progress = new Progress()
  const ended = new AbortController()
  const end = (): void => ended.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  try {
    const { dataDir } = await place(flags)
    const { events, dropped, cutOff } = await record({
      dataDir,
      file,
      force: flags.force === true,
      options: {
        hooks: flags.hook as RecordingOptions['hooks'],
        payloads: flags.withPayloads === true,
        passwords: flags.withPasswords === true,
        limit: flags.buffer,
        limitBytes: flags.buffer * averagePayload,
      },
      signal: ended.signal,
      started({ node, hooks, processes }) {
        if (flags.duration !== undefined) setTimeout(end, flags.duration)
        say(`recording ${hooks.length} hooks of ${node}${flags.duration === undefined ? '; Ctrl-C ends it' : ''}`)
        if (processes !== undefined)
          say(`this broker runs as ${processes} processes: what happens at each of them is recorded`)
      },
      progress: (count) => progress.show(`${count.events} events, ${count.dropped} dropped`),
    })
    progress.clear()
    say(
      `${count(events)} recorded, ${dropped} dropped${dropped > 0 ? ' (a greater --buffer, or fewer --hook, help)' : ''}`,
    )
    if (cutOff) say('the broker went away')
    return cutOff ? 1 : 0
  } catch (error) {
    progress.clear()
    if (!(error instanceof HookmqError)) throw error
    say(`hookmq: ${messageOf(error)}`)
    return 2
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
  }
}

function count(events: number): string {
  return events === 1 ? '1 event' : `${events} events`
}

/** On standard error: standard output may be the record. */
function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
