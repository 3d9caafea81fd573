// A broker under traffic whose ExHook server fails in every way, again and again. Prints what became of it, as JSON.
//   npm run soak -- --times 1000 --transport stream
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import exhook from '@hookmq/provider-exhook'
import { createBroker } from 'hookmq'
import mqtt from 'mqtt'
import type { Mood } from './far-end.ts'

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '1000' },
    transport: { type: 'string', default: 'unary' },
    quiet: { type: 'boolean', default: false },
  },
})
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const times = Number(values.times)
const streaming = values.transport === 'stream'
if (!Number.isInteger(times) || times < 1)
  throw new Error(`--times: expected a number of failures, got ${values.times}`)
if (!streaming && values.transport !== 'unary')
  throw new Error(`--transport: expected unary or stream, got ${values.transport}`)

/** Milliseconds. */
const timeout = 60
const script = fileURLToPath(new URL('./far-end.ts', import.meta.url))
const moods: readonly (Mood | 'killed' | 'updated')[] = [
  'hang',
  'reset',
  'garbage',
  'killed',
  'error',
  'updated',
  'gone',
  'late',
  'nonsense',
  'refuse',
]

/** How often each event reached the provider. Those that can come no more are forgotten, so that this program does not grow. */
class Arrivals {
  readonly #seen = new Map<string, number>()
  total = 0
  readonly twice: string[] = []

