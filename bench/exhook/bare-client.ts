/** Unary calls with nothing but @grpc/grpc-js, 64 at a time: what the broker's calls are measured by. `node bare-client.ts ADDRESS SECONDS` */
import { Client, credentials } from '@grpc/grpc-js'
import { create, exhookPath, toBinary, v3 } from '@hookmq/exhook-proto'

const [address, seconds] = process.argv.slice(2)
const request = create(v3.MessagePublishRequestSchema, {
  message: { topic: 'bench/1', payload: Buffer.alloc(256, 'x'), from: 'flood-1', id: '0'.repeat(32) },
  meta: { node: 'hookmq@127.0.0.1', version: '0.1.0', sysdescr: 'HookMQ', clusterName: 'emqxcl' },
})
const bytes = Buffer.from(toBinary(v3.MessagePublishRequestSchema, request))
const client = new Client(address, credentials.createInsecure())
const path = exhookPath('v3', 'OnMessagePublish')
const asIs = (value: Buffer): Buffer => value
let calls = 0
const began = performance.now() + 2000
const end = began + Number(seconds) * 1000
const loop = async (until: number): Promise<void> => {
  while (performance.now() < until) {
    await new Promise((resolve) =>
      client.makeUnaryRequest(path, asIs, asIs, bytes, { deadline: Date.now() + 5000 }, resolve),
    )
    calls++
  }
}
const together = (until: number) => Promise.all(Array.from({ length: 64 }, () => loop(until)))
// The compilers have their time before, as they have with the broker.
await together(began)
process.send?.('warm')
calls = 0
const before = process.cpuUsage()
await together(end)
const { user, system } = process.cpuUsage(before)
process.send?.({ rate: calls / Number(seconds), cpu: (user + system) / calls })
process.disconnect()
