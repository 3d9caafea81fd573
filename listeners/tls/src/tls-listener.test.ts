import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { connect } from 'node:tls'
import { listenerSuite, TestAuthority } from '@hookmq/api/testing'
import { createTlsListener } from './index.ts'

const authority = new TestAuthority()
after(() => authority.remove())
const server = authority.issue('/CN=localhost')
const ca = readFileSync(authority.ca)

listenerSuite('tls', {
  socketType: 'ssl',
  closedReason: 'ssl_closed',
  cycles: 480,
  create: (options) => createTlsListener({ name: 'suite', address: '127.0.0.1:0', tls: server, ...options }),
  async connect(address) {
    const [host, port] = address.split(':')
    const socket = connect({ host, port: Number(port), ca, servername: 'localhost' })
    await once(socket, 'secureConnect')
    return socket
  },
})