  add(key: string): void {
    this.total++
    const before = this.#seen.get(key) ?? 0
    this.#seen.set(key, before + 1)
    if (before > 0) this.twice.push(key)
    if (this.#seen.size > 20_000)
      for (const [old] of this.#seen) if (this.#seen.delete(old) && this.#seen.size <= 10_000) break
  }
}

const arrivals = new Arrivals()

class Far {
  #child: ChildProcess | undefined
  port = 0

  async start(): Promise<void> {
    const child = fork(script, [String(this.port), streaming ? 'stream' : 'unary', String(timeout * 2)])
    this.#child = child
    const [{ port }] = await once(child, 'message')
    this.port = port
    child.on('message', (message: { readonly arrived?: readonly string[] }) => {
      for (const key of message.arrived ?? []) arrivals.add(key)
    })
  }

  async become(mood: Mood): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const heard = (message: { readonly mood?: Mood }): void => {
      if (message.mood !== mood) return
      child.off('message', heard)
      resolve()
    }
    child.on('message', heard)
    child.send(mood)
    await promise
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
}

const far = new Far()
await far.start()
let steadyAsked = 0
const broker = await createBroker({
  listeners: [{ type: 'tcp' }],
  plugins: [
    {
      plugin: {
        name: 'steady',
        setup(ctx) {
          ctx.hook('message.publish', () => void steadyAsked++, { topics: ['steady/#'] })
        },
      },
    },
    {
      plugin: exhook,
      config: {
        'exhook.server.far.url': `http://127.0.0.1:${far.port}`,
        'exhook.server.far.stream': streaming ? 'auto' : 'off',
        'exhook.server.far.version': 'v3',
        'exhook.server.far.pool_size': '3',
        'exhook.server.far.request_timeout': `${timeout}ms`,
        'exhook.server.far.auto_reconnect': '100ms',
        'exhook.server.far.health_check_interval': '50ms',
        'exhook.server.far.queue.limit': '500',
        'exhook.server.far.max_in_flight': '200',
        'exhook.server.far.max_waiting': '200',
        'exhook.server.far.breaker.failures': '10',
        'exhook.server.far.breaker.open_for': '30ms',
      },
    },
  ],
})
await broker.start()
const url = `mqtt://${broker.listeners[0].address}`
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const problems: string[] = []
const lastOf = new Map<string, number>()
let lastSeen = -1
let delivered = 0
const subscriber = await mqtt.connectAsync(url, { clientId: 'subscriber', reconnectPeriod: 0 })
subscriber.on('message', (topic, payload) => {
  const [number, ...words] = String(payload).split(' ')
  const expected = (lastOf.get(topic) ?? -1) + 1
  if (Number(number) !== expected && problems.length < 20)
    problems.push(`${topic}: expected ${expected}, got ${String(payload)}`)
  lastOf.set(topic, Number(number))
  delivered++
  if (topic === 'soak/a' && words.includes('seen')) lastSeen = Number(number)
})
await subscriber.subscribeAsync({ 'soak/#': { qos: 1 }, 'steady/#': { qos: 1 } })

let running = true
const sent = new Map<string, number>()
async function publisher(topic: string): Promise<void> {
  const client = await mqtt.connectAsync(url, { clientId: `to ${topic}`, reconnectPeriod: 0, protocolVersion: 5 })
  client.on('close', () => running && problems.push(`${topic}: its connection was closed`))
  for (let number = 0; running; ) {
    const batch: Promise<unknown>[] = []
    for (let count = 0; count < 5; count++) batch.push(client.publishAsync(topic, `${number++} ${topic}`, { qos: 1 }))
    sent.set(topic, number)
    await Promise.all(batch).catch((error: unknown) => problems.push(`${topic}: ${String(error)}`))
    await pause(4)
  }
  await client.endAsync()
}
const topics = ['soak/a', 'soak/b', 'steady/a', 'steady/b']
const publishers = topics.map(publisher)

async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited 30 s in vain for ${what}: ${JSON.stringify(view())}`)
    await pause(2)
  }
}

function view(): Record<string, number | string> {
  const provider = broker.admin.providers().find(({ name }) => name === 'far')
  return {
    ...provider?.counters,
    ...provider?.numbers,
    breaker: provider?.breaker ?? '',
    status: provider?.status ?? '',
  }
}

/** The provider is asked again, and its answers count. */
async function recovered(): Promise<void> {
  const from = sent.get('soak/a') ?? 0
  await until(() => lastSeen >= from, 'the provider to be asked again')
}

const most = { queued: 0, inFlight: 0, waiting: 0 }
const watch = setInterval(() => {
  const now = view()
  for (const name of ['queued', 'inFlight', 'waiting'] as const) most[name] = Math.max(most[name], Number(now[name]))
}, 5)

let streamed = 0
async function fail(round: number): Promise<void> {
  const mood = moods[round % moods.length]
  const visitor = await mqtt.connectAsync(url, { clientId: `visitor ${round}`, reconnectPeriod: 0 })
  if (mood === 'killed') {
    await far.kill()
    await pause(timeout)
    await far.start()
  } else if (mood === 'updated') {
    const command = broker.admin.commands().find(({ name, subcommand }) => name === 'exhook' && subcommand === 'server')
    await command?.run(['server', 'update', 'far', `breaker.failures=${round % 20 < 10 ? 0 : 10}`])
  } else {
    await far.become(mood)
    await pause(timeout + 20 * (round % 5))
    await far.become('good')
  }
  await visitor.endAsync()
  await recovered()
  // After an update the stream is opened anew, whatever became of those before.
  if (streaming && mood === 'updated') {
    await until(() => view().streams === 1, 'a stream')
    streamed++
  }
}

async function heap(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look < 5; look++) {
    collectGarbage()
    await pause(20)
    least = Math.min(least, process.memoryUsage().heapUsed)
  }
  return least
}

await recovered()
// Once round all of them first, so that code is compiled and pools and caches have their size.
for (let round = 0; round < moods.length; round++) await fail(round)
const before = await heap()
for (let round = moods.length; round < times + moods.length; round++) {
  await fail(round)
  if (!values.quiet && round % 100 === 0) console.error(`${round} failures: ${JSON.stringify(view())}`)
}
const after = await heap()
running = false
await Promise.all(publishers)
await until(() => topics.every((topic) => lastOf.get(topic) === (sent.get(topic) ?? 0) - 1), 'the last messages')
await until(
  () => [view().queued, view().inFlight, view().waiting].every((count) => count === 0),
  'the provider to be idle',
)
clearInterval(watch)
const numbers = view()
const sum = (prefix: string) =>
  topics.filter((topic) => topic.startsWith(prefix)).reduce((total, topic) => total + (sent.get(topic) ?? 0), 0)
await subscriber.endAsync()
await broker.stop(500)
await far.kill()
console.log(
  JSON.stringify({
    failures: times,
    transport: values.transport,
    sent: sum(''),
    delivered,
    steadySent: sum('steady/'),
    steadyAsked,
    arrived: arrivals.total,
    twice: arrivals.twice.slice(0, 10),
    problems,
    streamed,
    heapBefore: before,
    heapAfter: after,
    most,
    numbers,
  }),
)

const wrong =
  problems.length + arrivals.twice.length + Math.abs(sum('') - delivered) + Math.abs(sum('steady/') - steadyAsked)
if (wrong > 0) process.exitCode = 1
