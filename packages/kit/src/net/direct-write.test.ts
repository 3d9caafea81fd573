import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Logger } from '@hookmq/api'
import { canWriteDirectly } from './direct-write.ts'
import { SocketTransport } from './socket-transport.ts'

const skip = process.platform === 'win32' ? 'never on Windows' : false
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger

async function pair(t: TestContext): Promise<{ client: Socket; socket: Socket; transport: SocketTransport }> {
  assert.equal(await canWriteDirectly(), true, 'this Node takes direct writes')
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const accepted = once(server, 'connection')
  const client = connect(address.port, '127.0.0.1')
  client.on('error', () => {})
  const [socket] = (await accepted) as [Socket]
  t.after(() => {
    client.destroy()
    socket.destroy()
    server.close()
  })
  return { client, socket, transport: transportOf(socket) }
}

function transportOf(socket: Socket): SocketTransport {
  const origin = {
    socketType: 'tcp',
    listener: 'tcp:test',
    protocol: 'mqtt',
    log: silent,
    closedReason: 'tcp_closed',
    defersWrites: false,
    writesDirectly: true,
    released: () => {},
  }
  const endpoints = { peerhost: '127.0.0.1', peerport: 1, sockhost: '127.0.0.1', sockport: 2 }
  return new SocketTransport(socket, origin, endpoints)
}

test('writes of all sizes to a client that stops and goes: all bytes in order, before the end', {
  skip,
}, async (t) => {
  const { client, socket, transport } = await pair(t)
  let drained = 0
  transport.handle({
    data() {},
    drain() {
      drained++
      assert.equal(transport.bufferedBytes, 0)
    },
    closed() {},
  })
  const total = 24 * 1024 * 1024
  let received = 0
  client.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 997) assert.equal(chunk[at], (received + at) % 251)
    received += chunk.length
    if (received % 7 === 0) {
      client.pause()
      setTimeout(() => client.resume(), 1)
    }
  })
  client.pause()
  let queued = 0
  let streamed = 0
  for (let sent = 0, round = 0; sent < total; round++) {
    const size = Math.min(total - sent, [1, 60, 5000, 70_000, 1_500_000][round % 5])
    const bytes = Buffer.alloc(size)
    for (let at = 0; at < size; at++) bytes[at] = (sent + at) % 251
    const before = transport.bufferedBytes
    transport.write(bytes)
    const after = transport.bufferedBytes
    assert.ok(after <= before + size, 'no more waits than was written')
    // What went out at once is the caller's again.
    if (after === 0) bytes.fill(255)
    else queued++
    if (socket.writableLength > 0) streamed++
    sent += size
    if (round === 40) client.resume()
    if (round % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(queued > 0 && streamed > 0, 'the system did not take it all')
  transport.end()
  const until = performance.now() + 20_000
  while (received < total && performance.now() < until) {
    client.resume()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(received, total)
  assert.ok(drained <= 1, 'no drain after the end')
})

test('large writes to another process that reads all the time', { skip }, async (t) => {
  assert.equal(await canWriteDirectly(), true)
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  // The system takes the rest of a write at a second attempt, now and then: then the write is over, and its request is not.
  const reader = spawn(process.execPath, [
    '--input-type=commonjs',
    '-e',
    `let n = 0; require('net').connect(${port}, '127.0.0.1').on('data', (b) => { n += b.length }).on('end', () => console.log(n))`,
  ])
  const [socket] = (await accepted) as [Socket]
  t.after(() => {
    socket.destroy()
    server.close()
    reader.kill()
  })
  const transport = transportOf(socket)
  let drained = (): void => {}
  transport.handle({ data() {}, drain: () => drained(), closed() {} })
  const bytes = Buffer.alloc(300_000, 'x')
  const count = 2000
  for (let round = 0; round < count; round++) {
    const size = 1000 + (round % 300) * 1000
    transport.write(bytes.subarray(0, size))
    if (transport.bufferedBytes > 0)
      await new Promise<void>((resolve) => {
        drained = resolve
      })
    else if (round % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  transport.end()
  const [text] = await once(reader.stdout, 'data')
  const sent = Array.from({ length: count }, (_, round) => 1000 + (round % 300) * 1000)
  assert.equal(
    Number(text),
    sent.reduce((sum, size) => sum + size, 0),
  )
})

test('small writes cost the stream of the socket nothing', { skip }, async (t) => {
  const { client, socket, transport } = await pair(t)
  let streamed = 0
  const { write } = socket
  socket.write = ((...args: Parameters<typeof write>) => {
    streamed++
    return write.apply(socket, args)
  }) as typeof write
  let text = ''
  client.on('data', (chunk) => {
    text += chunk.toString()
  })
  for (let index = 0; index < 100; index++) transport.write(Buffer.from(`${index},`))
  assert.equal(transport.bufferedBytes, 0)
  transport.end()
  await once(client, 'end')
  assert.equal(text, Array.from({ length: 100 }, (_, index) => `${index},`).join(''))
  assert.equal(streamed, 0)
})

for (const waiting of [false, true]) {
  test(`the client is gone ${waiting ? 'while bytes wait' : 'before a write'}: the reason is told once`, {
    skip,
  }, async (t) => {
    const { client, transport } = await pair(t)
    const closed = new Promise<string>((resolve, reject) => {
      let told = false
      const handler = {
        data() {},
        drain: () => reject(new Error('drained')),
        closed(reason: string) {
          if (told) reject(new Error('told twice'))
          told = true
          resolve(reason)
        },
      }
      transport.handle(handler)
    })
    client.pause()
    if (waiting) {
      const piece = Buffer.alloc(1024 * 1024)
      while (transport.bufferedBytes === 0) transport.write(piece)
    }
    client.resetAndDestroy()
    await once(client, 'close')
    const writing = setInterval(() => transport.write(Buffer.from('x')), 1)
    t.after(() => clearInterval(writing))
    assert.match(await closed, /^(epipe|econnreset)$/)
    transport.write(Buffer.from('x'))
    assert.equal(transport.bufferedBytes, 0)
  })
}
