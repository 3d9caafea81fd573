/**
 * Verdicts on message.publish from handlers in child processes: how many a second with many in flight, and how long one takes at a steady
 * 5,000 a second. Broker and child share the machine's cores. All handlers are started first and warmed up, as a broker that runs for a while has them; then
 * they are measured in turn, and of each the middle one of three rounds is printed. `node bench/driver.bench.ts [seconds [word]]`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import driver from '@hookmq/provider-driver'
import { createBroker } from 'hookmq'
import { processorTime } from './load/processor-time.ts'

const seconds = Number(process.argv[2] ?? 3)
const clients = 200
const ahead = 5

const compatible = `
from emqx_extension.hooks import EmqxHookSdk, hooks_handler

class Hook(EmqxHookSdk):
    @hooks_handler()
    def on_message_publish(self, message, state):
        pass

hook = Hook(hook_module=f'{__name__}.hook')

def init():
    return hook.start()
`
const raw = `
def init():
    return (0, ([("message_publish", "main", "publish", [])], ()))

def publish(message, state):
    pass
`
const modern = `
from hookmq import App

app = App()

@app.on_message_publish
def publish(message):
    return None
`

const compatibleJava = `
import io.emqx.extension.handler.DefaultCommunicationHandler;
import io.emqx.extension.handler.codec.Message;

public class Main extends DefaultCommunicationHandler {
    @Override
    public Message onMessagePublish(Message message) {
        return message;
    }
}
`
const rawJava = `
import com.erlport.erlang.term.Tuple;
import java.util.Arrays;

public class Main {
    public static Object init() {
        return Tuple.two(0, Tuple.two(Arrays.asList(Tuple.three("message_publish", "Main", "publish")), "state"));
    }
    public static Object publish(Object message, Object state) {
        return null;
    }
}
`
const modernJava = `
import io.hookmq.Message;
import io.hookmq.OnMessagePublish;
import io.hookmq.PublishVerdict;

public class Main {
    @OnMessagePublish
    public static PublishVerdict publish(Message message) {
        return message;
    }
}
`

type Case = readonly [name: string, driver: 'python3' | 'java', file: string, handler: string]

const cases: readonly Case[] = [
  ['python, compatible API', 'python3', 'main.py', compatible],
  ['python, no SDK', 'python3', 'main.py', raw],
  ['python, hookmq', 'python3', 'main.py', modern],
  ['java, compatible API', 'java', 'Main.java', compatibleJava],
  ['java, no SDK', 'java', 'Main.java', rawJava],
  ['java, hookmq', 'java', 'Main.java', modernJava],
]

const rounds = 3
/** Milliseconds of full load before anything is measured, in which the compilers on both sides have their time. */
const warmUp = 3000
const payload = Buffer.alloc(64, 'x')

type Broker = Awaited<ReturnType<typeof createBroker>>

interface Subject {
  readonly name: string
  readonly broker: Broker
  readonly home: string
  readonly handler: Running
  readonly rounds: Round[]
}

interface Round {
  /** Verdicts a second. */
  readonly rate: number
  /** Microseconds of CPU for each. */
  readonly broker: number
  readonly handler: number
  readonly p50: number
  readonly p99: number
}

// A word chooses: `node bench/driver.bench.ts 3 java`.
const word = process.argv[3] ?? ''
const before = loadavg()[0]
for (const language of ['python3', 'java'] as const) {
  const subjects: Subject[] = []
  for (const one of cases) if (one[1] === language && one[0].includes(word)) subjects.push(await begin(one))
  for (const subject of subjects) await flood(subject, warmUp)
  for (let round = 0; round < rounds; round++)
    for (const subject of subjects) subject.rounds.push(await measure(subject))
  for (const subject of subjects) {
    print(subject)
    await subject.broker.stop()
    rmSync(subject.home, { recursive: true })
  }
}

async function begin([name, language, file, handler]: Case): Promise<Subject> {
  const home = mkdtempSync(join(tmpdir(), 'hookmq-bench-'))
  writeFileSync(join(home, file), handler)
  const config = { 'exhook.drivers': language, [`exhook.drivers.${language}.path`]: home }
  const broker = await createBroker({ plugins: [{ plugin: driver, config }], sysInterval: 0, sysHeartbeat: 0 })
  await broker.start()
  await broker.publish({ topic: 't/0', payload, from: 'client-0' })
  return { name, broker, home, handler: await running(broker), rounds: [] }
}

/** As many as go, `ahead` of each client under way. Resolves to how many there were. */
async function flood({ broker }: Subject, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds
  let count = 0
  await Promise.all(
    Array.from({ length: clients * ahead }, async (_, index) => {
      const message = { topic: `t/${index % clients}`, payload, from: `client-${index % clients}` }
      while (performance.now() < end) {
        await broker.publish(message)
        count++
      }
    }),
  )
  return count
}

async function measure(subject: Subject): Promise<Round> {
  const { broker, handler } = subject
  const handlerBefore = sum(handler.processIds.map(processorTime))
  const before = process.cpuUsage()
  const began = performance.now()
  const count = await flood(subject, seconds * 1000)
  const elapsed = performance.now() - began
  const { user, system } = process.cpuUsage(before)
  const handlerTime = sum(handler.processIds.map(processorTime)) - handlerBefore
  const latencies = await steady(5000, (client) =>
    broker.publish({ topic: `t/${client}`, payload, from: `client-${client}` }),
  )
  return {
    rate: (count / elapsed) * 1000,
    broker: (user + system) / count,
    handler: handlerTime / count,
    p50: at(latencies, 0.5),
    p99: at(latencies, 0.99),
  }
}

function print({ name, handler, rounds }: Subject): void {
  const middle = (field: keyof Round): number => {
    const sorted = rounds.map((round) => round[field]).sort((one, other) => one - other)
    return sorted[Math.floor(sorted.length / 2)]
  }
  const all = rounds.map(({ rate }) => Math.round(rate)).join(' ')
  console.log(
    `${name.padEnd(24)} ${Math.round(middle('rate')).toString().padStart(7)} verdicts/s (${all})  broker ${middle('broker').toFixed(1)} us each, handler ${middle('handler').toFixed(1)} us (${handler.runtime});  at 5000/s: p50 ${middle('p50').toFixed(2)} p99 ${middle('p99').toFixed(2)} ms`,
  )
}

interface Running {
  readonly runtime: string
  readonly processIds: readonly number[]
}

async function running({ admin }: Broker): Promise<Running> {
  const command = admin.commands().find(({ name }) => name === 'exhook')
  const list = (await command?.run(['drivers', 'list']))?.json as readonly Running[]
  if (list[0] === undefined) throw new Error('the driver does not run')
  return list[0]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

/** Milliseconds of each, sorted. */
async function steady(perSecond: number, publish: (client: number) => Promise<unknown>): Promise<number[]> {
  const latencies: number[] = []
  const waiting: Promise<unknown>[] = []
  const began = performance.now()
  let sent = 0
  while (performance.now() - began < seconds * 1000) {
    for (const due = ((performance.now() - began) / 1000) * perSecond; sent < due; sent++) {
      const start = performance.now()
      waiting.push(publish(sent % clients).then(() => latencies.push(performance.now() - start)))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(waiting)
  return latencies.sort((one, other) => one - other)
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

console.log(
  `node ${process.version}, ${availableParallelism()} cores; load average ${before.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after`,
)
