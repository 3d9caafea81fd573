/**
 * Run by retained-million.test.ts in a process of its own: a broker with a million retained messages, read in every way there is, while
 * a delay monitor looks at the event loop. Prints one line of JSON for each reading: how long it took, and the longest stall, in milliseconds.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Broker } from '@hookmq/core'
import { createSettings } from '@hookmq/kit'
import { createTcpListener } from '@hookmq/listener-tcp'
import retainer from '@hookmq/plugin-retainer'
import { MemoryRetainedStore, MemoryStore } from '@hookmq/store-memory'
import { RawClient } from '../support/raw-client.ts'

const count = Number(process.argv[2] ?? 1_000_000)

const broker = new Broker(
  { sysInterval: 0, sysHeartbeat: 0 },
  {
    retained: new MemoryRetainedStore(),
    store: new MemoryStore().namespace,
    settings: (plugin, given) => createSettings(plugin.config, given),
  },
)
await broker.start()
await broker.plugins.load(retainer, { config: { 'retainer.max_retained_messages': '0' } })
const listener = createTcpListener({ name: 'test', address: '127.0.0.1:0' })
await listener.start(broker)
const port = Number(listener.address.slice(listener.address.lastIndexOf(':') + 1))

const payload = Buffer.from('payload')
for (let index = 0; index < count; index++) {
  broker.admin.retained.put({
    id: String(index),
    topic: `home/${index % 1000}/${index}/temperature`,
    payload,
    qos: 0,
    retain: true,
    dup: false,
    from: 'fill',
    timestamp: Date.now(),
    properties: {},
    headers: {},
  })
  if (index % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
}

async function measure(what: string, work: () => Promise<unknown>): Promise<void> {
  const delays = monitorEventLoopDelay({ resolution: 5 })
  const started = performance.now()
  delays.enable()
  const result = await work()
  delays.disable()
  const line = {
    what,
    milliseconds: Math.round(performance.now() - started),
    stall: Math.round(delays.max / 1e6),
    result,
  }
  console.log(JSON.stringify(line))
}

/** Subscribes and counts bytes up to `expected`, without parsing: the reader must not be what stalls. */
async function read(filter: string, expected: number): Promise<number> {
  const client = await RawClient.open(port, 4)
  client.sendConnect({ clientId: 'reader' })
  await client.expect('connack')
  client.socket.removeAllListeners('data')
  let bytes = 0
  const { promise, resolve } = Promise.withResolvers<number>()
  client.socket.on('data', (chunk) => {
    bytes += chunk.length
    if (bytes >= expected) resolve(bytes)
  })
  client.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: filter, qos: 0 }],
  })
  await promise
  client.socket.destroy()
  return bytes
}

const command = broker.admin.commands().find(({ name }) => name === 'retainer')
const run = async (...args: string[]): Promise<unknown> => (await command?.run(args))?.lines.at(-1)
/** Of all messages as PUBLISH packets. */
let all = 5
for (let index = 0; index < count; index++)
  all += 4 + `home/${index % 1000}/${index}/temperature`.length + payload.length

await measure('subscribe #', () => read('#', all))
await measure('subscribe +/+/+/temperature', () => read('+/+/+/temperature', all))
await measure('look for what is not there', async () => {
  const messages = broker.admin.retained.match('+/+/+/humidity')
  for (let next = messages.next(); next.done !== true; next = messages.next()) {
    if (next.value !== undefined) return 'found'
    await new Promise((resolve) => setImmediate(resolve))
  }
  return 'nothing'
})
await measure('retainer topics, the last page', () => run('topics', String(count - 9), '10'))
await measure('retainer clean home/7/#', () => run('clean', 'home/7/#'))
await measure('retainer clean +/+/+/temperature', () => run('clean', '+/+/+/temperature'))
await listener.stop()
await broker.stop()
