/**
 * Verdicts on message.publish from handlers in child processes: how many a second with many in flight, and how long one takes at a steady
 * 5,000 a second. Broker and child share the machine's cores. `node bench/driver.bench.ts [seconds]`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
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

// A word chooses: `node bench/driver.bench.ts 3 java`.
const word = process.argv[3] ?? ''
for (const one of cases) if (one[0].includes(word)) await measure(one)

async function measure([name, language, file, handler]: Case): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'hookmq-bench-'))
  writeFileSync(join(home, file), handler)
  const config = { 'exhook.drivers': language, [`exhook.drivers.${language}.path`]: home }
  const broker = await createBroker({ plugins: [{ plugin: driver, config }], sysInterval: 0, sysHeartbeat: 0 })
  await broker.start()
  try {
    const payload = Buffer.alloc(64, 'x')
    const publish = (client: number) => broker.publish({ topic: `t/${client}`, payload, from: `client-${client}` })
    await publish(0)
    const { runtime, processIds } = await running(broker)
    const handlerBefore = sum(processIds.map(processorTime))
    const before = process.cpuUsage()
    const began = performance.now()
    let count = 0
    const end = began + seconds * 1000
    await Promise.all(
      Array.from({ length: clients * ahead }, async (_, index) => {
        while (performance.now() < end) {
          await publish(index % clients)
          count++
        }
      }),
    )
    const elapsed = performance.now() - began
    const { user, system } = process.cpuUsage(before)
    const handlerTime = sum(processIds.map(processorTime)) - handlerBefore
    const rate = Math.round((count / elapsed) * 1000)
    const latencies = await steady(5000, publish)
    console.log(
      `${name.padEnd(24)} ${String(rate).padStart(7)} verdicts/s  broker ${((user + system) / count).toFixed(1)} us each, handler ${(handlerTime / count).toFixed(1)} us (${runtime});  at 5000/s: p50 ${at(latencies, 0.5)} p99 ${at(latencies, 0.99)} max ${at(latencies, 1)} ms`,
    )
  } finally {
    await broker.stop()
    rmSync(home, { recursive: true })
  }
}

interface Running {
  readonly runtime: string
  readonly processIds: readonly number[]
}

async function running({ admin }: Awaited<ReturnType<typeof createBroker>>): Promise<Running> {
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

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2)
}

console.log(`node ${process.version}, ${availableParallelism()} cores`)
