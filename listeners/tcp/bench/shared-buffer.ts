/**
 * Plain 'data' events against reads into one shared buffer.
 *
 *   node --expose-gc listeners/tcp/bench/shared-buffer.ts [plain|shared] [idle connections]
 *
 * Without arguments it runs both ways in turn, each in a process of its own. CPU is that of the server process.
 */
import { fork } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Logger, Transport } from '@hookmq/api'
import { createTcpListener } from '../src/index.ts'

const [role, ...rest] = process.argv.slice(2)
const self = fileURLToPath(import.meta.url)
const silent: Logger = { debug() {}, info() {}, warn() {}, error: console.error, child: () => silent }

if (role === 'client') await client(Number(rest[0]))
else if (role === 'plain' || role === 'shared') await server(role, Number(rest[0] ?? 5000))
else for (const way of ['plain', 'shared', 'plain', 'shared']) await run(way)

async function run(way: string): Promise<void> {
  await new Promise((resolve) => fork(self, [way], { execArgv: ['--expose-gc'] }).once('exit', resolve))
}

async function server(way: 'plain' | 'shared', idle: number): Promise<void> {
  const listener = createTcpListener({ address: '127.0.0.1:0', backlog: 4096, sharedReads: way === 'shared' })
  let reads = 0
  let bytes = 0
  let open = 0
  class Handler {
    readonly transport: Transport
    constructor(transport: Transport) {
      this.transport = transport
      open += 1
    }
    data(chunk: Buffer): void {
      reads += 1
      bytes += chunk.length
    }
    drain(): void {}
    closed(): void {
      open -= 1
    }
  }
  await listener.start({ log: silent, accept: (transport) => new Handler(transport) })
  const child = fork(self, ['client', listener.address.split(':')[1]], { execArgv: [] })
  const ask = (job: string, count: number): Promise<unknown> => {
    child.send({ job, count })
    return new Promise((resolve) => child.once('message', resolve))
  }
  const settle = async (): Promise<number> => {
    for (let turn = 0; turn < 3; turn += 1) {
      global.gc?.()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return process.memoryUsage.rss()
  }

  await ask('open', 500)
  await ask('close', 0)
  const before = await settle()
  const heapBefore = process.memoryUsage()
  await ask('open', idle)
  await ask('touch', 0)
  while (open < idle) await new Promise((resolve) => setTimeout(resolve, 20))
  const after = await settle()
  const heapAfter = process.memoryUsage()
  const per = (from: number, to: number): string => ((to - from) / idle).toFixed(0)
  console.log(
    `${way}: ${idle} idle: ${per(before, after)} B of RSS each (heap ${per(heapBefore.heapUsed, heapAfter.heapUsed)}, external ${per(heapBefore.external, heapAfter.external)})`,
  )
  await ask('close', 0)

  for (const [job, count] of [
    ['small', 200_000],
    ['small', 200_000],
    ['bulk', 1500],
    ['bulk', 1500],
  ] as const) {
    await ask('open', 50)
    reads = 0
    bytes = 0
    const cpu = process.cpuUsage()
    await ask(job, count)
    while (open > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const used = process.cpuUsage(cpu)
    const total = used.user + used.system
    console.log(
      `${way}: ${job}: ${reads} reads, ${(bytes / 1e6).toFixed(1)} MB, ${(total / reads).toFixed(2)} us of CPU per read (user ${(used.user / reads).toFixed(2)}), ${(total / (bytes / 1e6)).toFixed(0)} us per MB; RSS ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
    )
  }
  child.disconnect()
  await listener.stop()
}

async function client(port: number): Promise<void> {
  let sockets: Socket[] = []
  const open = async (count: number): Promise<void> => {
    for (let start = 0; start < count; start += 100) {
      const batch = Array.from({ length: Math.min(100, count - start) }, () =>
        connect({ port, host: '127.0.0.1', noDelay: true }),
      )
      await Promise.all(batch.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
      sockets.push(...batch)
    }
  }
  const close = async (): Promise<void> => {
    const ends = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of sockets) socket.end()
    for (const socket of sockets) socket.resume()
    await Promise.all(ends)
    sockets = []
  }
  process.on('message', async ({ job, count }: { job: string; count: number }) => {
    if (job === 'open') await open(count)
    if (job === 'close') await close()
    if (job === 'touch') for (const socket of sockets) socket.write(Buffer.alloc(40))
    if (job === 'small') {
      const message = Buffer.alloc(48)
      for (let sent = 0; sent < count; ) {
        for (const socket of sockets) {
          socket.write(message)
          sent += 1
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      await close()
    }
    if (job === 'bulk') {
      const block = Buffer.alloc(262144)
      for (let sent = 0; sent < count; sent += 10) {
        await Promise.all(sockets.slice(0, 10).map((socket) => new Promise((resolve) => socket.write(block, resolve))))
      }
      await close()
    }
    process.send?.('done')
  })
}
