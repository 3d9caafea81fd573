import { Command } from 'commander'
import { version } from '../version.ts'
import { addCheckConfig } from './check-config.ts'
import { addCompletion } from './completion.ts'
import { addCtl } from './ctl.ts'
import { addExHook } from './exhook.ts'
import { addPlugin } from './plugin.ts'
import { addPub } from './pub.ts'
import { report } from './report.ts'
import { addStart } from './start.ts'
import { addStore } from './store.ts'
import { addSub } from './sub.ts'

const examples = `
Examples:
  hookmq start                                     MQTT on 127.0.0.1:1883
  hookmq start --plugin ./my-plugin.ts             with a hook of your own
  hookmq sub -t '#' -v                             see what is published
  hookmq pub -t greenhouse/1 -m 21.5               publish

'hookmq <command> --help' explains each of them.`

/** The command line. Sets the exit code; whatever goes wrong is one line on standard error. */
export async function run(args: readonly string[]): Promise<void> {
  const program = new Command('hookmq')
    .description('HookMQ: an MQTT broker that people extend')
    .version(`hookmq ${version}`, '--version', 'print the version')
    .helpOption('--help', 'show this help')
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError('(hookmq --help shows what there is)')
    .addHelpText('after', examples)
  addStart(program)
  addCheckConfig(program)
  addPlugin(program)
  addPub(program)
  addSub(program)
  addCtl(program)
  addStore(program)
  addExHook(program)
  addCompletion(program)
  program
    .command('version')
    .description('print the versions of HookMQ and Node')
    .action(() => {
      process.stdout.write(`hookmq ${version} (node ${process.versions.node}, ${process.platform} ${process.arch})\n`)
    })
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    report(error)
    process.exitCode = 1
  }
}
