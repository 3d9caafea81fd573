import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { RecordingHost, until } from '@hookmq/api/testing'
import { createTcpListener, type TcpListener, type TcpListenerOptions } from './index.ts'

const V2_TCP4 = Buffer.from([
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 12],
  ...[192, 168, 1, 7, 10, 0, 0, 1, 0xdc, 0x04, 0x07, 0x5b],
])

async function withListener(
  options: Partial<TcpListenerOptions>,
  use: (listener: TcpListener, host: RecordingHost, open: () => Promise<Socket>) => Promise<void>,
): Promise<void> {
  const host = new RecordingHost()
  const listener = createTcpListener({ name: 'proxied', address: '127.0.0.1:0', proxyProtocol: true, ...options })
  const sockets: Socket[] = []
  await listener.start(host)
  try {
    await use(listener, host, async () => {
      const socket = connect(Number(listener.address.split(':')[1]), '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => {})
      await once(socket, 'connect')
      return socket
    })
  } finally {
    for (const socket of sockets) socket.destroy()
    host.destroy()
    await listener.stop()
  }
}

for (const sharedReads of [true, false]) {
  describe(`PROXY protocol before MQTT, ${sharedReads ? 'one buffer for all reads' : 'a buffer per read'}`, () => {
    const pieces: [string, Buffer[]][] = [
      ['version 1', [Buffer.from('PROXY TCP4 192.168.1.7 10.0.0.1 56324 1883\r\nhello')]],
      [
        'version 1, cut',
        ['PROXY TCP4 192.168.1', '.7 10.0.0.1 56324 1883\r', '\nhel', 'lo'].map((text) => Buffer.from(text)),
      ],
      ['version 2', [V2_TCP4, Buffer.from('hello')]],
      [
        'version 2, byte by byte',
        [...Buffer.concat([V2_TCP4, Buffer.from('hello')])].map((byte) => Buffer.from([byte])),
      ],
    ]
    for (const [name, chunks] of pieces) {
      test(`${name}: the broker sees the client's address and every byte behind the header`, async () => {
        await withListener({ sharedReads }, async (_listener, host, open) => {
          const socket = await open()
          socket.setNoDelay(true)
          for (const chunk of chunks) {
            socket.write(chunk)
            await new Promise((resolve) => setImmediate(resolve))
          }
          await until(() => host.connections[0]?.text === 'hello', 'the bytes')
          const { transport } = host.connections[0]
          const { peerhost, peerport, sockhost, sockport } = transport
          assert.deepEqual([peerhost, peerport, sockhost, sockport], ['192.168.1.7', 56324, '10.0.0.1', 1883])
        })
      })
    }

    test('UNKNOWN keeps the addresses of the socket', async () => {
      await withListener({ sharedReads }, async (_listener, host, open) => {
        const socket = await open()
        socket.write('PROXY UNKNOWN\r\nx')
        await until(() => host.connections[0]?.text === 'x', 'the byte')
        assert.equal(host.connections[0].transport.peerhost, '127.0.0.1')
        assert.equal(host.connections[0].transport.peerport, socket.localPort)
      })
    })

    test('garbage, and no header in time: closed, counted, the broker hears nothing', async () => {
      await withListener({ sharedReads, proxyProtocolTimeout: 30 }, async (listener, host, open) => {
        const garbage = await open()
        garbage.resume()
        garbage.write('\x10\x0c\x00\x04MQTT')
        await once(garbage, 'close')
        const late = await open()
        late.resume()
        late.write('PROXY TCP4')
        await once(late, 'close')
        await until(() => listener.currentConnections === 0, 'both are gone')
        assert.equal(listener.refused.proxyProtocol, 2)
        assert.equal(host.connections.length, 0)
      })
    })

    test('a client that leaves within its header is forgotten', async () => {
      await withListener({ sharedReads }, async (listener, host, open) => {
        const socket = await open()
        socket.end('PROXY TCP4 1')
        await until(() => listener.currentConnections === 0, 'it is gone')
        assert.equal(host.connections.length, 0)
      })
    })
  })
}

test('the limit per address counts clients, not the proxy', async () => {
  await withListener({ maxConnectionsPerAddress: 1 }, async (listener, host, open) => {
    for (const peer of ['10.1.1.1', '10.1.1.2']) (await open()).write(`PROXY TCP4 ${peer} 10.0.0.1 1 2\r\nx`)
    await until(() => host.connections.length === 2, 'two clients')
    const third = await open()
    third.resume()
    third.write('PROXY TCP4 10.1.1.1 10.0.0.1 1 2\r\nbytes behind the header')
    await once(third, 'close')
    assert.equal(listener.refused.maxConnectionsPerAddress, 1)
    assert.equal(host.connections.length, 2)
  })
})

test('the common name of a certificate that the proxy verified', async () => {
  await withListener({}, async (_listener, host, open) => {
    const name = Buffer.from('Acme, device #1')
    const nested = Buffer.concat([Buffer.from([0x22, 0, name.length]), name])
    const ssl = Buffer.concat([Buffer.from([0x20, 0, 5 + nested.length, 0x07, 0, 0, 0, 0]), nested])
    const header = Buffer.concat([V2_TCP4, ssl])
    header.writeUInt16BE(12 + ssl.length, 14)
    const socket = await open()
    socket.write(Buffer.concat([header, Buffer.from('x')]))
    await until(() => host.connections[0]?.text === 'x', 'the byte')
    assert.deepEqual(host.connections[0].transport.peerCertificate, {
      commonName: 'Acme, device #1',
      subject: 'CN=Acme\\, device #1',
    })
  })
})
