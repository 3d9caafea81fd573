import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { RecordingHost, until } from '@hookmq/api/testing'
import { attachTcp, createTcpListener } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-bind-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const host = new RecordingHost()

async function refusal(address: string): Promise<string> {
  const listener = createTcpListener({ name: 'external', address })
  const error = await listener.start(host).then(
    () => undefined,
    (error: Error) => error,
  )
  await listener.stop()
  assert.ok(error, `${address} should not be possible`)
  assert.doesNotMatch(error.message, /\n/)
  return error.message
}

describe('an address that cannot be', () => {
  test('a port in use: names it, and the key that chooses another', async () => {
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    assert.equal(
      await refusal(`127.0.0.1:${port}`),
      `listener tcp:external: port ${port} on 127.0.0.1 is in use; stop the other program or choose another port with --set listener.tcp.external=127.0.0.1:${port + 1}`,
    )
    other.close()
  })

  test('an address of another machine', async () => {
    assert.match(
      await refusal('192.0.2.1:0'),
      /^listener tcp:external: 192\.0\.2\.1 is not an address of this machine; /,
    )
  })

  test('a path that is too long', async () => {
    const path = join(folder, 'x'.repeat(120))
    assert.equal(
      await refusal(path),
      `listener unix:external: the socket path ${path} has ${path.length} bytes, the system takes 107; choose a shorter one`,
    )
  })

  test('a folder that is not there', async () => {
    assert.match(await refusal(join(folder, 'none', 'x.sock')), /the folder of the socket .* does not exist/)
  })

  test('a file that is no socket stays', async () => {
    const path = join(folder, 'precious')
    writeFileSync(path, 'data')
    assert.match(await refusal(path), /exists and is not a socket/)
    assert.ok(existsSync(path))
  })
})

describe('Unix socket', () => {
  test('a file that a killed program left is replaced', async () => {
    const path = join(folder, 'stale.sock')
    const module = join(folder, 'killed.mjs')
    writeFileSync(
      module,
      `import { createServer } from 'node:net'\ncreateServer().listen(${JSON.stringify(path)}, () => process.send('up'))`,
    )
    const child = fork(module)
    await once(child, 'message')
    assert.match(await refusal(path), /another program listens on /)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.ok(statSync(path).isSocket())
    const listener = createTcpListener({ address: path })
    await listener.start(host)
    const socket = connect(path)
    socket.write('x')
    await once(socket, 'data')
    socket.destroy()
    await listener.stop()
    assert.equal(existsSync(path), false)
  })

  test('the file gets its mode', async () => {
    const path = join(folder, 'mode.sock')
    const listener = createTcpListener({ address: { path, mode: 0o600 } })
    await listener.start(host)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(listener.address, path)
    await listener.stop()
  })
})

test('reads of all connections share one buffer', async () => {
  const buffers = new Set<ArrayBufferLike>()
  const sharing = new RecordingHost((_connection, chunk) => buffers.add(chunk.buffer))
  const listener = createTcpListener({ address: '127.0.0.1:0' })
  await listener.start(sharing)
  const sockets: Socket[] = []
  for (let index = 0; index < 5; index += 1) {
    const socket = connect(Number(listener.address.split(':')[1]), '127.0.0.1')
    sockets.push(socket)
    socket.write(String(index))
    await until(() => sharing.connections[index]?.text === String(index), 'the byte')
  }
  assert.equal(buffers.size, 1)
  for (const socket of sockets) socket.destroy()
  sharing.destroy()
  await listener.stop()
})

describe('attachTcp', () => {
  async function listening(server: Server): Promise<number> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as { port: number }).port
  }

  for (const pauseOnConnect of [false, true]) {
    test(`serves the connections of a server, ${pauseOnConnect ? 'paused or not' : 'and leaves it to its owner'}`, async () => {
      const own = new RecordingHost()
      const server = createServer({ pauseOnConnect })
      const port = await listening(server)
      const attachment = attachTcp(server, own, { name: 'mine', maxConnections: 1 })
      const socket = connect(port, '127.0.0.1')
      socket.write('hi')
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.equal(answer.toString(), 'hi')
      assert.equal(own.connections[0].transport.listener, 'tcp:mine')
      assert.equal(attachment.currentConnections, 1)
      const second = connect(port, '127.0.0.1')
      second.on('error', () => {})
      second.resume()
      await once(second, 'close')
      assert.equal(attachment.refused.maxConnections, 1)
      attachment.detach()
      const seen = once(server, 'connection') as Promise<[Socket]>
      const third = connect(port, '127.0.0.1')
      const [left] = await seen
      assert.equal(own.connections.length, 1)
      socket.end()
      await until(() => own.connections[0].reasons.length === 1, 'the close')
      for (const open of [third, left]) open.destroy()
      server.close()
      await once(server, 'close')
    })
  }
})
