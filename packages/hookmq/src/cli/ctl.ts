import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { SettingFlags } from '../config/read.ts'
import { askBroker } from '../control/client.ts'
import { exitCodes } from '../control/protocol.ts'
import { collect } from './start.ts'

interface CtlFlags {
  config?: string
  set: string[]
  dataDir?: string
  json?: boolean
  complete?: boolean
}

const examples = `
Examples:
  hookmq ctl                                     every command, those of plugins last
  hookmq ctl status
  hookmq ctl clients show 'boiler room 1'
  hookmq ctl --json broker stats
  hookmq ctl --data-dir /var/lib/hookmq hooks explain boiler-1 publish plant/boiler/1

The broker is found by the socket in its data folder: give the same --data-dir, --config or --set node.data_dir as to 'start'.
Options come before the words; --json may also be the last of them. emqctl and emqx_ctl are the same command.

Exit code: 0 when the command was done, also when it found nothing; 1 when no broker answers or the command failed; 2 for an
unknown command or wrong words.`

export function addCtl(program: Command): void {
  program
    .command('ctl')
    .description('talk to the running broker')
    .helpOption('--help', 'show this help')
    .option('-d, --data-dir <folder>', 'data folder of the broker (node.data_dir)')
    .option('-c, --config <file>', 'configuration file that names the data folder')
    .option('-s, --set <key=value>', 'a setting, as for start; may be repeated', collect, [])
    .option('--json', 'print JSON instead of lines')
    // For the shells' completion: prints what could stand in the place of the last word.
    .addOption(new Option('--complete').hideHelp())
    // What comes after the first word belongs to the command: a client id may begin with a dash.
    .passThroughOptions()
    .argument('[words...]', 'the command and its arguments')
    .addHelpText('after', examples)
    .action(async (words: string[], flags: CtlFlags) => {
      process.exitCode = await ctl(words, flags)
    })
}

async function ctl(words: string[], flags: CtlFlags): Promise<number> {
  const last = words.at(-1) === '--json' && !flags.complete
  const args = last ? words.slice(0, -1) : words
  const json = last || flags.json === true
  const { dataDir, node } = await place(flags)
  const result = await askBroker(dataDir, { args, json, complete: flags.complete === true }, print)
  if (result === undefined) {
    if (flags.complete) return exitCodes.ok
    const line = `Node ${node} not responding to pings.`
    if (json) printJson({ error: line })
    else print([line])
    return exitCodes.failed
  }
  if (json) printJson(result.json)
  return result.exitCode
}

/** Where the broker is and what it is called, from the same settings that it was started with. */
export async function place(flags: SettingFlags): Promise<{ dataDir: string; node: string }> {
  const { readConfig } = await import('../config/read.ts')
  try {
    const { dataDir, node } = readConfig(flags)
    return { dataDir, node }
  } catch (error) {
    // A running broker does not care what has become of its configuration file.
    if (flags.dataDir === undefined) throw error
    return { dataDir: resolve(flags.dataDir), node: 'hookmq@127.0.0.1' }
  }
}

function print(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value ?? null, null, 2)}\n`)
}
