import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { TestAuthority } from '@hookmq/api/testing'
import { fromBinary, v3 } from '@hookmq/provider-exhook/client'
import { RunningCommand, runCommand } from '../../testing/command.ts'
import { placeOf } from '../link.ts'
import {
  answers,
  callOf,
  loaded,
  type ProviderScript,
  respond,
  ScriptedProvider,
} from '../scripted-provider.testing.ts'
import { type Diagnosis, examine, exitCodeOf } from './doctor.ts'
import { findingKinds } from './findings.ts'

interface Diagnosed {
  readonly exitCode: number
  readonly names: readonly string[]
  /** The sentence of a finding. */
  text(name: string): string
  readonly json: Diagnosis
}

/** What some test has seen found. */
const proven = new Set<string>()

/** By the command. */
async function doctor(t: TestContext, url: string, ...args: string[]): Promise<Diagnosed> {
  const burst = args.includes('--calls') ? [] : ['--calls', '0']
  const { code, stdout, stderr } = await runCommand(t, ['exhook', 'doctor', url, '--json', ...burst, ...args])
  assert.equal(stderr, '')
  const { exitCode, ...json } = JSON.parse(stdout)
  assert.equal(code, exitCode)
  return diagnosed(json, exitCode)
}

interface Options {
  readonly set?: readonly string[]
  readonly calls?: number
  readonly concurrency?: number
}

/** What the command prints, without a process for each. */
async function examined(t: TestContext, script: ProviderScript, options: Options = {}): Promise<Diagnosed> {
  return examinedAt((await ScriptedProvider.start(t, script)).url, options)
}

async function examinedAt(url: string, { set = [], calls = 0, concurrency = 4 }: Options = {}): Promise<Diagnosed> {
  const place = placeOf(url, set)
  const diagnosis = await examine({ place, wait: 0, calls, concurrency, progress: () => {} })
  return diagnosed(diagnosis, exitCodeOf(diagnosis, false))
}

function diagnosed(json: Diagnosis, exitCode: number): Diagnosed {
  for (const { name, help } of json.findings) {
    proven.add(name)
    assert.ok(help.length > 10)
  }
  return {
    exitCode,
    json,
    names: json.findings.map(({ name }) => name),
    text: (name) => json.findings.find((one) => one.name === name)?.text ?? '',
  }
}

/** A provider with one hook that is answered so. */
function answering(hook: string, answer: ProviderScript['answer']): ProviderScript {
  return {
    hooks: [{ name: hook }],
    answer: (call, request, version) => (call === callOf(hook) ? answer?.(call, request, version) : undefined),
  }
}

/** Something that listens and is no gRPC server. */
async function listening(t: TestContext, server: ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  return (server.address() as AddressInfo).port
}

const short = 'request_timeout=300ms'

