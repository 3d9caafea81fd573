import type { Command } from 'commander'
import { HookmqError, messageOf } from '../errors.ts'
import { collect } from './start.ts'
import { durationOf, numberOf, usageError } from './words.ts'

interface DoctorFlags {
  set: string[]
  wait: number
  calls: number
  concurrency: number
  strict?: boolean
  json?: boolean
}

const examples = `
Examples:
  hookmq exhook doctor http://127.0.0.1:9000
  hookmq exhook doctor http://127.0.0.1:9000 --wait 30s --json      in CI, right after the provider was started
  hookmq exhook doctor https://hooks.example:9443 --set ssl.cacertfile=ca.pem --set ssl.verify=verify_peer
  hookmq exhook doctor http://127.0.0.1:9000 --set version=v2 --set request_timeout=1s

Plays the broker: connects, asks OnProviderLoaded in v3 and v2, calls each hook that the provider registers with what a broker sends (and with what
providers forget: no user name, no client id, payloads that are no text), measures one of them, and unloads it. The provider sees clients
'greenhouse-7' and 'auto-4f1a' that do not exist: do not let it loose on a provider that writes what it sees into a database that matters.

Settings given with --set are those of etc/plugins/exhook.conf, without 'exhook.server.NAME.'.

Exit code: 0 nothing is wrong, 1 mistakes were found (--strict: also when there is only advice), 2 nobody could be reached, or wrong words.
What each finding means: docs/exhook-tools.md`

export function addDoctor(exhook: Command): void {
  exhook
    .command('doctor')
    .description('find out what is wrong with a provider')
    .helpOption('--help', 'show this help')
    .argument('<url>', 'http://HOST:PORT, or https://HOST:PORT')
    .option('-s, --set <key=value>', 'a setting of the server, as in exhook.conf; may be repeated', collect, [])
    .option('--wait <time>', 'wait so long for a provider that is not there yet', durationOf, 0)
    .option('--calls <number>', 'calls that are measured; 0: none', numberOf(0, 100_000), 400)
    .option('--concurrency <number>', 'of them at a time', numberOf(1, 1000), 16)
    .option('--strict', 'advice counts as a mistake')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .exitOverride(usageError)
    .action(async (url: string, flags: DoctorFlags) => {
      process.exitCode = await doctor(url, flags)
    })
}

async function doctor(url: string, { set, wait, calls, concurrency, strict, json }: DoctorFlags): Promise<number> {
  const [{ placeOf }, { examine, exitCodeOf }, { reportLines }, { Progress }] = await Promise.all([
    import('../exhook/link.ts'),
    import('../exhook/doctor/doctor.ts'),
    import('../exhook/doctor/report.ts'),
    import('../exhook/progress.ts'),
  ])
  const progress = new Progress()
  try {
    const place = placeOf(url, set)
    const diagnosis = await examine({ place, wait, calls, concurrency, progress: (what) => progress.show(what) })
    progress.clear()
    const exitCode = exitCodeOf(diagnosis, strict === true)
    const text = json === true ? JSON.stringify({ ...diagnosis, exitCode }, null, 2) : reportLines(diagnosis).join('\n')
    process.stdout.write(`${text}\n`)
    return exitCode
  } catch (error) {
    progress.clear()
    if (!(error instanceof HookmqError)) throw error
    process.stderr.write(`hookmq: ${messageOf(error)}\n`)
    return 2
  }
}
