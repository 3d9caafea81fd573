import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { RecordingHost, TestAuthority, type TestCertificate, until } from '@hookmq/api/testing'
import { createTlsListener, type TlsListener, type TlsListenerOptions } from './index.ts'

const authority = new TestAuthority()
const stranger = new TestAuthority('Somebody else')
after(() => {
  authority.remove()
  stranger.remove()
})
const server = authority.issue('/CN=localhost')
const client = authority.issue('/C=DE/O=Acme, Inc./CN=device-1')

type Open = (options?: ConnectionOptions) => Promise<TLSSocket>

async function withListener(
  options: Partial<TlsListenerOptions>,
  use: (listener: TlsListener, host: RecordingHost, open: Open) => Promise<void>,
): Promise<void> {
  const host = new RecordingHost()
  const listener = createTlsListener({ name: 'external', address: '127.0.0.1:0', tls: server, ...options })
  const sockets: Socket[] = []
  await listener.start(host)
  try {
    await use(listener, host, async (more) => {
      const port = Number(listener.address.split(':')[1])
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca: readFileSync(authority.ca),
        ...more,
      })
      sockets.push(socket)
      await once(socket, 'secureConnect')
      socket.on('error', () => {})
      return socket
    })
  } finally {
    for (const socket of sockets) socket.destroy()
    host.destroy()
    await listener.stop()
  }
}

function pair(files: TestCertificate): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(files.cert), key: readFileSync(files.key) }
}

function closeSignal(socket: TLSSocket): AbortSignal {
  const controller = new AbortController()
  socket.once('close', () => controller.abort())
  return controller.signal
}

/** Whether the server answers. With TLS 1.3 a client learns of a refused certificate after its own handshake. */
async function answers(open: Open, options: ConnectionOptions): Promise<boolean> {
  const socket = await open(options).catch(() => undefined)
  if (socket === undefined) return false
  socket.write('x')
  return await once(socket, 'data', { signal: closeSignal(socket) }).then(
    () => true,
    () => false,
  )
}

const required = { ...server, ca: authority.ca, verify: 'verify_peer', failIfNoPeerCert: true } as const

describe('client certificates', () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`required, ${maxVersion}: a good one is let in and named, a stranger's and none are not`, async () => {
      await withListener({ tls: required }, async (listener, host, open) => {
        assert.equal(await answers(open, { ...pair(client), maxVersion }), true)
        assert.deepEqual(host.connections[0].transport.peerCertificate, {
          commonName: 'device-1',
          subject: 'CN=device-1,O=Acme\\, Inc.,C=DE',
        })
        assert.equal(await answers(open, { maxVersion }), false)
        assert.equal(await answers(open, { ...pair(stranger.issue('/CN=device-1')), maxVersion }), false)
        assert.equal(host.connections.length, 1)
        await until(() => listener.refused.handshake === 2, 'both are counted')
        assert.equal(listener.currentConnections, 1)
      })
    })
  }

  test("asked for: none is let in, a good one is named, a stranger's is not let in", async () => {
    await withListener({ tls: { ...required, failIfNoPeerCert: false } }, async (_listener, host, open) => {
      assert.equal(await answers(open, {}), true)
      assert.equal(host.connections[0].transport.peerCertificate, undefined)
      assert.equal(await answers(open, pair(client)), true)
      assert.equal(host.connections[1].transport.peerCertificate?.commonName, 'device-1')
      assert.equal(await answers(open, pair(stranger.issue('/CN=device-1'))), false)
      assert.equal(host.connections.length, 2)
    })
  })

  test('subjects as RFC 2253 writes them', async () => {
    const subjects: [string, string, string][] = [
      ['/O=Acme/OU=a+CN=b', 'CN=b+OU=a,O=Acme', 'b'],
      ['/CN=1 \\+ x=2', 'CN=1 \\+ x=2', '1 + x=2'],
      ['/CN=Zoë/CN=last', 'CN=last,CN=Zoë', 'last'],
      ['/CN="q"<;>', 'CN=\\"q\\"\\<\\;\\>', '"q"<;>'],
    ]
    await withListener({ tls: required }, async (_listener, host, open) => {
      for (const [subject, text, commonName] of subjects) {
        assert.equal(await answers(open, pair(authority.issue(subject))), true)
        const certificate = host.connections.at(-1)?.transport.peerCertificate
        assert.deepEqual(certificate, { commonName, subject: text })
      }
    })
  })
})

