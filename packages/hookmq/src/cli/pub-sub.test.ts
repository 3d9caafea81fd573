import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { TestAuthority } from '@hookmq/api/testing'
import { createBroker } from '../broker/create.ts'
import type { HookmqBroker } from '../broker/hookmq.ts'
import type { CreateBrokerOptions } from '../broker/options.ts'
import { RunningCommand, runCommand } from '../testing/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-pub-sub-'))
after(() => rmSync(folder, { recursive: true }))

/** A broker in this process, which says when a client has subscribed. */
async function startBroker(
  scope: TestContext,
  options: CreateBrokerOptions = { listeners: [{ type: 'tcp' }] },
): Promise<{ broker: HookmqBroker; at: string[]; subscribed(): Promise<void> }> {
  const broker = await createBroker(options)
  const waiting: (() => void)[] = []
  let count = 0
  broker.hook('session.subscribed', () => {
    const run = waiting.shift()
    if (run === undefined) count++
    else run()
  })
  await broker.start()
  scope.after(() => broker.stop(500))
  return {
    broker,
    at: ['-h', '127.0.0.1', '-p', String(portOf(broker))],
    subscribed: () =>
      new Promise((resolve) => {
        if (count === 0) waiting.push(resolve)
        else {
          count--
          resolve()
        }
      }),
  }
}

function portOf(broker: HookmqBroker, index = 0): number {
  return Number(/:(\d+)$/.exec(broker.listeners[index].address)?.[1])
}

for (const version of ['3.1', '3.1.1', '5']) {
  test(`MQTT ${version}: what pub sends sub prints, at each QoS`, async (scope) => {
    const { at, subscribed } = await startBroker(scope)
    const sub = new RunningCommand(scope, [
      'sub',
      ...at,
      '-V',
      version,
      '-q',
      '2',
      '-t',
      'a/+',
      '-v',
      '-C',
      '3',
      '--properties',
    ])
    await subscribed()
    for (const qos of ['0', '1', '2']) {
      const pub = await runCommand(scope, [
        'pub',
        ...at,
        '-V',
        version,
        '-q',
        qos,
        '-t',
        `a/${qos}`,
        '-m',
        `größe ${qos}`,
      ])
      assert.deepEqual(pub, { code: 0, stdout: '', stderr: '' })
    }
    assert.equal(await sub.ended, 0)
    assert.equal(sub.stdout, [0, 1, 2].map((qos) => `qos=${qos} retain=0 a/${qos} größe ${qos}\n`).join(''))
  })
}

test('a retained message waits for the subscriber, -n removes it', async (scope) => {
  const { at } = await startBroker(scope)
  await runCommand(scope, ['pub', ...at, '-t', 'state', '-m', 'on', '-r', '-q', '1'])
  const sub = await runCommand(scope, ['sub', ...at, '-t', 'state', '-C', '1', '--properties'])
  assert.deepEqual(sub, { code: 0, stdout: 'qos=0 retain=1 on\n', stderr: '' })
  await runCommand(scope, ['pub', ...at, '-t', 'state', '-n', '-r', '-q', '1'])
  const nothing = await runCommand(scope, ['sub', ...at, '-t', 'state', '-C', '1', '-W', '0.2'])
  assert.deepEqual(nothing, { code: 27, stdout: '', stderr: '' })
})

test('properties and user properties pass through in order', async (scope) => {
  const { at, subscribed } = await startBroker(scope)
  const sub = new RunningCommand(scope, ['sub', ...at, '-t', 'a', '-C', '1', '--properties'])
  await subscribed()
  const more = [
    '--user-property',
    'b=1',
    '--user-property',
    'a=x=y',
    '--user-property',
    'b=2',
    '--content-type',
    'text/plain',
  ]
  assert.equal((await runCommand(scope, ['pub', ...at, '-t', 'a', '-m', 'm', ...more])).code, 0)
  assert.equal(await sub.ended, 0)
  assert.equal(sub.stdout, 'qos=0 retain=0 contentType=text/plain b=1 a=x=y b=2 m\n')
  const old = await runCommand(scope, ['pub', ...at, '-V', '3.1.1', '-t', 'a', '-m', 'm', ...more])
  assert.equal(old.code, 1)
  assert.equal(old.stderr, 'hookmq: message properties exist only in MQTT 5; leave them out, or use -V 5\n')
})

