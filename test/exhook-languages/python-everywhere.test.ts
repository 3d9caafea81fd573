import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import driver from '@hookmq/provider-driver'
import { createBroker, type HookmqBroker } from 'hookmq'
import { requirement } from '../support/requirements.ts'
import { until } from '../support/wait.ts'
import { connect, root, startBroker, startProvider } from './broker.ts'
import { collectingLog } from './log.ts'

// One hooks file, unchanged: served over gRPC (in batches, and call by call), and in a child process of the broker.
const file = join(root, 'test/exhook-languages/every-verdict.py')
const folder = mkdtempSync(join(tmpdir(), 'hookmq-python-'))
copyFileSync(file, join(folder, 'every_verdict.py'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Place {
  readonly broker: HookmqBroker
  /** What the hooks file has printed. */
  printed(): string
}

const places: Record<string, (t: TestContext) => Promise<Place> | undefined> = {
  'over gRPC, in batches': (t) => served(t, { stream: 'auto' }),
  'over gRPC, call by call': (t) => served(t, { stream: 'off' }),
  'over gRPC, on the event loop': (t) => served(t, {}, ['--threads', '0']),
  'in a child process': (t) => inChild(t),
}

function served(
  t: TestContext,
  config: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<Place> | undefined {
  const python = requirement('grpcio', t)
  if (python === undefined) return undefined
  return (async () => {
    const args = ['-m', 'hookmq', 'serve', file, '--listen', '127.0.0.1:0', ...options]
    const provider = await startProvider(t, python, args)
    return { broker: await startBroker(t, provider, config), printed: provider.output }
  })()
}

function inChild(t: TestContext): Promise<Place> | undefined {
  const python = requirement('python3', t)
  if (python === undefined) return undefined
  return (async () => {
    const { log, text } = collectingLog()
    const broker = await createBroker({
      log,
      listeners: [{ type: 'tcp' }],
      plugins: [
        {
          plugin: driver,
          config: {
            'exhook.drivers': 'python3',
            'exhook.drivers.python3.path': folder,
            'exhook.drivers.python3.init_module': 'every_verdict',
          },
        },
      ],
    })
    t.after(() => broker.stop(500))
    await broker.start()
    await until(() => text().includes('loaded'), 'the driver to load the hooks', 30_000)
    return { broker, printed: text }
  })()
}

for (const [name, start] of Object.entries(places)) {
  describe(`hooks in Python, ${name}`, () => {
    test('decide who comes in and who may do what', async (t) => {
      const place = await start(t)
      if (place === undefined) return
      const { broker, printed } = place
      const alice = await connect(t, broker, { clientId: 'a1', username: 'alice', password: 'wonderland' })
      const bob = await connect(t, broker, { clientId: 'b1', username: 'bob', password: 'wonderland' })
      await assert.rejects(connect(t, broker, { username: 'stranger' }), /Not authorized/)
      await alice.publishAsync('secret/x', '1', { qos: 1 })
      await assert.rejects(bob.publishAsync('secret/x', '1', { qos: 1 }), /Not authorized/)
      await alice.endAsync()
      await until(() => printed().includes('disconnected a1 normal'), 'the notifications')
      const lines = printed()
      assert.ok(lines.indexOf('connected a1 127.0.0.1') < lines.indexOf('disconnected a1 normal'), lines)
    })

    test('change and refuse messages', async (t) => {
      const place = await start(t)
      if (place === undefined) return
      const { broker } = place
      const client = await connect(t, broker, { clientId: 'c1' })
      const packets: [string, string, Record<string, unknown>][] = []
      client.on('message', (topic, payload, packet) => {
        const { retain, properties } = packet
        packets.push([topic, payload.toString(), { retain, ...properties }])
      })
      await client.subscribeAsync({ '#': { qos: 1, rap: true } })
      const before = { contentType: 'a/b', userProperties: { k: 'v' } }
      await client.publishAsync('change/payload', 'ü', { qos: 1, properties: { ...before } })
      await client.publishAsync('change/everything', 'old', { qos: 1, properties: { ...before } })
      await client.publishAsync('change/nothing', 'same', { qos: 1 })
      await client.publishAsync('refuse/drop', 'x', { qos: 1 })
      await assert.rejects(client.publishAsync('refuse/reject', 'x', { qos: 1 }), /Quota exceeded|at most nothing/)
      await until(() => packets.length === 3, 'three messages')
      assert.deepEqual(
        packets.map(([topic, text]) => `${topic} ${text}`),
        ['change/payload Ü', 'changed/everything new', 'change/nothing same'],
      )
      const [[, , kept], [, , changed]] = packets
      assert.deepEqual(
        { ...kept, userProperties: { ...(kept.userProperties as object) } },
        { retain: false, ...before },
      )
      assert.deepEqual(
        { ...changed, userProperties: { ...(changed.userProperties as object) } },
        {
          retain: true,
          contentType: 'text/plain',
          responseTopic: 'answers',
          correlationData: Buffer.from([0, 255]),
          messageExpiryInterval: 77,
          payloadFormatIndicator: true,
          userProperties: { k: 'v', by: 'hooks' },
        },
      )
      const closed = new Promise<void>((resolve) => client.on('close', () => resolve()))
      client.publish('refuse/disconnect', 'x')
      await closed
    })

    test('keep the order of a client, and fail one by one', async (t) => {
      const place = await start(t)
      if (place === undefined) return
      const { broker, printed } = place
      const client = await connect(t, broker, { clientId: 'c1' })
      const texts: string[] = []
      client.on('message', (topic, payload) => texts.push(`${topic} ${payload}`))
      await client.subscribeAsync('#')
      await Promise.all(['0', '1', '2', '3'].map((text) => client.publishAsync('slow/a', text, { qos: 1 })))
      // The default of the failure policy lets a message pass.
      await client.publishAsync('broken', 'x', { qos: 1 })
      await until(() => texts.length === 5, 'five messages')
      assert.deepEqual(texts, [...['0', '1', '2', '3'].map((text) => `slow/a ${text} checked`), 'broken x'])
      await until(() => /every.verdict\.py.*broken/.test(printed()), 'the failure in the log')
      assert.match(printed(), /out of order/)
    })
  })
}

test('a provider that is asked to stop says so, finishes, and ends', async (t) => {
  const python = requirement('grpcio', t)
  if (python === undefined) return
  const provider = await startProvider(t, python, ['-m', 'hookmq', 'serve', file, '--listen', '127.0.0.1:0'])
  const broker = await startBroker(t, provider)
  const client = await connect(t, broker, { clientId: 'c1' })
  await client.publishAsync('change/payload', 'x', { qos: 1 })
  const ended = new Promise<number | null>((resolve) => provider.process.on('exit', resolve))
  provider.process.kill('SIGTERM')
  assert.equal(await ended, 0)
  assert.match(provider.output(), /stopping\n/)
  assert.match(provider.output(), /unloaded\n/)
})

test('over TLS, each side with a certificate', async (t) => {
  const python = requirement('grpcio', t)
  const openssl = requirement('openssl', t)
  if (python === undefined || openssl === undefined) return
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  assert.equal(spawnSync(openssl, [...kind, ...subject, '-keyout', key, '-out', cert]).status, 0)
  const tls = ['--tls-cert', cert, '--tls-key', key, '--tls-client-ca', cert]
  const provider = await startProvider(t, python, ['-m', 'hookmq', 'serve', file, '--listen', '127.0.0.1:0', ...tls])
  const broker = await startBroker(t, provider, {
    url: `https://127.0.0.1:${provider.port}`,
    'ssl.cacertfile': cert,
    'ssl.certfile': cert,
    'ssl.keyfile': key,
    'ssl.verify': 'verify_peer',
  })
  const client = await connect(t, broker, { clientId: 'c1' })
  await assert.rejects(client.publishAsync('refuse/reject', 'x', { qos: 1 }), /Quota exceeded|at most nothing/)
})