describe('server certificates', () => {
  const nameOf = (socket: TLSSocket): string | string[] | undefined => socket.getPeerCertificate().subject.CN

  test('chosen by the name that the client asks for', async () => {
    const one = authority.issue('/CN=one', ['DNS:one.example.com'])
    const wild = authority.issue('/CN=wild', ['DNS:*.example.org'])
    const tls = { ...required, sni: { 'one.example.com': one, '*.example.org': wild } }
    await withListener({ tls }, async (_listener, host, open) => {
      for (const [servername, expected] of [
        ['localhost', 'localhost'],
        ['one.example.com', 'one'],
        ['ONE.Example.com', 'one'],
        ['any.example.org', 'wild'],
      ]) {
        const socket = await open({ servername, ...pair(client) })
        assert.equal(nameOf(socket), expected)
        socket.write('x')
        await once(socket, 'data')
        // Clients are verified whichever certificate they see.
        assert.equal(host.connections.at(-1)?.transport.peerCertificate?.commonName, 'device-1')
        assert.equal(await answers(open, { servername }), false)
      }
      const unknown = await open({
        servername: 'other.example.com',
        checkServerIdentity: () => undefined,
        ...pair(client),
      })
      assert.equal(nameOf(unknown), 'localhost')
    })
  })

  test('read again without a restart: new connections see the new one, open ones stay', async () => {
    const cert = join(authority.folder, 'live.pem')
    const key = join(authority.folder, 'live.key')
    const install = (files: TestCertificate): void => {
      copyFileSync(files.cert, cert)
      copyFileSync(files.key, key)
    }
    const named = authority.issue('/CN=named-1', ['DNS:named'])
    const sni = { cert: named.cert, key: named.key }
    install(authority.issue('/CN=first'))
    await withListener({ tls: { cert, key, sni: { named: sni } } }, async (listener, _host, open) => {
      const before = await open()
      assert.equal(nameOf(before), 'first')
      install(authority.issue('/CN=second'))
      assert.equal(nameOf(await open()), 'first')
      listener.reloadCertificates()
      assert.equal(nameOf(await open()), 'second')
      before.write('x')
      await once(before, 'data')
      const renewed = authority.issue('/CN=named-2', ['DNS:named'])
      copyFileSync(renewed.cert, named.cert)
      copyFileSync(renewed.key, named.key)
      listener.reloadCertificates()
      assert.equal(nameOf(await open({ servername: 'named' })), 'named-2')
      // A broken file changes nothing.
      writeFileSync(cert, 'broken')
      assert.throws(() => listener.reloadCertificates(), {
        message: new RegExp(`^listener ssl:external: the certificate file ${cert} `),
      })
      assert.equal(nameOf(await open()), 'second')
    })
  })

  test('an encrypted key with its password', async () => {
    const key = authority.encryptKey(server.key, 'secret word')
    await withListener(
      { tls: { cert: server.cert, key, passphrase: 'secret word' } },
      async (_listener, _host, open) => {
        assert.equal(await answers(open, {}), true)
      },
    )
  })
})

