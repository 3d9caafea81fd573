import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { createServer, get, type IncomingMessage } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { after, describe, test } from 'node:test'
import { RecordingHost, TestAuthority, until } from '@hookmq/api/testing'
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws'
import { attachWs, createWsListener, type WsListener, type WsListenerOptions } from './index.ts'

const authority = new TestAuthority()
after(() => authority.remove())
const files = authority.issue('/CN=localhost')

type Open = (protocols?: string | string[], path?: string, options?: ClientOptions) => Promise<WebSocket>

/** Opens a WebSocket, or rejects with the status of the answer. */
async function dial(
  url: string,
  protocols: string | string[] = 'mqtt',
  options: ClientOptions = {},
): Promise<WebSocket> {
  const socket = new WebSocket(url, protocols, options)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.on('unexpected-response', (_request, response: IncomingMessage) =>
      reject(new Error(`status ${response.statusCode}`)),
    )
    socket.once('error', reject)
  })
  socket.on('error', () => {})
  return socket
}

async function withListener(
  options: Partial<WsListenerOptions>,
  use: (listener: WsListener, host: RecordingHost, open: Open) => Promise<void>,
): Promise<void> {
  const host = new RecordingHost()
  const listener = createWsListener({ name: 'external', address: '127.0.0.1:0', ...options })
  const sockets: WebSocket[] = []
  await listener.start(host)
  try {
    await use(listener, host, async (protocols, path = '/mqtt', more) => {
      const scheme = options.tls === undefined ? 'ws' : 'wss'
      const socket = await dial(`${scheme}://${listener.address}${path}`, protocols, more)
      sockets.push(socket)
      return socket
    })
  } finally {
    for (const socket of sockets) socket.terminate()
    host.destroy()
    await listener.stop()
  }
}

describe('the handshake', () => {
  test('the subprotocol that is answered is mqtt [MQTT-6.0.0-3] [MQTT-6.0.0-4]', async () => {
    await withListener({}, async (_listener, _host, open) => {
      assert.equal((await open('mqtt')).protocol, 'mqtt')
      assert.equal((await open(['other', 'mqttv3.1', 'mqtt'])).protocol, 'mqtt')
      assert.equal((await open('mqttv3.1')).protocol, 'mqttv3.1')
      await assert.rejects(open('other'), /status 400/)
      await assert.rejects(open([]), /status 400/)
    })
  })

  test('without the check a client that offers nothing is let in', async () => {
    await withListener({ failIfNoSubprotocol: false }, async (_listener, _host, open) => {
      assert.equal((await open([])).protocol, '')
      assert.equal((await open('mqtt')).protocol, 'mqtt')
    })
  })

  test('only the path is served, a query is not looked at', async () => {
    await withListener({ mqttPath: '/broker' }, async (_listener, _host, open) => {
      await open('mqtt', '/broker')
      await open('mqtt', '/broker?token=1')
      for (const path of ['/', '/mqtt', '/broker/', '/broker/x', '/Broker']) {
        await assert.rejects(open('mqtt', path), /status 404/)
      }
    })
  })

  test('a browser that opens the address reads what it is', async () => {
    await withListener({}, async (listener) => {
      const [response] = (await once(get(`http://${listener.address}/mqtt`), 'response')) as [IncomingMessage]
      assert.equal(response.statusCode, 426)
      response.resume()
      await once(response, 'end')
    })
  })

  test('what is no HTTP, and what never comes: closed and counted', async () => {
    await withListener({ handshakeTimeout: 30 }, async (listener, host) => {
      for (const bytes of ['\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00', '', 'GET /mqtt HTTP/1.1\r\nHost: x\r\n']) {
        const socket = connectTcp(Number(listener.address.split(':')[1]), '127.0.0.1').on('error', () => {})
        socket.resume()
        socket.write(bytes)
        await once(socket, 'close')
      }
      await until(() => listener.currentConnections === 0 && listener.refused.handshake === 3, 'all are counted')
      assert.equal(host.connections.length, 0)
    })
  })

  test('a PROXY protocol header before it, in one piece with it', async () => {
    await withListener({ proxyProtocol: true }, async (listener, host) => {
      const socket = connectTcp(Number(listener.address.split(':')[1]), '127.0.0.1')
      socket.write(
        'PROXY TCP4 10.9.8.7 10.0.0.1 4321 8083\r\nGET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
      )
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.match(answer.toString(), /^HTTP\/1\.1 101 /)
      const { peerhost, peerport, sockport } = host.connections[0].transport
      assert.deepEqual([peerhost, peerport, sockport], ['10.9.8.7', 4321, 8083])
      socket.destroy()
      await until(() => listener.currentConnections === 0, 'it is gone')
    })
  })
})

