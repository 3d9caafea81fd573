/** So many messages of 256 B a second from 10 publishers to one subscriber, and how long each took. `node steady.ts PORT RATE` */

import { writePublish } from '@hookmq/mqtt'
import { LoadClient } from '../load/client.ts'

const [port, rate] = process.argv.slice(2).map(Number)
const times: number[] = []
let received = 0
const subscriber = new LoadClient(port, 4)
await subscriber.connect('steady-subscriber')
await subscriber.subscribe('steady/#', 0)
subscriber.onPublish = (frame) => {
  received++
  if (times.length < 2_000_000) times.push(performance.now() - frame.buffer.readDoubleLE(frame.payloadStart))
}
const publishers = await Promise.all(
  Array.from({ length: 10 }, async (_, index) => {
    const client = new LoadClient(port, 4)
    await client.connect(`steady-${index}`)
    return client
  }),
)
const topics = publishers.map((_, index) => Buffer.from(`steady/${index}`))
let sent = 0
const payload = Buffer.alloc(256, 'x')
const began = performance.now()
setInterval(() => {
  const due = ((performance.now() - began) / 1000) * rate
  for (; sent < due; sent++) {
    payload.writeDoubleLE(performance.now(), 0)
    const one = sent % publishers.length
    writePublish(publishers[one].writer, topics[one], payload, 0, false, false, 0, undefined, 4)
  }
}, 1)
process.on('message', () => {
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]
  process.send?.({ received, p50: at(0.5), p99: at(0.99), cpu: process.cpuUsage() })
  times.length = 0
})
process.on('disconnect', () => process.exit())