describe('the handshake', () => {
  test('versions are held', async () => {
    await withListener({ tls: { ...server, versions: ['tlsv1.2'] } }, async (_listener, _host, open) => {
      assert.equal((await open()).getProtocol(), 'TLSv1.2')
      await assert.rejects(open({ minVersion: 'TLSv1.3' }))
    })
    await withListener({ tls: { ...server, versions: ['tlsv1.3'] } }, async (_listener, _host, open) => {
      await assert.rejects(open({ maxVersion: 'TLSv1.2' }))
    })
  })

  test('ciphers are held', async () => {
    const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305'
    await withListener({ tls: { ...server, versions: ['tlsv1.2'], ciphers } }, async (_listener, _host, open) => {
      assert.equal((await open()).getCipher().name, ciphers)
      await assert.rejects(open({ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }))
    })
  })

  test('what is no TLS, and what never comes: closed and counted', async () => {
    await withListener({ handshakeTimeout: 30 }, async (listener, host) => {
      const port = Number(listener.address.split(':')[1])
      const plain = connectTcp(port, '127.0.0.1').on('error', () => {})
      plain.resume()
      plain.write('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00')
      await once(plain, 'close')
      const mute = connectTcp(port, '127.0.0.1').on('error', () => {})
      mute.resume()
      await once(mute, 'close')
      await until(() => listener.currentConnections === 0 && listener.refused.handshake === 2, 'both are counted')
      assert.equal(host.connections.length, 0)
    })
  })

  test('the time limit ends with the handshake', async (context) => {
    await withListener({ handshakeTimeout: 1000 }, async (_listener, host, open) => {
      context.mock.timers.enable({ apis: ['setTimeout'] })
      const socket = await open()
      socket.write('x')
      await once(socket, 'data')
      context.mock.timers.tick(1001)
      socket.write('x')
      await once(socket, 'data', { signal: closeSignal(socket) })
      assert.deepEqual(host.connections[0].reasons, [])
    })
  })

  for (const cut of [false, true]) {
    test(`a PROXY protocol header before it${cut ? ', in one piece with its first bytes cut' : ''}`, async () => {
      await withListener({ proxyProtocol: true }, async (listener, host) => {
        const raw = connectTcp(Number(listener.address.split(':')[1]), '127.0.0.1')
        await once(raw, 'connect')
        raw.setNoDelay(true)
        const header = 'PROXY TCP4 10.9.8.7 10.0.0.1 4321 8883\r\n'
        if (cut) {
          raw.write(header.slice(0, 20))
          await new Promise((resolve) => setTimeout(resolve, 5))
          // Corked: the rest of the header and the client's hello come in one piece.
          raw.cork()
          raw.write(header.slice(20))
        } else raw.write(header)
        const socket = connect({ socket: raw, servername: 'localhost', ca: readFileSync(authority.ca) })
        if (cut) setImmediate(() => raw.uncork())
        await once(socket, 'secureConnect')
        socket.write('x')
        await once(socket, 'data')
        const { peerhost, peerport, sockport } = host.connections[0].transport
        assert.deepEqual([peerhost, peerport, sockport], ['10.9.8.7', 4321, 8883])
        socket.destroy()
        await until(() => listener.currentConnections === 0, 'it is gone')
      })
    })
  }
})

describe('files that cannot be used are named', () => {
  const broken = join(authority.folder, 'broken.pem')
  writeFileSync(broken, 'no PEM here')
  const encrypted = authority.encryptKey(server.key, 'right')
  const other = authority.issue('/CN=other')
  const cases: [string, TlsListenerOptions['tls'], string][] = [
    [
      'no certificate file',
      { ...server, cert: '/none/cert.pem' },
      'cannot read the certificate file /none/cert.pem: it does not exist',
    ],
    ['no key file', { ...server, key: '/none/key.pem' }, 'cannot read the key file /none/key.pem: it does not exist'],
    ['no CA file', { ...server, ca: '/none/ca.pem' }, 'cannot read the CA file /none/ca.pem: it does not exist'],
    [
      'no certificate in it',
      { ...server, cert: broken },
      `the certificate file ${broken} has no certificate in PEM format`,
    ],
    ['no key in it', { ...server, key: broken }, `the key file ${broken} has no private key in PEM format`],
    ['no CA in it', { ...server, ca: broken }, `the CA file ${broken} has no certificate in PEM format`],
    [
      'an encrypted key',
      { ...server, key: encrypted },
      `the key file ${encrypted} is encrypted, and the password is missing or wrong`,
    ],
    [
      "another's key",
      { ...server, key: other.key },
      `the key in ${other.key} does not belong to the certificate in ${server.cert}`,
    ],
    [
      'verify_peer without CA',
      { ...server, verify: 'verify_peer' },
      'verify_peer needs the certificates of the authorities',
    ],
    ['unknown ciphers', { ...server, ciphers: 'NONSENSE' }, 'the ciphers "NONSENSE" are not understood'],
    [
      'versions with a gap',
      { ...server, versions: ['tlsv1.1', 'tlsv1.3'] },
      'TLS versions "tlsv1.1,tlsv1.3" leave one out',
    ],
    [
      'SNI',
      { ...server, sni: { a: { ...server, cert: '/none/a.pem' } } },
      'cannot read the certificate file /none/a.pem',
    ],
  ]
  for (const [name, tls, message] of cases) {
    test(name, async () => {
      const listener = createTlsListener({ name: 'external', address: '127.0.0.1:0', tls })
      await assert.rejects(listener.start(new RecordingHost()), (error: Error) => {
        assert.ok(error.message.startsWith(`listener ssl:external: ${message}`), error.message)
        return true
      })
    })
  }
})
