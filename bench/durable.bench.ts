/**
 * The durable store under load. `npm run bench -- durable`, or `node bench/durable.bench.ts [SECONDS] [FOLDER] [PART]`
 * with messages, disk, start or queue. Broker and load generator are two
 * processes on the same cores; every delivery is checked against what was published.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteStore } from '@hookmq/store-sqlite'
import { DurableClient } from './durable/client.ts'
import { BrokerProcess } from './durable/process.ts'

const seconds = Number(process.argv[2] ?? 4)
const only = process.argv[4]
const root = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'hookmq-durable-'))
/** Publishers, each with a subscriber of its own; messages that each publisher has on their way; bytes of payload. */
const pairs = 100
const window = 64
const size = 64

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
const whole = (value: number): string => Math.round(value).toLocaleString('en')
const load = (): string => loadavg()[0]?.toFixed(1) ?? '?'
const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`)

interface Case {
  readonly name: string
  readonly durability: 'fsync' | 'os' | 'none' | undefined
  readonly expiry: number
}

async function under(count: Case): Promise<void> {
  const folder = mkdtempSync(join(root, 'data-'))
  const broker =
    count.durability === undefined ? await BrokerProcess.start() : await BrokerProcess.start(folder, count.durability)
  const clients: DurableClient[] = []
  let published = 0
  let acknowledged = 0
  let received = 0
  let wrong = 0
  let stopped = false
  for (let pair = 0; pair < pairs; pair++) {
    const topic = `bench/${pair}`
    const subscriber = new DurableClient(broker.port)
    await subscriber.connect(`subscriber-${pair}`, count.expiry)
    await subscriber.subscribe(topic)
    let expected = 0
    subscriber.onPublish = ({ buffer, payloadStart }) => {
      received++
      if (buffer.readUInt32LE(payloadStart) !== expected++) wrong++
    }
    const publisher = new DurableClient(broker.port)
    await publisher.connect(`publisher-${pair}`, 0)
    clients.push(subscriber, publisher)
    let number = 0
    const publish = (): void => {
      const payload = Buffer.alloc(size)
      payload.writeUInt32LE(number, 0)
      const packetId = (number++ % 60_000) + 1
      published++
      publisher.sendMessage(topic, payload, packetId)
    }
    publisher.onAcknowledged = () => {
      acknowledged++
      if (!stopped) publish()
    }
    for (let index = 0; index < window; index++) publish()
  }
  await pause(1500)
  const before = await broker.usage()
  const at = performance.now()
  const first = received
  await pause(1000 * seconds)
  const after = await broker.usage()
  const took = (performance.now() - at) / 1000
  const messages = received - first
  stopped = true
  for (let tries = 0; tries < 100 && (received < published || acknowledged < published); tries++) await pause(50)
  if (wrong > 0 || received !== published || acknowledged !== published)
    throw new Error(
      `${count.name}: ${published} published, ${acknowledged} acknowledged, ${received} received, ${wrong} out of order`,
    )
  for (const client of clients) client.end()
  await broker.end()
  rmSync(folder, { recursive: true })
  const cpu = (after.cpu - before.cpu) / messages
  const mainThread = (after.mainThread - before.mainThread) / messages
  row([
    count.name,
    whole(messages / took),
    cpu.toFixed(1),
    mainThread.toFixed(1),
    ((1000 * pairs * window * took) / messages).toFixed(0),
    after.late99.toFixed(0),
    after.late.toFixed(0),
    after.stretch99.toFixed(1),
    after.stretch.toFixed(1),
    load(),
  ])
}

/** What the disk gives to somebody who only appends and syncs. */
function rawDisk(): void {
  for (const together of [1, 1024]) {
    const path = join(root, 'raw')
    const file = openSync(path, 'w')
    const record = Buffer.alloc(128 * together)
    let syncs = 0
    const start = performance.now()
    while (performance.now() - start < 1500) {
      writeSync(file, record)
      fdatasyncSync(file)
      syncs++
    }
    const took = (performance.now() - start) / 1000
    closeSync(file)
    rmSync(path)
    row([
      `append and fdatasync, ${together} records of 128 B each time`,
      whole(syncs / took),
      whole((syncs * together) / took),
      load(),
    ])
  }
}

async function start(sessions: number, subscribed: boolean): Promise<void> {
  const folder = mkdtempSync(join(root, 'start-'))
  const store = await SqliteStore.open({ file: join(folder, 'hookmq.db'), durability: 'none' })
  const client = {
    clientId: 'x',
    protocol: 'mqtt',
    protocolVersion: 5,
    listener: 'tcp:external',
    peerhost: '127.0.0.1',
  }
  const record = Buffer.from(
    JSON.stringify({ version: 1, createdAt: Date.now(), expiryInterval: 1e6, detachedAt: Date.now(), client }),
  )
  for (let number = 1; number <= sessions; number++) {
    store.sessions.putSession(number, `device-${number}`, Date.now() + 1e9, record)
    if (subscribed) store.sessions.putSubscription(number, `devices/${number}/commands`, 1, 0)
    if (number % 20_000 === 0) await store.sessions.settled()
  }
  await store.close()
  const broker = await BrokerProcess.start(folder, 'fsync')
  const { cpu, mainThread, rss } = await broker.usage()
  await broker.end()
  rmSync(folder, { recursive: true })
  const what = `${whole(sessions)} sessions${subscribed ? ', a subscription each' : ''}`
  row([
    what,
    (broker.startedIn / 1000).toFixed(1),
    (cpu / 1e6).toFixed(1),
    (mainThread / 1e6).toFixed(1),
    whole(rss / 1e6),
    load(),
  ])
}

/** A queue that grows while its client is away, and drains when it is back. */
async function longQueue(messages: number, bytes = size): Promise<void> {
  const folder = mkdtempSync(join(root, 'queue-'))
  const broker = await BrokerProcess.start(folder, 'fsync')
  const session = 'away'
  const first = new DurableClient(broker.port)
  await first.connect(session, 3600)
  await first.subscribe('queue/#')
  first.end()
  await pause(300)
  const before = await broker.usage()
  let sent = 0
  let acknowledged = 0
  const fillStart = performance.now()
  await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const publisher = new DurableClient(broker.port)
      await publisher.connect(`publisher-${index}`, 0)
      const payload = Buffer.alloc(bytes)
      let number = 0
      const publish = (): void => {
        if (sent >= messages) return
        sent++
        payload.writeUInt32LE(number, 0)
        publisher.sendMessage(`queue/${index}`, payload, (number++ % 60_000) + 1)
      }
      publisher.onAcknowledged = () => {
        acknowledged++
        publish()
      }
      for (let count = 0; count < 500; count++) publish()
    }),
  )
  let most = 0
  let stretch = 0
  const look = async (): Promise<void> => {
    await pause(100)
    const usage = await broker.usage()
    most = Math.max(most, usage.rss)
    stretch = Math.max(stretch, usage.stretch)
  }
  while (acknowledged < messages) await look()
  const filled = (performance.now() - fillStart) / 1000
  const back = new DurableClient(broker.port)
  let received = 0
  let wrong = 0
  const expected = new Map<number, number>()
  back.onPublish = ({ buffer, topicEnd, payloadStart }) => {
    received++
    const from = buffer[topicEnd - 1] as number
    const number = expected.get(from) ?? 0
    if (buffer.readUInt32LE(payloadStart) !== number) wrong++
    expected.set(from, number + 1)
  }
  const drainStart = performance.now()
  await back.connect(session, 3600, false, 100)
  while (received < messages) await look()
  const drained = (performance.now() - drainStart) / 1000
  const { rss } = await broker.usage()
  if (wrong > 0 || back.most > 100) throw new Error(`${wrong} out of order, ${back.most} without acknowledgement`)
  await broker.end()
  row([
    `${whole(messages)} of ${bytes} B`,
    whole(before.rss / 1e6),
    whole(most / 1e6),
    whole(rss / 1e6),
    whole(messages / filled),
    whole(messages / drained),
    stretch.toFixed(1),
    load(),
  ])
}

try {
  console.log(`node ${process.version}, ${availableParallelism()} cores, ${cpus()[0]?.model}; folder ${root}`)
  console.log(
    `${pairs} publishers with ${window} messages of ${size} B on their way each, ${pairs} subscribers, QoS 1\n`,
  )
  if (only === undefined || only === 'messages') {
    row([
      '',
      'messages/s',
      'us CPU each',
      'of it main thread',
      'ms to PUBACK',
      'event loop late, p99 ms',
      'at most ms',
      'store in one go, p99 ms CPU',
      'at most ms CPU',
      'load',
    ])
    row(['---', '---', '---', '---', '---', '---', '---', '---', '---', '---'])
    await under({ name: 'durable sessions, `fsync`', durability: 'fsync', expiry: 3600 })
    await under({ name: 'durable sessions, `os`', durability: 'os', expiry: 3600 })
    await under({ name: 'durable sessions, `none`', durability: 'none', expiry: 3600 })
    await under({ name: 'durable sessions, in memory only', durability: undefined, expiry: 3600 })
    await under({ name: 'sessions that end, broker with a store', durability: 'fsync', expiry: 0 })
    await under({ name: 'sessions that end, broker without', durability: undefined, expiry: 0 })
    console.log()
  }
  if (only === undefined || only === 'disk') {
    row(['the same disk', 'syncs/s', 'records/s', 'load'])
    row(['---', '---', '---', '---'])
    rawDisk()
    console.log()
  }
  if (only === undefined || only === 'start') {
    row(['start with', 'seconds', 's CPU', 'of it main thread', 'MB', 'load'])
    row(['---', '---', '---', '---', '---', '---'])
    await start(1000, false)
    await start(1_000_000, false)
    await start(1_000_000, true)
    console.log()
  }
  if (only === undefined || only === 'queue') {
    row([
      'messages that wait for one session',
      'MB before',
      'MB at most',
      'MB after',
      'queued/s',
      'drained/s (receive maximum 100)',
      'store in one go at most ms CPU',
      'load',
    ])
    row(['---', '---', '---', '---', '---', '---', '---', '---'])
    await longQueue(50_000)
    await longQueue(1_000_000)
    await longQueue(1_000_000, 256)
    console.log()
  }
} finally {
  rmSync(root, { recursive: true, force: true })
}
process.exit()