test('-l sends each line, -f a file as it is', async (scope) => {
  const { at, subscribed } = await startBroker(scope)
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`)
  const sub = new RunningCommand(scope, ['sub', ...at, '-q', '1', '-t', 'log', '-C', '300'])
  await subscribed()
  assert.equal(
    (await runCommand(scope, ['pub', ...at, '-q', '1', '-t', 'log', '-l'], { input: `${lines.join('\n')}\n` })).code,
    0,
  )
  assert.equal(await sub.ended, 0)
  assert.equal(sub.stdout, `${lines.join('\n')}\n`)

  const bytes = join(folder, 'bytes')
  writeFileSync(bytes, 'one\ntwo')
  const whole = new RunningCommand(scope, ['sub', ...at, '-t', 'log', '-C', '1', '-N'])
  await subscribed()
  assert.equal((await runCommand(scope, ['pub', ...at, '-t', 'log', '-f', bytes])).code, 0)
  await whole.ended
  assert.equal(whole.stdout, 'one\ntwo')
})

test('a session that is kept gets what came while the client was away', async (scope) => {
  const { at, broker } = await startBroker(scope)
  const kept = ['-c', '-i', 'till-1', '-q', '1', '-t', 'orders']
  await runCommand(scope, ['sub', ...at, ...kept, '-W', '0.1'])
  await broker.publish({ topic: 'orders', payload: 'while away', qos: 1 })
  const back = await runCommand(scope, ['sub', ...at, ...kept, '-C', '1'])
  assert.deepEqual(back, { code: 0, stdout: 'while away\n', stderr: '' })
})

test('a client that vanishes leaves its will', async (scope) => {
  const { at, broker, subscribed } = await startBroker(scope)
  const will = Promise.withResolvers<string>()
  broker.subscribe('gone', (message) => will.resolve(Buffer.from(message.payload).toString()))
  const sub = new RunningCommand(scope, ['sub', ...at, '-t', 'a', '--will-topic', 'gone', '--will-payload', 'farewell'])
  await subscribed()
  sub.signal('SIGKILL')
  assert.equal(await will.promise, 'farewell')
})

test('refusals say which and why, and exit with 1', async (scope) => {
  const { at, broker } = await startBroker(scope)
  broker.hook('client.authenticate', ({ client }) => {
    if (client.username === 'mallory') return { stop: { result: 'deny', reasonCode: 0x86 } }
  })
  broker.hook('client.authorize', ({ topic }) => {
    if (topic === 'secret') return { stop: { result: 'deny', from: 'test' } }
  })
  const cases: [string[], string][] = [
    [
      ['pub', '-u', 'mallory', '-P', 'x', '-t', 'a', '-m', 'm'],
      'the broker refused the connection: 0x86 bad_username_or_password',
    ],
    [
      ['pub', '-V', '3.1.1', '-u', 'mallory', '-P', 'x', '-t', 'a', '-m', 'm'],
      'the broker refused the connection: 0x86 bad_username_or_password',
    ],
    [['pub', '-q', '1', '-t', 'secret', '-m', 'm'], "publishing to 'secret' was refused: 0x87 not_authorized"],
    [['pub', '-q', '2', '-t', 'secret', '-m', 'm'], "publishing to 'secret' was refused: 0x87 not_authorized"],
    [['sub', '-t', 'secret'], "subscribing to 'secret' was refused: 0x87 not_authorized"],
    [['sub', '-V', '3.1.1', '-t', 'secret'], "subscribing to 'secret' was refused: 0x80 unspecified_error"],
    [['pub', '-t', 'a/+', '-m', 'm'], "'a/+': topic name contains a wildcard"],
    [['pub', '-t', 'a'], 'say what to publish with exactly one of -m, -f, -l and -n'],
  ]
  for (const [[command, ...args], expected] of cases) {
    const { code, stdout, stderr } = await runCommand(scope, [command, ...at, ...args])
    assert.deepEqual({ code, stdout, stderr }, { code: 1, stdout: '', stderr: `hookmq: ${expected}\n` })
  }
})

test('nobody there, a wrong option, a broker that stops', async (scope) => {
  const { at, broker, subscribed } = await startBroker(scope)
  const sub = new RunningCommand(scope, ['sub', ...at, '-t', 'a'])
  await subscribed()
  await broker.stop(500)
  assert.equal(await sub.ended, 1)
  assert.equal(sub.stderr, 'hookmq: the connection ended: 0x8b server_shutting_down\n')
  const nobody = await runCommand(scope, ['pub', ...at, '-t', 'a', '-m', 'm'])
  assert.equal(nobody.code, 1)
  assert.match(
    nobody.stderr,
    /^hookmq: cannot connect to 127\.0\.0\.1:\d+: connection refused \(is a broker listening there\?\)\n$/,
  )
  const wrong = await runCommand(scope, ['sub', '-t', 'a', '-q', '3'])
  assert.match(wrong.stderr, /option '-q, --qos <qos>'.*whole number from 0 to 2/)
  assert.match((await runCommand(scope, ['sub'])).stderr, /required option '-t, --topic <filter>' not specified/)
})

test('TLS, WebSocket and Unix sockets; a certificate that is not trusted is told', async (scope) => {
  const authority = new TestAuthority()
  scope.after(() => authority.remove())
  const certificate = authority.issue('/CN=localhost')
  const client = authority.issue('/O=Acme/CN=device-1')
  const tls = { ...certificate, ca: authority.ca, verify: 'verify_peer' as const }
  const path = join(folder, 'mqtt.sock')
  const { broker, subscribed } = await startBroker(scope, {
    listeners: [{ type: 'tls', tls }, { type: 'ws' }, { type: 'wss', tls }, { type: 'unix', path }],
    peerCertAsUsername: 'cn',
  })
  const names: (string | undefined)[] = []
  broker.hook('client.connected', ({ client: info }) => void names.push(info.username))
  const [secure, web, secureWeb] = [0, 1, 2].map((index) => portOf(broker, index))
  const trust = ['--cafile', authority.ca]
  const sub = new RunningCommand(scope, ['sub', '--url', `ws://127.0.0.1:${web}`, '-t', '#', '-v', '-C', '4'])
  await subscribed()
  const own = ['--cert', client.cert, '--key', client.key]
  for (const [topic, ...where] of [
    ['tls', '-h', 'localhost', '-p', String(secure), ...trust, ...own],
    ['insecure', '--url', `mqtts://127.0.0.1:${secure}`, '--insecure'],
    ['wss', '--url', `wss://127.0.0.1:${secureWeb}/mqtt`, ...trust],
    ['unix', '--url', `unix://${path}`],
  ])
    assert.deepEqual(await runCommand(scope, ['pub', ...where, '-t', topic, '-m', 'm', '-q', '1']), {
      code: 0,
      stdout: '',
      stderr: '',
    })
  await sub.ended
  assert.equal(sub.stdout, 'tls m\ninsecure m\nwss m\nunix m\n')
  assert.equal(names[1], 'device-1')
  const untrusted = await runCommand(scope, ['pub', '--tls', '-p', String(secure), '-t', 'a', '-m', 'm'])
  assert.equal(untrusted.code, 1)
  assert.match(untrusted.stderr, /^hookmq: cannot connect to .*--cafile, or use --insecure\n$/)
  const missing = await runCommand(scope, ['pub', '--cafile', join(folder, 'none.pem'), '-t', 'a', '-m', 'm'])
  assert.match(missing.stderr, /^hookmq: --cafile .*none\.pem: no such file\n$/)
})
