import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { TestAuthority } from '@hookmq/api/testing'
import { connectAsync } from 'mqtt'
import { publishThrough } from '../support/actions.ts'
import { idAt, startTwo } from './support.ts'

test('a TLS client whose session is at the other worker is served all the same', async (t) => {
  const authority = new TestAuthority()
  t.after(() => authority.remove())
  const { cert, key } = authority.issue('/CN=localhost')
  const files = [`listener.ssl.external.certfile=${cert}`, `listener.ssl.external.keyfile=${key}`]
  const settings = ['listener.ssl.external=127.0.0.1:0', ...files].flatMap((setting) => ['--set', setting])
  const broker = await startTwo(t, settings)
  const [, port] = await broker.command.shows(/^listening ssl:external on 127\.0\.0\.1:(\d+)$/m)
  const ca = readFileSync(authority.ca)
  // Which worker accepts a connection is chance: enough of them that both accept some that belong to the other.
  for (const worker of [1, 2, 1, 2, 1, 2, 1, 2] as const) {
    const clientId = idAt(worker, 'tls')
    const client = await connectAsync(`mqtts://localhost:${port}`, { clientId, ca, reconnectPeriod: 0 })
    await client.subscribeAsync('over/tls', { qos: 1 })
    const received = new Promise<Buffer>((resolve) => client.once('message', (_topic, payload) => resolve(payload)))
    const large = 'x'.repeat(200_000)
    const publisher = await broker.connect(worker === 1 ? 2 : 1)
    await publishThrough(publisher, 'over/tls', large, { qos: 1 })
    assert.equal(String(await received), large)
    await client.endAsync()
    publisher.destroy()
  }
})