test('a provider that does everything right: exit code 0, and it has seen what a broker sends', async (t) => {
  const provider = await ScriptedProvider.start(t, {
    versions: ['v2', 'v3'],
    answer: (call) => (call === 'OnClientAuthorize' ? answers.go(true) : undefined),
  })
  const { exitCode, names, json } = await doctor(t, provider.url, '--calls', '40', '--concurrency', '4')
  assert.deepEqual(names, [])
  assert.equal(exitCode, 0)
  assert.deepEqual(
    json.versions.map(({ version, hooks }) => [version, hooks.length]),
    [
      ['v3', 19],
      ['v2', 19],
    ],
  )
  assert.equal(json.used, 'v3')
  assert.ok(json.answers.every(({ failed }) => !failed))
  assert.deepEqual(
    json.latency.map(({ concurrency, calls, failed }) => [concurrency, calls, failed]),
    [
      [1, 10, 0],
      [4, 40, 0],
    ],
  )
  for (const { p50, p99 } of json.latency) assert.ok(p50 !== undefined && p99 !== undefined && p99 >= p50)

  const requests = (call: string, version: string) =>
    provider.calls.filter((one) => one.call === call && one.version === version).map(({ request }) => request)
  const [introduction] = requests('OnProviderLoaded', 'v3').map((bytes) =>
    fromBinary(v3.ProviderLoadedRequestSchema, bytes),
  )
  assert.equal(introduction.broker?.sysdescr, 'HookMQ')
  assert.match(introduction.broker?.datetime ?? '', /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}[+-]\d\d:\d\d$/)
  assert.equal(introduction.meta?.clusterName, 'emqxcl')
  const [connect, bare] = requests('OnClientConnect', 'v3').map((bytes) =>
    fromBinary(v3.ClientConnectRequestSchema, bytes),
  )
  assert.deepEqual(
    [connect.conninfo?.clientid, connect.conninfo?.protoVer, connect.conninfo?.peerport],
    ['greenhouse-7', '5', 50_123],
  )
  assert.deepEqual(
    connect.userProps.map(({ name, value }) => [name, value]),
    [
      ['site', 'north'],
      ['site', 'south'],
    ],
  )
  assert.ok(connect.props.some(({ name, value }) => name === 'Session-Expiry-Interval' && value === '120'))
  assert.deepEqual([bare.conninfo?.clientid, bare.conninfo?.username, bare.conninfo?.protoVer], ['', '', '4'])
  const [old] = requests('OnClientConnect', 'v2').map((bytes) => fromBinary(v3.ClientConnectRequestSchema, bytes))
  assert.deepEqual(old.userProps, [])
  assert.ok(old.props.some(({ name }) => name === 'User-Property'))
  const passwords = requests('OnClientAuthenticate', 'v3').map(
    (bytes) => fromBinary(v3.ClientAuthenticateRequestSchema, bytes).clientinfo?.password,
  )
  assert.deepEqual(passwords, ['doctor', ''])
  assert.equal(requests('OnProviderUnloaded', 'v3').length, 1)
  assert.equal(requests('OnProviderUnloaded', 'v2').length, 1)
})

