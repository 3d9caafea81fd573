/**
 * ExHook: what a provider in another process costs. Every process shares the machine's cores. `node bench/exhook.bench.ts [seconds] [python]`; with
 * the path of a Python that has grpcio and protobuf also against a provider in Python.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const seconds = Number(process.argv[2] ?? 4)
const python = process.argv[3]

interface Report {
  readonly messages: number
  readonly received: number
  readonly p50: number
  readonly p99: number
  readonly cpu: NodeJS.CpuUsage
}

function run(name: string, ...args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(`./exhook/${name}.ts`, import.meta.url)), args)
}

async function said<T>(child: ChildProcess): Promise<T> {
  return ((await once(child, 'message')) as [T])[0]
}

async function ask(child: ChildProcess): Promise<Report> {
  const answer = said<Report>(child)
  child.send('report')
  return answer
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const spent = ({ user, system }: NodeJS.CpuUsage) => user + system

/** A broker that asks the provider at `address`, under a load. Microseconds of the broker's CPU for each message. */
async function measure(load: 'flood' | 'steady', argument: number, address?: string, stream = 'on') {
  const broker = address === undefined ? run('broker') : run('broker', address, stream)
  const { port } = await said<{ port: number }>(broker)
  const client = run(load, String(port), String(argument))
  await pause(2000)
  if (load === 'steady') await ask(client)
  const before = await ask(broker)
  const clientBefore = await ask(client)
  const began = performance.now()
  await pause(seconds * 1000)
  const after = await ask(broker)
  const clientAfter = await ask(client)
  const took = (performance.now() - began) / 1000
  for (const child of [client, broker]) child.disconnect()
  await Promise.all([once(client, 'exit'), once(broker, 'exit')])
  const messages = after.messages - before.messages
  return {
    rate: messages / took,
    cpu: (spent(after.cpu) - spent(before.cpu)) / messages,
    delivered: ((clientAfter.received ?? 0) - (clientBefore.received ?? 0)) / took,
    p50: clientAfter.p50,
    p99: clientAfter.p99,
  }
}

async function withProvider<T>(hooks: readonly string[], work: (address: string) => Promise<T>): Promise<T> {
  const provider = run('provider', ...hooks)
  const { address } = await said<{ address: string }>(provider)
  try {
    return await work(address)
  } finally {
    provider.disconnect()
  }
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
const publish = ['message.publish']
console.log(`node ${process.version}, ${availableParallelism()} cores, 256 B at QoS 0, ${seconds} s each`)

await withProvider(publish, async (address) => {
  const bare = run('bare-client', address, String(seconds))
  const { rate, cpu } = await said<{ rate: number; cpu: number }>(bare)
  console.log(`bare @grpc/grpc-js client, unary       ${whole(rate)} calls/s, ${cpu.toFixed(0)} us CPU each`)
})
for (const [stream, name] of [
  ['off', 'unary'],
  ['on', 'stream'],
] as const)
  await withProvider(publish, async (address) => {
    const { rate, cpu } = await measure('flood', 64, address, stream)
    console.log(`broker, message.publish, ${name.padEnd(13)} ${whole(rate)} verdicts/s, ${cpu.toFixed(1)} us CPU each`)
  })
if (python !== undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-bench-'))
  const file = join(folder, 'hooks.py')
  writeFileSync(
    file,
    'from hookmq import App\n\napp = App()\n\n@app.on_message_publish\ndef publish(message):\n    return None\n',
  )
  const port = 20_000 + (process.pid % 20_000)
  const sdk = fileURLToPath(new URL('../sdk/python', import.meta.url))
  const provider = spawn(python, ['-m', 'hookmq', 'serve', file, '--listen', `127.0.0.1:${port}`], {
    env: { ...process.env, PYTHONPATH: sdk },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await pause(3000)
  const { rate, cpu } = await measure('flood', 64, `127.0.0.1:${port}`)
  console.log(`broker, message.publish, Python stream ${whole(rate)} verdicts/s, ${cpu.toFixed(1)} us CPU each`)
  provider.kill()
  rmSync(folder, { recursive: true })
}
await withProvider(publish, async (address) => {
  for (const stream of ['on', 'off']) {
    const { rate, p50, p99 } = await measure('steady', 5000, address, stream)
    console.log(
      `5,000 msg/s through message.publish, stream ${stream.padEnd(3)} ${whole(rate)} msg/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`,
    )
  }
})
const none = await measure('steady', 25_000)
console.log(
  `25,000 msg/s, no provider              ${whole(none.delivered)} delivered/s, ${none.cpu.toFixed(2)} us CPU each`,
)
for (const stream of ['on', 'off'])
  await withProvider(['client.connected', 'message.delivered'], async (address) => {
    const { delivered, cpu } = await measure('steady', 25_000, address, stream)
    console.log(
      `25,000 msg/s, notifications, stream ${stream.padEnd(3)} ${whole(delivered)} delivered/s, ${cpu.toFixed(2)} us CPU each`,
    )
  })
