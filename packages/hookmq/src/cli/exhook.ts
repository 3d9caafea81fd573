import type { Command } from 'commander'
import { addDoctor } from './exhook-doctor.ts'
import { addRecord } from './exhook-record.ts'
import { addCompare, addReplay } from './exhook-replay.ts'

const more = `
Examples:
  hookmq exhook doctor http://127.0.0.1:9000                 what is wrong with a provider?
  hookmq exhook record traffic.jsonl --duration 60s          what does this broker ask its hooks?
  hookmq exhook replay traffic.jsonl --to http://127.0.0.1:9000
                                                             what would this provider have answered?
  hookmq exhook compare before.jsonl after.jsonl             do two providers decide alike?

Servers of a running broker (list, add, move, counters): hookmq ctl exhook server list`

/** `hookmq exhook …`: tools for people who write ExHook providers. */
export function addExHook(program: Command): void {
  const exhook = program
    .command('exhook')
    .description('examine ExHook providers, record and replay what they are asked')
    .helpOption('--help', 'show this help')
    .addHelpText('after', more)
  addDoctor(exhook)
  addRecord(exhook)
  addReplay(exhook)
  addCompare(exhook)
}
