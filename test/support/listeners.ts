import type { Listener } from '@hookmq/api'
import { TestAuthority } from '@hookmq/api/testing'
import { createTlsListener } from '@hookmq/listener-tls'
import { createWsListener } from '@hookmq/listener-ws'
import type { TestBroker, TestScope } from './broker.ts'

export interface Reachable {
  readonly port: number
  readonly listener: Listener
}

async function reachable(scope: TestScope, broker: TestBroker, listener: Listener): Promise<Reachable> {
  await listener.start(broker.broker)
  scope.after(() => listener.stop())
  return { port: Number(listener.address.match(/:(\d+)(?:\/.*)?$/)?.[1]), listener }
}

/** The same broker over WebSocket, at /mqtt. */
export function startWs(scope: TestScope, broker: TestBroker): Promise<Reachable> {
  return reachable(scope, broker, createWsListener({ name: 'test', address: '127.0.0.1:0' }))
}

/** The same broker over TLS; `ca` is the path of the authority's certificate. */
export async function startTls(scope: TestScope, broker: TestBroker): Promise<Reachable & { ca: string }> {
  const authority = new TestAuthority()
  scope.after(() => authority.remove())
  const { cert, key } = authority.issue('/CN=localhost')
  const tls = { cert, key }
  const started = await reachable(scope, broker, createTlsListener({ name: 'test', address: '127.0.0.1:0', tls }))
  return { ...started, ca: authority.ca }
}
