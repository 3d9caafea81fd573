/**
 * How an event gets to a worker and its answer back: which way costs the broker's thread least? Batches of 64 messages with 256 bytes of payload, 1024 in
 * flight; the worker reads every field and answers with a number each.
 *
 * - clone: each batch is a list of objects, copied by structured clone
 * - copied frames: one block of bytes for each batch, copied by structured clone
 * - moved frames: the same, its memory handed over
 * - shared frames: the same, written into memory that both threads see, and copied out of it by the worker
 */
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { Decoder, Encoder } from '../src/plugins/worker/codec.ts'
import { FrameReader } from '../src/plugins/worker/reader.ts'
import { FrameWriter } from '../src/plugins/worker/writer.ts'

type Way = 'clone' | 'copied frames' | 'moved frames' | 'shared frames'

const batch = 64
const window = 1024
const total = Number(process.env.MESSAGES ?? 500_000)
const rounds = 3
const slotBytes = 64 * 1024
const slots = window / batch

const client = { clientId: 'device-17', username: 'ann', peerhost: '127.0.0.1', attributes: {} }
const headers = { username: 'ann', protocol: 'mqtt', peerhost: '127.0.0.1' }
const source = Buffer.alloc(256, 'x')

function message(index: number): Record<string, unknown> {
  return {
    id: '000660DF5AD34280AC282FAA8CD40004',
    topic: `factory/${index % 16}/temperature`,
    payload: source,
    qos: 0,
    retain: false,
    dup: false,
    from: 'device-17',
    timestamp: 1_790_000_000_000 + index,
    properties: {},
    headers,
  }
}

/** What the worker does with an event: looks at all of it. */
function look(event: Record<string, unknown>): number {
  return (event.payload as Uint8Array)[0] + (event.topic as string).length + (event.qos as number)
}

function work(port: MessagePort, way: Way, shared: SharedArrayBuffer): void {
  const decoder = new Decoder()
  port.on('message', (sent: unknown) => {
    const answers: number[] = []
    if (way === 'clone') {
      for (const { payloadOf } of sent as { payloadOf: Record<string, unknown> }[]) answers.push(look(payloadOf))
    } else {
      const frame =
        way === 'shared frames'
          ? Buffer.from(new Uint8Array(shared, ...(sent as [number, number])))
          : (sent as Uint8Array)
      const reader = new FrameReader(frame)
      while (!reader.done) answers.push(look((decoder.value(reader) as [unknown, Record<string, unknown>])[1]))
    }
    port.postMessage(answers)
  })
}

async function measure(way: Way): Promise<void> {
  const shared = new SharedArrayBuffer(slots * slotBytes)
  const worker = new Worker(new URL(import.meta.url), { workerData: { way, shared } })
  const writer = new FrameWriter(slotBytes)
  const encoder = new Encoder(writer)
  let slot = 0
  const send = (from: number): void => {
    if (way === 'clone') {
      // A view would be cloned with all of the memory that it is a view on.
      const events = Array.from({ length: batch }, (_, index) => {
        const payloadOf = message(from + index)
        return { client, payloadOf: { ...payloadOf, payload: new Uint8Array(payloadOf.payload as Uint8Array) } }
      })
      worker.postMessage(events)
      return
    }
    for (let index = 0; index < batch; index++) {
      encoder.begin()
      encoder.value([client, message(from + index)])
    }
    const frame = writer.take()
    if (way === 'moved frames') worker.postMessage(frame, [frame.buffer])
    else if (way === 'copied frames') worker.postMessage(frame)
    else {
      const at = slot++ % slots
      new Uint8Array(shared, at * slotBytes, frame.length).set(frame)
      worker.postMessage([at * slotBytes, frame.length])
    }
  }
  const run = (): Promise<void> =>
    new Promise((resolve) => {
      let sent = 0
      let answered = 0
      const fill = (): void => {
        for (; sent < total && sent - answered < window; sent += batch) send(sent)
      }
      const receive = (answers: readonly number[]): void => {
        answered += answers.length
        fill()
        if (answered < sent || sent < total) return
        worker.off('message', receive)
        resolve()
      }
      worker.on('message', receive)
      fill()
    })
  await run()
  let best = { rate: 0, thread: 0, all: 0 }
  for (let round = 0; round < rounds; round++) {
    const [started, thread, all] = [performance.now(), process.threadCpuUsage(), process.cpuUsage()]
    await run()
    const rate = (total / (performance.now() - started)) * 1000
    const inThread = process.threadCpuUsage(thread)
    const inAll = process.cpuUsage(all)
    if (rate > best.rate)
      best = { rate, thread: (inThread.user + inThread.system) / total, all: (inAll.user + inAll.system) / total }
  }
  console.log(
    `${way.padEnd(16)} ${Math.round(best.rate).toLocaleString('en').padStart(9)} messages/s  ${best.all.toFixed(2)} us CPU each, ${best.thread.toFixed(2)} of it in the broker's thread`,
  )
  await worker.terminate()
}

if (isMainThread) {
  for (const way of ['clone', 'copied frames', 'moved frames', 'shared frames'] as const) await measure(way)
} else {
  const { way, shared } = workerData as { way: Way; shared: SharedArrayBuffer }
  if (parentPort !== null) work(parentPort, way, shared)
}
