/** A broker in a process of its own. `node broker.ts [ADDRESS STREAM]`: asks this provider; STREAM is on or off. */
import exhook from '@hookmq/provider-exhook'
import { createBroker } from 'hookmq'

const [address, stream] = process.argv.slice(2)
const config = { 'exhook.server.bench.url': `http://${address}`, 'exhook.server.bench.stream': stream }
const broker = await createBroker({
  listeners: [{ type: 'tcp' }],
  sysInterval: 0,
  plugins: address === undefined ? [] : [{ plugin: exhook, config }],
})
await broker.start()
// Until the provider is loaded and its stream is open.
await new Promise((resolve) => setTimeout(resolve, 1500))
process.send?.({ port: Number(broker.listeners[0].address.split(':').pop()) })
process.on('message', () => {
  const messages = broker.metrics()['messages.publish']
  process.send?.({ messages, cpu: process.cpuUsage(), memory: process.memoryUsage().rss })
})
process.on('disconnect', () => process.exit())
