import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { ClientInfo, Listener } from '@hookmq/api'
import { TestAuthority } from '@hookmq/api/testing'
import { createTcpListener } from '@hookmq/listener-tcp'
import { createTlsListener } from '@hookmq/listener-tls'
import { publish } from '../support/actions.ts'
import { startBroker, type TestBroker, type TestScope } from '../support/broker.ts'
import { hex } from '../support/hex.ts'
import { RawClient } from '../support/raw-client.ts'
import { requirement } from '../support/requirements.ts'

async function listen(scope: TestScope, { broker }: TestBroker, listener: Listener): Promise<number> {
  await listener.start(broker)
  scope.after(() => listener.stop())
  return Number(listener.address.slice(listener.address.lastIndexOf(':') + 1))
}

/** What each hook saw of the client: where it comes from must be the same everywhere. */
function watch(broker: TestBroker): Map<string, Partial<ClientInfo>> {
  const seen = new Map<string, Partial<ClientInfo>>()
  broker.hook('client.authenticate', ({ client }) => void seen.set('client.authenticate', client), { priority: 1000 })
  broker.hook('client.authorize', ({ client }) => void seen.set('client.authorize', client))
  broker.hook('client.connected', ({ client }) => void seen.set('client.connected', client))
  broker.hook('message.publish', ({ client }) => void seen.set('message.publish', client ?? {}))
  return seen
}

async function publishOnce(scope: TestScope, socket: Socket, clientId: string): Promise<RawClient> {
  scope.after(() => void socket.destroy())
  const client = new RawClient(socket, 5)
  client.sendConnect({ clientId, username: 'named' })
  client.connack = await client.expect('connack', { reasonCode: 0 })
  publish(client, 'a', 'x', { qos: 1 })
  await client.expect('puback')
  return client
}

const proxied = [
  ['PROXY protocol, version 1', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 5555 1883\r\n')],
  [
    'PROXY protocol, version 2',
    hex('0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a  21 11 000c  cb 00 71 09  c0 00 02 01  15 b3  07 5b'),
  ],
] as const

for (const [title, header] of proxied) {
  test(`${title}: hooks see the client's own address`, async (t) => {
    const broker = await startBroker(t)
    const seen = watch(broker)
    const port = await listen(t, broker, createTcpListener({ name: 'p', address: '127.0.0.1:0', proxyProtocol: true }))
    const socket = connectSocket({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    socket.write(header)
    await publishOnce(t, socket, 'c')
    for (const [point, { peerhost, peerport, sockport }] of seen)
      assert.deepEqual([peerhost, peerport, sockport], ['203.0.113.9', 5555, 1883], point)
    assert.equal(seen.size, 4)
  })
}

for (const [option, expected] of [
  [{}, { clientId: 'c', username: 'named' }],
  [{ peerCertAsUsername: 'cn' }, { clientId: 'c', username: 'device-1' }],
  [{ peerCertAsUsername: 'dn' }, { clientId: 'c', username: 'CN=device-1,O=Acme' }],
  [{ peerCertAsClientId: 'cn' }, { clientId: 'device-1', username: 'named' }],
] as const) {
  test(`a client certificate: hooks see its names; ${JSON.stringify(option)}`, async (t) => {
    if (requirement('openssl', t) === undefined) return
    const authority = new TestAuthority()
    t.after(() => authority.remove())
    const broker = await startBroker(t, option)
    const seen = watch(broker)
    const tls = {
      ...authority.issue('/CN=localhost'),
      ca: authority.ca,
      verify: 'verify_peer',
      failIfNoPeerCert: true,
    } as const
    const port = await listen(t, broker, createTlsListener({ name: 's', address: '127.0.0.1:0', tls }))
    const own = authority.issue('/O=Acme/CN=device-1')
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: readFileSync(authority.ca),
      cert: readFileSync(own.cert),
      key: readFileSync(own.key),
    })
    await once(socket, 'secureConnect')
    await publishOnce(t, socket, 'c')
    for (const [point, { cn, dn, clientId, username }] of seen)
      assert.deepEqual({ cn, dn, clientId, username }, { cn: 'device-1', dn: 'CN=device-1,O=Acme', ...expected }, point)
    assert.equal(seen.size, 4)
  })
}
