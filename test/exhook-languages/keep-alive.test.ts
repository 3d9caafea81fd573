import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Http2Transport } from '@hookmq/provider-exhook/client'
import { requirement } from '../support/requirements.ts'
import { until } from '../support/wait.ts'
import { type Provider, root, startProvider } from './broker.ts'

// Go's own enforcement, with five minutes made 250 ms. The broker's clock is moved by hand, a minute for at least 60 ms of the server's.
const made = mkdtempSync(join(tmpdir(), 'hookmq-keep-alive-'))
const program = join(made, 'server')
const path = '/emqx.exhook.v3.HookProvider/OnClientAuthorize'
const realMilliseconds = 60
let built: string | undefined

before(() => {
  const folder = join(root, 'test/exhook-languages/go-server')
  built = spawnSync('go', ['build', '-o', program, '.'], { cwd: folder, encoding: 'utf8' }).stderr ?? 'no go'
})
after(() => rmSync(made, { recursive: true, force: true }))

async function startServer(t: TestContext): Promise<Provider | undefined> {
  if (requirement('go', t) === undefined) return undefined
  assert.equal(built, '')
  return startProvider(t, program, [])
}

function transportTo(t: TestContext, port: string): Http2Transport {
  const transport = new Http2Transport({
    scheme: 'http',
    host: `127.0.0.1:${port}`,
    size: 1,
    open: () => connect(Number(port), '127.0.0.1'),
    userAgent: 't',
    maxReply: 1000,
    window: 65_535,
  })
  t.after(() => transport.close())
  return transport
}

/** Passes minutes on the broker's clock. */
function clockOf(t: TestContext): (minutes: number) => Promise<void> {
  let now = Math.ceil(performance.now())
  t.mock.method(performance, 'now', () => now)
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  return async (minutes) => {
    for (let minute = 0; minute < minutes; minute++) {
      now += 60_000
      t.mock.timers.tick(60_000)
      // Timers of promises are not the mocked ones.
      await delay(realMilliseconds)
    }
  }
}

test('a server in Go takes the pings of a call that waits for half an hour', async (t) => {
  const server = await startServer(t)
  if (server === undefined) return
  const transport = transportTo(t, server.port)
  const pass = clockOf(t)
  let ended: string | undefined
  const call = transport.call(path, Buffer.alloc(0), { key: '', deadline: Number.POSITIVE_INFINITY, timeout: 0 })
  const over = call.reply
    .then(() => 'answered', String)
    .then((outcome) => {
      ended = outcome
    })
  while (!server.output().includes('asked')) await delay(5)
  await pass(30)
  assert.deepEqual([ended, transport.connections, transport.counters.broken], [undefined, 1, 0])
  call.cancel()
  await over
})

test('a server in Go keeps a connection without calls', async (t) => {
  const server = await startServer(t)
  if (server === undefined) return
  const transport = transportTo(t, server.port)
  const pass = clockOf(t)
  const call = transport.call(path, Buffer.alloc(0), { key: '', deadline: Number.POSITIVE_INFINITY, timeout: 0 })
  const over = call.reply.catch(() => {})
  while (!server.output().includes('asked')) await delay(5)
  call.cancel()
  await over
  await pass(30)
  assert.deepEqual([transport.connections, transport.counters.broken], [1, 0])
})

test('that server does cut off who pings too often', async (t) => {
  const server = await startServer(t)
  if (server === undefined) return
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${server.port}`)
  t.after(() => session.destroy())
  session.on('error', () => {})
  session
    .request({ ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' })
    .on('error', () => {})
  await until(() => server.output().includes('asked'), 'the call to arrive')
  let told: [number, string] | undefined
  session.on('goaway', (code, _, data) => {
    told = [code, String(data)]
  })
  for (let count = 0; count < 10 && told === undefined; count++) {
    if (!session.destroyed) session.ping(() => {})
    await delay(5)
  }
  await until(() => told !== undefined, 'the server to complain')
  const enhanceYourCalm = 11
  assert.deepEqual(told, [enhanceYourCalm, 'too_many_pings'])
})