test('what a person reads', async (t) => {
  const provider = await ScriptedProvider.start(t, {
    versions: ['v2'],
    hooks: [
      { name: 'client.connected' },
      { name: 'client.authenticate' },
      { name: 'message.publish', topics: ['a/+', 'b/#'] },
    ],
  })
  const { code, stdout } = await runCommand(t, ['exhook', 'doctor', provider.url, '--calls', '8', '--concurrency', '2'])
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\n\n {2}Version {2}emqx\.exhook\.v2\n/)
  assert.match(stdout, /message\.publish +a\/\+ b\/#\n/)
  assert.match(
    stdout,
    /client\.authenticate +greenhouse-7 \(MQTT 5, user ann\), with a password\n +→ IGNORE: as if it had not been asked \(/,
  )
  assert.match(stdout, /a\/doctor, QoS 1/)
  assert.match(stdout, /told without a failure: client\.connected\n/)
  assert.match(
    stdout,
    /Latency of message\.publish\n {5}1 at a time {3}p50 .* ms {3}p99 .* ms .*calls\/s\n {5}2 at a time/,
  )
  assert.match(stdout, /client\.authenticate {3}is away +refused \* +refused +passes\n/)
  assert.match(stdout, /is too slow +refused after 5 s +refused after 5 s +passes after 5 s\n/)
  assert.match(stdout, /\nNothing is wrong\.\n$/)
  const evil = await ScriptedProvider.start(t, { hooks: [{ name: '\x1b[2Jhook' }] })
  const shown = await runCommand(t, ['exhook', 'doctor', evil.url, '--calls', '0'])
  assert.match(shown.stdout, /\n1 mistake\n {2}unknown-hook: There is no hook /)
  assert.ok(!shown.stdout.includes('\x1b'))
})

test('what will happen when it fails follows the settings', async (t) => {
  const hooks = [{ name: 'message.publish' }, { name: 'client.authorize' }, { name: 'session.created' }]
  const { json } = await examined(
    t,
    { hooks },
    { set: ['hook.message.publish.failed_action=deny', 'hook.client.authorize.request_timeout=2s'] },
  )
  const cell = (hook: string, failure: string, policy: string) => {
    const found = json.outlook.find((one) => one.hook === hook && one.failure === failure && one.policy === policy)
    return [found?.outcome, found?.after, found?.onceLoaded]
  }
  assert.deepEqual(cell('message.publish', 'error', 'ignore'), ['refused', 0, false])
  assert.deepEqual(cell('client.authorize', 'slow', 'ignore'), ['passes', 2000, false])
  assert.deepEqual(cell('client.authorize', 'away', 'default'), ['refused', 0, true])
  assert.deepEqual(cell('client.authorize', 'away', 'deny'), ['refused', 0, false])
  assert.deepEqual(cell('session.created', 'slow', 'deny'), ['lost', 0, false])
  const plain = await examined(t, { hooks })
  assert.deepEqual(
    plain.json.outlook.filter(({ hook }) => hook === 'message.publish').map(({ outcome }) => outcome),
    Array(9).fill('passes'),
  )
})

const wrong: readonly (readonly [what: string, finding: string, script: ProviderScript, text: RegExp])[] = [
  [
    'a name of EMQX 4',
    'unknown-hook',
    { hooks: [{ name: 'client.check_acl' }] },
    /"client\.check_acl"; did you mean client\.authorize\?$/,
  ],
  [
    'a name as the method has it',
    'unknown-hook',
    { hooks: [{ name: 'OnMessagePublish' }] },
    /did you mean message\.publish\?/,
  ],
  ['a name like none', 'unknown-hook', { hooks: [{ name: 'x' }] }, /the hooks are client\.connect, /],
  [
    'a filter that is none',
    'invalid-topic-filter',
    { hooks: [{ name: 'message.publish', topics: ['a/#/b'] }] },
    /"a\/#\/b"/,
  ],
  [
    'a message for a login',
    'wrong-value-kind',
    answering('client.authenticate', () => answers.message({ topic: 'a' })),
    /takes bool_result$/,
  ],
  [
    'a yes for a message',
    'wrong-value-kind',
    answering('message.publish', () => answers.stop(true)),
    /takes a message$/,
  ],
  [
    'STOP without a value',
    'value-missing',
    answering('client.authorize', () => answers.stopEmpty),
    /STOP_AND_RETURN without a value/,
  ],
  ['an empty answer', 'value-missing', answering('message.publish', () => answers.nothing), /CONTINUE without a value/],
  ['a type that is none', 'unknown-answer-type', answering('client.authorize', () => answers.unknown), /type 7/],
  [
    'bytes that are no answer',
    'unreadable-answer',
    answering('client.authorize', () => ({ message: Buffer.from([0xff, 0xff]) })),
    /no ValuedResponse/,
  ],
  [
    'a message without a topic',
    'invalid-topic',
    answering('message.publish', () => answers.message({ payload: Buffer.from('x') })),
    /an empty topic/,
  ],
  [
    'a topic with a wildcard',
    'invalid-topic',
    answering('message.publish', () => answers.message({ topic: 'a/#' })),
    /"a\/#"/,
  ],
  ['QoS 3', 'invalid-qos', answering('message.publish', () => answers.message({ topic: 'a', qos: 3 })), /QoS 3/],
  [
    'a method that is not there',
    'unimplemented-method',
    answering('client.subscribe', () => ({ status: 12 })),
    /client\.subscribe is registered, but emqx\.exhook\.v3\.HookProvider\/OnClientSubscribe is not there/,
  ],
  [
    'an exception',
    'call-failed',
    answering('session.created', () => ({ status: 2, details: "KeyError: 'x'" })),
    /KeyError: 'x'/,
  ],
  [
    'a compressed answer',
    'compressed-answer',
    answering('message.acked', () => ({ message: Buffer.from('x'), flag: 1 })),
    /OnMessageAcked/,
  ],
  [
    'a connection that breaks',
    'connection-broken',
    answering('client.connected', () => ({ destroy: true })),
    /OnClientConnected/,
  ],
  ['a load that is refused', 'load-refused', { answer: () => ({ status: 13, details: 'no database' }) }, /no database/],
  [
    'a LoadedResponse that is none',
    'bad-loaded-response',
    { answer: () => ({ message: Buffer.from([0xff, 0xff]) }) },
    /no LoadedResponse/,
  ],
  ['no HookProvider', 'no-exhook-service', { versions: [] }, /emqx\.exhook\.v3 or emqx\.exhook\.v2/],
  ['a provider of EMQX 4', 'only-v1', { versions: ['v1'] }, /emqx\.exhook\.v1/],
  ['pings that are not taken', 'too-many-pings', { pings: 0 }, /at the first ping: “too_many_pings”/],
  ['a stream without a hello', 'stream-broken', { other: (stream) => respond(stream, {}) }, /HookStream\/Exchange/],
]

for (const [what, finding, script, text] of wrong)
  test(`${finding}: ${what}`, async (t) => {
    const { exitCode, names, text: textOf } = await examined(t, script)
    assert.ok(names.includes(finding), names.join())
    assert.match(textOf(finding), text)
    assert.equal(exitCode, 1)
  })

test('call-failed: only for clients that it did not think of', async (t) => {
  const answer: ProviderScript['answer'] = (_call, request) =>
    fromBinary(v3.ClientAuthenticateRequestSchema, request).clientinfo?.username === ''
      ? { status: 2, details: 'null' }
      : undefined
  const { names, text, json } = await examined(t, answering('client.authenticate', answer))
  assert.deepEqual(names, ['call-failed'])
  assert.match(
    text('call-failed'),
    /OnClientAuthenticate \(auto-4f1a \(MQTT 3\.1\.1 over IPv6, no user name\)\): UNKNOWN: null/,
  )
  assert.deepEqual(
    json.answers.map(({ failed }) => failed),
    [false, true],
  )
})

test('no-answer: a call that hangs', async (t) => {
  const { names, text } = await examined(
    t,
    answering('message.publish', () => ({ delay: Number.POSITIVE_INFINITY })),
    { set: [short] },
  )
  assert.deepEqual(names, ['no-answer'])
  assert.match(text('no-answer'), /was not answered within 300 ms$/)
})

test('slow-start: OnProviderLoaded hangs; late-start: it takes a second', async (t) => {
  const slow = await examined(t, { answer: () => ({ delay: Number.POSITIVE_INFINITY }) }, { set: [short] })
  assert.deepEqual([slow.names, slow.exitCode], [['slow-start'], 1])
  const hooks = [{ name: 'client.connected' }]
  const late = await examined(t, {
    hooks,
    answer: (call) => (call === 'OnProviderLoaded' ? { delay: 1050, message: loaded(hooks) } : undefined),
  })
  assert.deepEqual([late.names, late.exitCode], [['late-start'], 0])
})

test('answer-too-large: more than max_reply_size', async (t) => {
  const answer = () => answers.message({ topic: 'a', qos: 1, payload: Buffer.alloc(5000) })
  const { names } = await examined(t, answering('message.publish', answer), { set: ['max_reply_size=1KB'] })
  assert.deepEqual(names, ['answer-too-large'])
})

test('qos-lost is advice, which --strict counts as a mistake', async (t) => {
  const script = answering('message.publish', () => answers.message({ topic: 'a', payload: Buffer.from('x') }))
  const plain = await examined(t, script)
  assert.deepEqual([plain.names, plain.exitCode], [['qos-lost'], 0])
  const provider = await ScriptedProvider.start(t, script)
  assert.equal((await runCommand(t, ['exhook', 'doctor', provider.url, '--strict', '--calls', '0'])).code, 1)
})

test('what works but is odd: advice, exit code 0', async (t) => {
  const odd = await examined(t, {
    versions: ['v3', 'v2'],
    hooks: (version) => [
      { name: 'client.connect', topics: ['a'] },
      { name: 'message.dropped', topics: ['$SYS/#'] },
      ...(version === 'v3' ? [{ name: 'client.connect' }] : []),
      ...(version === 'v2' ? [{ name: 'session.created' }] : []),
    ],
    answer: (call) => (call === 'OnProviderUnloaded' ? { status: 12 } : undefined),
    pings: 2,
  })
  assert.deepEqual(
    new Set(odd.names),
    new Set([
      'topics-ignored',
      'topics-never-sent',
      'duplicate-hook',
      'versions-differ',
      'unload-unanswered',
      'pings-limited',
    ]),
  )
  assert.equal(odd.exitCode, 0)
  assert.match(odd.text('pings-limited'), /^At ping number 3 without a call/)
  const open = await examined(
    t,
    answering('client.authenticate', () => answers.stop(true)),
  )
  assert.deepEqual([open.names, open.exitCode], [['lets-strangers-in'], 0])
  const none = await examined(t, { hooks: [] })
  assert.deepEqual([none.names, none.exitCode], [['no-hooks'], 0])
})

test('too-few-threads: calls wait for each other; a provider that waits for many at once is only slow', async (t) => {
  const script = answering('client.authorize', () => ({ ...answers.ignore, delay: 60 }))
  const options = { calls: 24, concurrency: 12 }
  const serial = await examined(t, { ...script, serial: true }, options)
  assert.ok(serial.names.includes('too-few-threads'), serial.names.join())
  assert.match(serial.text('too-few-threads'), /with 12 calls at a time: about \d+ of them are worked on at once/)
  assert.equal(serial.exitCode, 1)
  const parallel = await examined(t, script, options)
  assert.deepEqual(parallel.names, ['slow-answers'])
})

test('call-failed: only under load', async (t) => {
  let calls = 0
  const answer = () => (++calls > 5 ? { status: 8, details: 'busy' } : undefined)
  const { names, text } = await examined(t, answering('client.authorize', answer), { calls: 20 })
  assert.deepEqual(names, ['call-failed'])
  assert.match(text('call-failed'), /\d+ of 25 calls of client\.authorize failed/)
})

test('nobody there, or an address that is none: exit code 2', async (t) => {
  const server = createTcpServer()
  const port = await listening(t, server)
  await new Promise((resolve) => server.close(resolve))
  const away = await doctor(t, `http://127.0.0.1:${port}`)
  assert.deepEqual([away.names, away.exitCode], [['nobody-listens'], 2])
  const unknown = await doctor(t, 'http://nobody.invalid:9000')
  assert.deepEqual([unknown.names, unknown.exitCode], [['host-unknown'], 2])
  const words: [string, RegExp][] = [
    [
      'http://127.0.0.1',
      /^hookmq: "http:\/\/127\.0\.0\.1": the port is missing, and there is no usual one: http:\/\/127\.0\.0\.1:9000\n$/,
    ],
    ['grpc://127.0.0.1:9000', /the scheme grpc:\/\/ is none of http:\/\/ and https:\/\//],
    ['127.0.0.1:9000', /expected http:\/\/HOST:PORT or https:\/\/HOST:PORT/],
    ['http://127.0.0.1:9000/hooks', /nothing may stand behind the port, got "\/hooks"/],
    ['http://127.0.0.1:70000', /70000 is no port/],
  ]
  for (const [url, expected] of words) {
    const { code, stdout, stderr } = await runCommand(t, ['exhook', 'doctor', url])
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, expected)
  }
  const setting = await runCommand(t, ['exhook', 'doctor', `http://127.0.0.1:${port}`, '--set', 'pool_size=many'])
  assert.equal(setting.code, 2)
  assert.match(setting.stderr, /^hookmq: --set pool_size: expected .*, got "many"\n$/)
  assert.equal((await runCommand(t, ['exhook', 'doctor'])).code, 2)
})

test('--wait: a provider that comes later is waited for', async (t) => {
  const server = createTcpServer()
  const port = await listening(t, server)
  await new Promise((resolve) => server.close(resolve))
  const command = new RunningCommand(t, [
    'exhook',
    'doctor',
    `http://127.0.0.1:${port}`,
    '--wait',
    '30s',
    '--calls',
    '0',
  ])
  await new Promise((resolve) => setTimeout(resolve, 300))
  await ScriptedProvider.start(t, { port, hooks: [{ name: 'client.connected' }] })
  assert.equal(await command.ended, 0, command.stdout)
})

test('servers of other kinds, by name', async (t) => {
  const http = await listening(
    t,
    createHttpServer((_request, response) => response.end('hello')),
  )
  assert.deepEqual((await examinedAt(`http://127.0.0.1:${http}`)).names, ['http1-server'])
  const silent = await listening(
    t,
    createTcpServer((socket) => void socket.on('error', () => {})),
  )
  const quiet = await examinedAt(`http://127.0.0.1:${silent}`, { set: [short] })
  assert.deepEqual([quiet.names, quiet.exitCode], [['silent-server'], 1])
  // As an MQTT broker does with bytes that are no CONNECT.
  const mqtt = await listening(
    t,
    createTcpServer((socket) => void socket.on('data', () => socket.destroy())),
  )
  assert.deepEqual((await examinedAt(`http://127.0.0.1:${mqtt}`)).names, ['not-http2'])
  const web = await examined(t, {
    versions: [],
    other: (stream) => stream.respond({ ':status': 404 }, { endStream: true }),
  })
  assert.deepEqual(web.names, ['not-grpc'])
})

test('TLS: the wrong scheme, a certificate that is not trusted, no HTTP/2', async (t) => {
  const authority = new TestAuthority()
  t.after(() => authority.remove())
  const { cert, key } = authority.issue('/CN=localhost')
  const tls = { cert: readFileSync(cert), key: readFileSync(key) }
  const provider = await ScriptedProvider.start(t, { tls, hooks: [{ name: 'client.connected' }] })
  assert.deepEqual((await doctor(t, provider.url)).names, [])
  assert.deepEqual((await examinedAt(provider.url.replace('https', 'http'))).names, ['tls-server'])
  const trusted = ['ssl.verify=verify_peer', `ssl.cacertfile=${authority.ca}`]
  assert.deepEqual((await examinedAt(provider.url, { set: trusted })).names, [])
  const distrusted = await examinedAt(provider.url, { set: ['ssl.verify=verify_peer'] })
  assert.deepEqual(distrusted.names, ['tls-failed'])
  const missing = await examinedAt(provider.url, { set: ['ssl.cacertfile=/nowhere.pem'] })
  assert.match(missing.text('tls-failed'), /^ssl\.cacertfile: \/nowhere\.pem: there is no such file$/)
  const plain = await ScriptedProvider.start(t)
  assert.deepEqual((await examinedAt(plain.url.replace('http', 'https'))).names, ['plain-server'])
  const old = await listening(
    t,
    createTlsServer({ ...tls, ALPNProtocols: ['http/1.1'] }, (socket) => void socket.on('error', () => {})),
  )
  const refused = await examinedAt(`https://127.0.0.1:${old}`)
  assert.ok(['no-http2-over-tls', 'tls-failed'].includes(refused.names[0]))
  const none = await listening(
    t,
    createTlsServer(tls, (socket) => void socket.on('error', () => {})),
  )
  assert.deepEqual((await examinedAt(`https://127.0.0.1:${none}`)).names, ['no-http2-over-tls'])
  const closed = await ScriptedProvider.start(t, { tls: { ...tls, ca: readFileSync(authority.ca) } })
  assert.deepEqual((await examinedAt(closed.url)).names, ['tls-failed'])
})

test('every kind of finding has been found by one of these tests', () => {
  // An address that swallows packets is not to be had on one machine.
  const beyond = ['no-connection']
  assert.deepEqual(
    Object.keys(findingKinds).filter((name) => !proven.has(name) && !beyond.includes(name)),
    [],
  )
})
