// Runs one scenario in a process of its own, with --expose-gc, and prints the size of the heap before and after.
import { publish, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { pause, until } from '../support/wait.ts'

const clock = new ManualClock()
const scenario = process.argv[2]
const teardown: (() => void | Promise<void>)[] = []

async function heap(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    globalThis.gc?.()
    await pause(20)
    least = Math.min(least, process.memoryUsage().heapUsed)
  }
  return least
}

/** Memory of buffers, which is not part of the heap. */
async function bufferMemory(): Promise<number> {
  await heap()
  return process.memoryUsage().arrayBuffers
}

async function batches(broker: TestBroker, count: number, one: (index: number) => Promise<void>): Promise<void> {
  const together = 50
  for (let index = 0; index < count; index += together) {
    await Promise.all(Array.from({ length: together }, (_, offset) => one(index + offset)))
    await until(() => broker.broker.channels.size === 0, 'connections to be forgotten', 60_000)
  }
}

interface Scenario {
  readonly count: number
  /** Default: the heap. */
  readonly measure?: () => Promise<number>
  run(broker: TestBroker, count: number): Promise<void>
}

const scenarios: Record<string, Scenario> = {
  connections: {
    count: 10_000,
    run: (broker, count) =>
      batches(broker, count, async (index) => {
        const client = await broker.connect({ version: index % 2 === 0 ? 4 : 5, clientId: `c${index % 1000}-${index}` })
        if (index % 3 === 0) client.destroy()
        else await client.disconnect()
      }),
  },
  sessions: {
    count: 10_000,
    async run(broker, count) {
      await batches(broker, count, async (index) => {
        const client = await broker.connect({
          clientId: `s${index}`,
          clean: false,
          properties: { sessionExpiryInterval: 10 },
          will: {
            topic: 'w',
            payload: Buffer.alloc(100),
            qos: 0,
            retain: false,
            properties: { willDelayInterval: 100 },
          },
        })
        await subscribe(client, ['all/#', `own/${index}`], { qos: 1 })
        client.destroy()
      })
      await broker.broker.link.publish({ topic: 'all/x', payload: Buffer.alloc(1000), qos: 1 })
      clock.advance(60_000)
      // What is due is done a few milliseconds at a time.
      await until(() => broker.broker.deadlines.size === 0, 'all sessions to end', 60_000)
    },
  },
  hooks: {
    count: 10_000,
    async run(broker, count) {
      let calls = 0
      const handle = broker.hook(
        'message.publish',
        () => {
          const kind = calls++ % 3
          if (kind === 0) throw new Error('broken on purpose')
          return kind === 1 ? Promise.reject(new Error('broken on purpose')) : new Promise<never>(() => {})
        },
        { timeout: 1, failedAction: 'deny' },
      )
      const client = await broker.connect()
      for (let sent = 0; sent < count; sent += 100) {
        for (let index = 0; index < 100; index++)
          publish(client, 'a', 'x'.repeat(100), { qos: 1, messageId: index + 1 })
        for (let index = 0; index < 100; index++) await client.expect('puback')
      }
      await client.disconnect()
      handle.remove()
      await until(() => broker.broker.channels.size === 0, 'the connection to be forgotten')
    },
  },
  takeovers: {
    count: 5_000,
    async run(broker, count) {
      for (let index = 0; index < count; index++) {
        const settings = { clientId: 'same', clean: false, properties: { sessionExpiryInterval: 10 } }
        const client = await broker.connect(settings)
        if (index === 0) await subscribe(client, 'a', { qos: 1 })
      }
      await until(() => broker.broker.channels.size === 1, 'old connections to be forgotten', 60_000)
      await broker.broker.link.kick('same')
      await until(() => broker.broker.channels.size === 0, 'the last connection to be forgotten')
    },
  },
  // The few bytes that stay of a client must not lie in memory that others have used for a moment, or all of it stays.
  lasting: {
    count: 1_000,
    measure: bufferMemory,
    async run(broker, count) {
      for (let index = 0; index < count; index++) {
        const client = await broker.connect({
          clientId: `lasting-${count}-${index}`,
          version: 5,
          username: 'somebody',
          password: Buffer.from('secret'),
          will: { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false },
        })
        publish(client, `lasting/${count}/${index}`, 'x', { qos: 1, messageId: 1, retain: true })
        await client.expect('puback')
        for (let others = 0; others < 4; others++) Buffer.allocUnsafe(20_000)
      }
    },
  },
}

const chosen = scenarios[scenario]
if (chosen === undefined)
  throw new Error(`there is no scenario ${scenario}; there are ${Object.keys(scenarios).join(', ')}`)
const broker = await startBroker({ after: (run) => void teardown.push(run) }, {}, { record: false, clock, keep: false })
// Once before measuring, so that code is compiled and pools and caches have their size.
await chosen.run(broker, 500)
const measure = chosen.measure ?? heap
const before = await measure()
await chosen.run(broker, chosen.count)
const after = await measure()
const { sessions, router, channels, deadlines } = broker.broker
const leftovers = {
  sessions: sessions.size,
  subscriptions: router.subscriptionCount,
  topics: router.topicCount,
  channels: channels.size,
  deadlines: deadlines.size,
}
for (const run of teardown) await run()
console.log(JSON.stringify({ scenario, before, after, leftovers }))
