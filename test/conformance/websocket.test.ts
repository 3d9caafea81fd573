import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { startBroker } from '../support/broker.ts'
import { hex, toHex } from '../support/hex.ts'
import { startWs } from '../support/listeners.ts'
import { until } from '../support/wait.ts'

interface Socket {
  socket: WebSocket
  received(): string
  isBinary(): boolean
}

/** Node's own WebSocket client. */
async function open(t: TestContext): Promise<Socket> {
  const broker = await startBroker(t)
  const { port } = await startWs(t, broker)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, ['mqtt'])
  socket.binaryType = 'arraybuffer'
  t.after(() => socket.close())
  const frames: unknown[] = []
  socket.addEventListener('message', ({ data }) => frames.push(data))
  await once(socket, 'open')
  const chunks = () => frames.filter((frame) => frame instanceof ArrayBuffer).map((frame) => Buffer.from(frame))
  return {
    socket,
    received: () => toHex(Buffer.concat(chunks())),
    isBinary: () => chunks().length === frames.length,
  }
}

const connect = hex("10 0f 0004'MQTT' 04 02 0000 0003'abc'")
const expected = '20 02 00 00 d0 00'

test('the subprotocol is mqtt [MQTT-6.0.0-4] [MQTT-6.0.0-4 v3.1.1]', async (t) => {
  const { socket } = await open(t)
  assert.equal(socket.protocol, 'mqtt')
})

test('packets split and joined across frames; the broker sends binary frames [MQTT-6.0.0-1] [MQTT-6.0.0-2] [MQTT-6.0.0-1 v3.1.1] [MQTT-6.0.0-2 v3.1.1]', async (t) => {
  const { socket, received, isBinary } = await open(t)
  const bytes = Buffer.concat([connect, hex('c0 00')])
  for (const byte of bytes.subarray(0, 5)) socket.send(Buffer.from([byte]))
  socket.send(bytes.subarray(5))
  await until(() => received() === expected, expected)
  assert.ok(isBinary())
})

test('a text frame ends the connection [MQTT-6.0.0-1] [MQTT-6.0.0-1 v3.1.1]', async (t) => {
  const { socket, received } = await open(t)
  socket.send(connect)
  await until(() => received() === '20 02 00 00', 'CONNACK')
  const closed = once(socket, 'close')
  socket.send('text')
  await closed
})

test('TCP and WebSocket are ordered, lossless streams [MQTT-4.2-1] [MQTT-7.1.1-1 v3.1.1]', async (t) => {
  const { socket, received } = await open(t)
  const subscribe = hex("82 06 0001 0001'#' 00")
  const publishes = Array.from({ length: 200 }, (_, index) =>
    hex(`30 06 0001'a' ${index.toString(16).padStart(6, '0')}`),
  )
  socket.send(Buffer.concat([connect, subscribe, ...publishes]))
  const whole = toHex(Buffer.concat([hex('20 02 00 00 90 03 0001 00'), ...publishes]))
  await until(() => received() === whole, '200 messages in order')
})