describe('frames', () => {
  test('packets may span frames and share them [MQTT-6.0.0-2]', async () => {
    await withListener({}, async (_listener, host, open) => {
      const socket = await open()
      socket.send(Buffer.from('ab'))
      socket.send(Buffer.from('c'), { fin: false })
      socket.send(Buffer.from(''), { fin: false })
      socket.send(Buffer.from('d'), { fin: true })
      socket.send(Buffer.alloc(0))
      socket.send(Buffer.from('efg'))
      await until(() => host.connections[0]?.text === 'abcdefg', 'all bytes')
    })
  })

  test('a text frame closes the connection with 1003 [MQTT-6.0.0-1]', async () => {
    await withListener({}, async (_listener, host, open) => {
      const socket = await open()
      socket.send('text')
      socket.send(Buffer.from('after'))
      const [code] = await once(socket, 'close')
      assert.equal(code, 1003)
      await until(() => host.connections[0].reasons.length === 1, 'the close')
      assert.equal(host.connections[0].text, '')
      assert.deepEqual(host.connections[0].reasons, ['ws_error'])
    })
  })

  test('what is sent is one binary frame per write [MQTT-6.0.0-1]', async () => {
    await withListener({}, async (_listener, host, open) => {
      const socket = await open()
      await until(() => host.connections.length === 1, 'the connection')
      host.connections[0].transport.write(Buffer.from('several packets'))
      const [data, isBinary] = await once(socket, 'message')
      assert.equal(String(data), 'several packets')
      assert.equal(isBinary, true)
    })
  })

  test('a message beyond the bound closes the connection with 1009', async () => {
    await withListener({ maxFrameSize: 1000 }, async (_listener, host, open) => {
      const whole = await open()
      whole.send(Buffer.alloc(1000))
      await until(() => host.connections[0].text.length === 1000, 'the largest')
      whole.send(Buffer.alloc(1001))
      assert.equal((await once(whole, 'close'))[0], 1009)
      const pieces = await open()
      for (let index = 0; index < 10; index += 1) pieces.send(Buffer.alloc(150), { fin: false })
      assert.equal((await once(pieces, 'close'))[0], 1009)
      await until(() => host.connections.every((connection) => connection.reasons.length === 1), 'the closes')
      assert.deepEqual(host.connections[1].reasons, ['ws_error'])
    })
  })

  test('an unmasked frame closes the connection', async () => {
    await withListener({}, async (_listener, host, open) => {
      const socket = await open()
      const { _socket: below } = socket as WebSocket & { _socket: { write(bytes: Buffer): void } }
      below.write(Buffer.from([0x82, 0x01, 0x61]))
      await until(() => host.connections[0]?.reasons.length === 1, 'the close')
      assert.deepEqual([host.connections[0].text, host.connections[0].reasons[0]], ['', 'ws_error'])
    })
  })

  test('compression is not offered', async () => {
    await withListener({}, async (_listener, _host, open) => {
      assert.equal((await open('mqtt', '/mqtt', { perMessageDeflate: true })).extensions, '')
    })
  })

  test('a ping is answered', async () => {
    await withListener({}, async (_listener, _host, open) => {
      const socket = await open()
      socket.ping('x')
      assert.equal(String((await once(socket, 'pong'))[0]), 'x')
    })
  })
})

describe('wss', () => {
  const tls = { ...files, ca: authority.ca, verify: 'verify_peer', failIfNoPeerCert: true } as const
  const ca = readFileSync(authority.ca)

  test('client certificates are required and named', async () => {
    const client = authority.issue('/O=Acme/CN=device-2')
    await withListener({ tls }, async (listener, host, open) => {
      assert.equal(listener.id, 'wss:external')
      await open('mqtt', '/mqtt', { ca, cert: readFileSync(client.cert), key: readFileSync(client.key) })
      assert.deepEqual(host.connections[0].transport.peerCertificate, {
        commonName: 'device-2',
        subject: 'CN=device-2,O=Acme',
      })
      assert.equal(host.connections[0].transport.socketType, 'wss')
      await assert.rejects(open('mqtt', '/mqtt', { ca }))
      assert.equal(host.connections.length, 1)
    })
  })

  test('certificates are read again without a restart', async () => {
    const live = authority.issue('/CN=first')
    await withListener({ tls: live }, async (listener, _host, open) => {
      const nameOf = async (): Promise<unknown> => {
        const socket = await open('mqtt', '/mqtt', { ca })
        const { _socket: below } = socket as WebSocket & {
          _socket: { getPeerCertificate(): { subject: { CN: string } } }
        }
        return below.getPeerCertificate().subject.CN
      }
      assert.equal(await nameOf(), 'first')
      const second = authority.issue('/CN=second')
      copyFileSync(second.cert, live.cert)
      copyFileSync(second.key, live.key)
      listener.reloadCertificates()
      assert.equal(await nameOf(), 'second')
    })
  })
})

describe('attachWs', () => {
  test('serves one path of a server and leaves its other upgrades and requests alone', async () => {
    const server = createServer((_request, response) => response.end('page'))
    const others = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/chat') others.handleUpgrade(request, socket, head, (chat) => chat.send('welcome'))
    })
    const host = new RecordingHost()
    const attachment = attachWs(server, host, { name: 'mine', maxConnections: 1, mountpoint: 'm/' })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const base = `127.0.0.1:${(server.address() as { port: number }).port}`

    const mqtt = await dial(`ws://${base}/mqtt`)
    mqtt.send(Buffer.from('hi'))
    assert.equal(String((await once(mqtt, 'message'))[0]), 'hi')
    const { transport } = host.connections[0]
    assert.deepEqual([transport.listener, transport.socketType, transport.mountpoint], ['ws:mine', 'ws', 'm/'])
    assert.equal(attachment.currentConnections, 1)
    await assert.rejects(dial(`ws://${base}/mqtt`), /status 503/)
    assert.equal(attachment.refused.maxConnections, 1)

    const chat = new WebSocket(`ws://${base}/chat`)
    assert.equal(String((await once(chat, 'message'))[0]), 'welcome')
    const [response] = (await once(get(`http://${base}/`), 'response')) as [IncomingMessage]
    assert.equal(response.statusCode, 200)
    response.resume()

    mqtt.close()
    await until(() => attachment.currentConnections === 0 && host.connections[0].reasons.length === 1, 'the close')
    assert.deepEqual(host.connections[0].reasons, ['ws_closed'])
    attachment.detach()
    chat.terminate()
    server.close()
    server.closeAllConnections()
  })

  test('answers other paths when nobody else does', async () => {
    const server = createServer()
    attachWs(server, new RecordingHost())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await assert.rejects(dial(`ws://127.0.0.1:${(server.address() as { port: number }).port}/x`), /status 404/)
    server.close()
    server.closeAllConnections()
  })
})
