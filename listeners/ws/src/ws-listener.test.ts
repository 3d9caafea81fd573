import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { listenerSuite, TestAuthority } from '@hookmq/api/testing'
import { type ClientOptions, createWebSocketStream, WebSocket } from 'ws'
import { createWsListener } from './index.ts'

const authority = new TestAuthority()
after(() => authority.remove())
const tls = authority.issue('/CN=localhost')
const ca = readFileSync(authority.ca)

async function connect(url: string, options: ClientOptions = {}) {
  const socket = new WebSocket(url, 'mqtt', { perMessageDeflate: false, ...options })
  await once(socket, 'open')
  return createWebSocketStream(socket)
}

listenerSuite('ws', {
  socketType: 'ws',
  closedReason: 'ws_closed',
  create: (options) => createWsListener({ name: 'suite', address: '127.0.0.1:0', ...options }),
  connect: (address) => connect(`ws://${address}/mqtt`),
})

listenerSuite('wss', {
  socketType: 'wss',
  cycles: 480,
  closedReason: 'ws_closed',
  create: (options) => createWsListener({ name: 'suite', address: '127.0.0.1:0', tls, ...options }),
  connect: (address) => connect(`wss://${address}/mqtt`, { ca }),
})
