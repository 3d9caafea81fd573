import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { listenerSuite } from '@hookmq/api/testing'
import { createTcpListener } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-tcp-'))
let sockets = 0

async function connected(options: NetConnectOpts): Promise<Socket> {
  const socket = connect(options)
  await once(socket, 'connect')
  return socket
}

function connectTcp(address: string): Promise<Duplex> {
  const [host, port] = address.split(':')
  return connected({ host, port: Number(port) })
}

for (const sharedReads of [true, false]) {
  listenerSuite(`tcp, ${sharedReads ? 'one buffer for all reads' : 'a buffer per read'}`, {
    socketType: 'tcp',
    closedReason: 'tcp_closed',
    create: (options) => createTcpListener({ name: 'suite', address: '127.0.0.1:0', sharedReads, ...options }),
    connect: connectTcp,
  })
}

listenerSuite('unix socket', {
  socketType: 'unix',
  closedReason: 'tcp_closed',
  create: (options) => {
    sockets += 1
    return createTcpListener({ name: 'suite', address: join(folder, `${sockets}.sock`), ...options })
  },
  connect: (path) => connected({ path }),
  hasAddresses: false,
})
