/**
 * npm run bench:peers: HookMQ and other brokers side by side. Every scenario runs on each of them in turn, round by round, so that
 * a drift of the machine hits all alike; every delivery is checked. Prints a table of medians; Linux only.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { goalTable } from './load/goals.ts'
import type { Result } from './load/measure.ts'
import { type Peer, peers, Running } from './load/peers.ts'
import { type Trial, trials } from './load/scenarios.ts'

const usage = `Usage: npm run bench:peers -- [--rounds 5] [--seconds 2] [--only WORD,WORD] [--peers hookmq,hookmq-2-workers,mosquitto,aedes,nats-server]

Brokers that are not installed are left out, with a line that says so.`

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    peers: {
      type: 'string',
      default: peers
        .map((peer) => peer.name)
        .filter((name) => name !== 'hookmq-2-workers')
        .join(','),
    },
    help: { type: 'boolean', default: false },
  },
})

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.length === 0 ? Number.NaN : (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

function mediansOf(results: readonly Result[]): Result | undefined {
  if (results.length === 0) return undefined
  const of = (figure: keyof Result): number | undefined => {
    const values = results.map((result) => result[figure]).filter((value) => value !== undefined)
    return values.length === 0 ? undefined : median(values)
  }
  return {
    microseconds: of('microseconds') ?? Number.NaN,
    rate: of('rate') ?? Number.NaN,
    mebibytes: of('mebibytes') ?? Number.NaN,
    bytes: of('bytes'),
    half: of('half'),
    ninetyNine: of('ninetyNine'),
  }
}

function describe({ microseconds, rate, mebibytes, bytes, half, ninetyNine }: Result): string {
  const more = [
    bytes === undefined ? [] : [`${Math.round(bytes).toLocaleString('en')} bytes each`],
    half === undefined || ninetyNine === undefined
      ? []
      : [`p50 ${Math.round(half)} us, p99 ${Math.round(ninetyNine)} us`],
  ].flat()
  const whole = [Math.round(rate).toLocaleString('en'), Math.round(mebibytes).toString(), more.join(', ')]
  return [microseconds.toFixed(2), ...whole].join(' | ')
}

/** Medians by trial and broker. */
const measured = new Map<string, Map<string, Result>>()

async function compare(trial: Trial, chosen: readonly Peer[], firstPort: number): Promise<void> {
  const results = new Map<string, Result[]>()
  const failures = new Map<string, string>()
  const running = new Map<Peer, Running>()
  const { carrier = 'tcp' } = trial
  let port = firstPort
  try {
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const peer of chosen) {
        const { name } = peer
        if (failures.has(name)) continue
        process.stderr.write(`${trial.name}, round ${round + 1} of ${options.rounds}, ${name}\n`)
        try {
          const broker = running.get(peer) ?? (await Running.start(peer, port++, carrier))
          running.set(peer, broker)
          results.set(name, [...(results.get(name) ?? []), await trial.measure(broker, Number(options.seconds))])
        } catch (error) {
          failures.set(name, (error as Error).message)
        }
        if (trial.fresh === true) {
          await running.get(peer)?.stop()
          running.delete(peer)
        }
      }
    }
  } finally {
    for (const broker of running.values()) await broker.stop()
  }
  const medians = new Map<string, Result>()
  measured.set(trial.name, medians)
  for (const { name } of chosen) {
    const result = mediansOf(results.get(name) ?? [])
    const failed = failures.get(name)
    // A broker that loses or repeats a message has no figures.
    if (result !== undefined && failed === undefined) medians.set(name, result)
    const cells = failed !== undefined || result === undefined ? `failed: ${failed} | | | ` : describe(result)
    console.log(`| ${trial.name} | ${name} | ${cells} |`)
  }
}

/** Of the brokers that were asked for, those that can take part. */
function takingPart({ carrier, also }: Trial, installed: readonly Peer[]): Peer[] {
  const able = installed.filter((peer) => carrier === undefined || peer.carriers?.includes(carrier) === true)
  const own = able.filter(({ name }) => name.startsWith('hookmq'))
  return also === undefined ? able : [...own, ...also]
}

if (options.help) {
  console.log(usage)
} else {
  const chosen = peers.filter((peer) => options.peers.split(',').includes(peer.name))
  const installed = chosen.filter((peer) => peer.version() !== undefined)
  for (const peer of chosen) if (!installed.includes(peer)) console.error(`${peer.name} is not installed: left out`)
  const versions = installed.map((peer) => `${peer.name} ${peer.version()}`).join(', ')
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}; ${versions}`,
  )
  console.log(
    `Medians of ${options.rounds} rounds of ${options.seconds} s; microseconds are processor time of the broker per delivered message (connection, and so on).\n`,
  )
  console.log('| scenario | broker | us of CPU | per second | RSS MiB | |\n|---|---|---|---|---|---|')
  const wanted = options.only.split(',')
  let port = 25_100
  for (const trial of trials.filter(({ name }) => wanted.some((word) => name.includes(word)))) {
    await compare(trial, takingPart(trial, installed), port)
    port += 100
  }
  const reached = goalTable((trial, broker) => measured.get(trial)?.get(broker))
  if (reached !== '') console.log(`\n${reached}`)
}
