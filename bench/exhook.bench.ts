/**
 * ExHook: what a provider in another process costs. Load generator, broker and provider share the machine's cores. `node bench/exhook.bench.ts
 * [seconds] [python]`; with the path of a Python that has grpcio and protobuf also against a provider in Python. Prints the tables of docs/benchmarks.md.
 * What is compared is measured in turn, round by round; each row is the median of its rounds.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import {
  askedByBareClient,
  askedByBroker,
  type Provider,
  pythonProvider,
  type Round,
  typescriptProvider,
} from './exhook/processes.ts'

const seconds = Number(process.argv[2] ?? 4)
const python = process.argv[3]
const rounds = 3
const clients = 64

function versionOf(path: string): string {
  const manifest: { readonly version: string } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
  return manifest.version
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]
const whole = (value: number): string => Math.round(value).toLocaleString('en')
const fine = (value: number): string => (Number.isNaN(value) ? '–' : `${value.toFixed(value >= 100 ? 0 : 1)} us`)
const time = (value: number): string => value.toFixed(2)

function middle(all: readonly Round[]): Round {
  const of = (field: keyof Round) => median(all.map((round) => round[field]))
  return {
    rate: of('rate'),
    delivered: of('delivered'),
    asker: of('asker'),
    provider: of('provider'),
    load: of('load'),
    p50: of('p50'),
    p99: of('p99'),
  }
}

/** The medians of several things that are measured in turn. */
async function inTurn(...measures: (() => Promise<Round>)[]): Promise<Round[]> {
  const results: Round[][] = measures.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [index, measure] of measures.entries()) results[index].push(await measure())
  return results.map(middle)
}

async function withProvider<T>(provider: Provider, work: (provider: Provider) => Promise<T>): Promise<T> {
  try {
    return await work(provider)
  } finally {
    await provider.stop()
  }
}

const before = loadavg()[0]
console.log(
  `${new Date().toISOString().slice(0, 10)}: HookMQ ${versionOf('../packages/hookmq/package.json')}, Node ${process.version}, @grpc/grpc-js ${versionOf('../node_modules/@grpc/grpc-js/package.json')}; ${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}; load before: ${before.toFixed(1)}`,
)
console.log(
  `256 B at QoS 0 from ${clients} clients, medians of ${rounds} rounds of ${seconds} s; us of CPU per verdict\n`,
)

console.log('| asked | verdicts per second | CPU of who asks | CPU of the provider |\n|---|---|---|---|')
const row = (name: string, { rate, asker, provider }: Round): void =>
  console.log(`| ${name} | ${whole(rate)} | ${fine(asker)} | ${fine(provider)} |`)
const [bare, unary, stream] = await withProvider(await typescriptProvider(['message.publish']), (provider) =>
  inTurn(
    () => askedByBareClient(seconds, provider),
    () => askedByBroker('flood', clients, seconds, provider, 'off'),
    () => askedByBroker('flood', clients, seconds, provider),
  ),
)
row('bare @grpc/grpc-js client, no broker, unary', bare)
row('broker, one unary call for each message', unary)
row('broker, batched stream, provider in TypeScript', stream)
if (python !== undefined) {
  const [slow] = await withProvider(await pythonProvider(python), (provider) =>
    inTurn(() => askedByBroker('flood', clients, seconds, provider)),
  )
  row('broker, batched stream, provider in Python', slow)
}
console.log(`\nunary: ${whole((100 * unary.rate) / bare.rate)} % of the bare client's rate\n`)

console.log(
  '| 10 publishers, 1 subscriber | delivered per second | p50 | p99 | CPU of the broker | CPU of the provider |\n|---|---|---|---|---|---|',
)
const steady = (name: string, { delivered, p50, p99, asker, provider }: Round): void =>
  console.log(
    `| ${name} | ${whole(delivered)} | ${time(p50)} ms | ${time(p99)} ms | ${fine(asker)} | ${fine(provider)} |`,
  )
const asked = await withProvider(await typescriptProvider(['message.publish']), (provider) =>
  inTurn(
    () => askedByBroker('steady', 5000, seconds),
    () => askedByBroker('steady', 5000, seconds, provider),
  ),
)
steady('5,000 a second, no provider', asked[0])
steady('5,000 a second, message.publish over the stream', asked[1])
const told = await withProvider(await typescriptProvider(['client.connected', 'message.delivered']), (provider) =>
  inTurn(
    () => askedByBroker('steady', 25_000, seconds),
    () => askedByBroker('steady', 25_000, seconds, provider),
  ),
)
steady('25,000 a second, no provider', told[0])
steady('25,000 a second, told of each delivery over the stream', told[1])
console.log(
  `\nwith notifications: ${whole((100 * told[1].delivered) / told[0].delivered)} % of what is delivered without; load after: ${loadavg()[0].toFixed(1)}`,
)
