/**
 * npm run bench:peers: HookMQ and other brokers side by side. Every scenario runs on each of them in turn, round by round, so that
 * a drift of the machine hits all alike; every delivery is checked. Prints a table of medians; Linux only.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type Peer, peers, Running } from './load/peers.ts'
import { processorTime, residentBytes } from './load/processor-time.ts'
import { Load, type Scenario } from './load/scenario.ts'

const usage = `Usage: npm run bench:peers -- [--rounds 5] [--seconds 2] [--only WORD] [--peers hookmq,hookmq-2-workers,mosquitto,aedes,nats-server]

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

interface Result {
  readonly rate: number
  readonly microseconds: number
  readonly mebibytes: number
}

const scenarios: readonly Scenario[] = [
  ...[16, 256, 4096].map((size) => scenario(`pairs, QoS 0, ${size} B`, { size })),
  ...[16, 256].map((size) => scenario(`10 to 1, QoS 0, ${size} B`, { size, pairs: false, subscribers: 1 })),
  ...[16, 256].map((size) =>
    scenario(`1 to 100, QoS 0, ${size} B`, { size, pairs: false, publishers: 1, subscribers: 100 }),
  ),
  scenario('pairs, QoS 0, 256 B, MQTT 5', { size: 256, version: 5 }),
  scenario('pairs, QoS 1, 256 B', { size: 256, qos: 1 }),
  scenario('pairs, QoS 2, 256 B', { size: 256, qos: 2 }),
  scenario('500 pairs, one message at a time', { size: 64, publishers: 500, subscribers: 500, outstanding: 1 }),
]

function scenario(name: string, settings: Partial<Scenario>): Scenario {
  return {
    name,
    publishers: 10,
    subscribers: 10,
    pairs: true,
    qos: 0,
    size: 256,
    version: 4,
    outstanding: 200,
    ...settings,
  }
}

async function measure(running: Running, what: Scenario, seconds: number): Promise<Result> {
  const load = new Load(what)
  try {
    await load.open(running.port)
    load.start()
    await new Promise((resolve) => setTimeout(resolve, 500))
    const before = { delivered: load.delivered, time: processorTime(running.pid), at: performance.now() }
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    const delivered = load.delivered - before.delivered
    const time = processorTime(running.pid) - before.time
    const elapsed = (performance.now() - before.at) / 1000
    await load.finish(20_000)
    return {
      rate: delivered / elapsed,
      microseconds: time / delivered,
      mebibytes: residentBytes(running.pid) / 2 ** 20,
    }
  } finally {
    load.close()
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.length === 0 ? Number.NaN : (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

async function compare(what: Scenario, chosen: readonly Peer[], firstPort: number): Promise<void> {
  const results = new Map<string, Result[]>()
  const failures = new Map<string, string>()
  const running: Running[] = []
  try {
    for (const [index, peer] of chosen.entries()) running.push(await Running.start(peer, firstPort + index))
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const broker of running) {
        const { name } = broker.peer
        if (failures.has(name)) continue
        process.stderr.write(`${what.name}, round ${round + 1} of ${options.rounds}, ${name}\n`)
        try {
          results.set(name, [...(results.get(name) ?? []), await measure(broker, what, Number(options.seconds))])
        } catch (error) {
          failures.set(name, (error as Error).message)
        }
      }
    }
  } finally {
    for (const broker of running) await broker.stop()
  }
  for (const { name } of chosen) {
    const list = results.get(name) ?? []
    const failed = failures.get(name)
    const cells =
      failed === undefined
        ? [
            median(list.map((result) => result.microseconds)).toFixed(2),
            Math.round(median(list.map((result) => result.rate))).toLocaleString('en'),
            Math.round(median(list.map((result) => result.mebibytes))).toString(),
          ]
        : [`failed: ${failed}`, '', '']
    console.log(`| ${what.name} | ${name} | ${cells.join(' | ')} |`)
  }
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
    `Medians of ${options.rounds} rounds of ${options.seconds} s; microseconds are processor time of the broker per delivered message.\n`,
  )
  console.log('| scenario | broker | us per message | messages/s | RSS MiB |\n|---|---|---|---|---|')
  let port = 25_100
  for (const what of scenarios.filter((candidate) => candidate.name.includes(options.only))) {
    await compare(what, installed, port)
    port += 10
  }
}
