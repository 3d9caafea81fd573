/** Publishes 256 B at QoS 0 as fast as the broker reads. `node flood.ts PORT CLIENTS` */
import { connect } from 'node:net'
import { ByteWriter, encodePacket, writePublish } from '@hookmq/mqtt'

const [port, clients] = process.argv.slice(2).map(Number)
const payload = Buffer.alloc(256, 'x')
for (let index = 0; index < clients; index++) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const writer = new ByteWriter(65_536)
  encodePacket(
    writer,
    {
      type: 'connect',
      protocolName: 'MQTT',
      protocolVersion: 4,
      bridge: false,
      cleanStart: true,
      keepAlive: 0,
      clientId: `flood-${index}`,
      properties: {},
    },
    4,
  )
  socket.write(writer.copy())
  writer.reset()
  const topic = Buffer.from(`bench/${index}`)
  for (let count = 0; count < 64; count++) writePublish(writer, topic, payload, 0, false, false, 0, undefined, 4)
  const block = writer.copy()
  const flood = (): void => {
    while (socket.write(block));
  }
  socket.once('data', flood)
  socket.on('drain', flood)
}
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
process.on('disconnect', () => process.exit())
