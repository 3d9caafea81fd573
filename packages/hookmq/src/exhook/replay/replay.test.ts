import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fromBinary, v3 } from '@hookmq/provider-exhook/client'
import { RunningCommand, runCommand, startCommand } from '../../testing/command.ts'
import type { RecordEnd, RecordedEvent, RecordHeader } from '../record/format.ts'
import { answers, type ProviderScript, ScriptedProvider } from '../scripted-provider.testing.ts'
import { runReplay } from './run.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'hookmq-replay-test-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const header: RecordHeader = {
  format: 'hookmq.exhook.record',
  version: 1,
  source: 'broker',
  started: '2026-01-02T03:04:05.000Z',
  node: 'hookmq@127.0.0.1',
  hookmq: '0.1.0',
  hooks: ['client.connected', 'client.authenticate', 'client.authorize', 'message.publish'],
  payloads: 'kept',
  passwords: 'masked',
}
const clientinfo = (clientid: string, username = '') => ({
  node: 'n',
  clientid,
  username,
  peerhost: '192.0.2.1',
  protocol: 'mqtt',
})
const publish = (topic: string, payload: string, qos = 1) => ({
  message: {
    node: 'n',
    id: 'AB',
    qos,
    from: 'c',
    topic,
    payload: Buffer.from(payload).toString('base64'),
    timestamp: '1',
    headers: { protocol: 'mqtt', username: 'ann' },
  },
  props: [{ name: 'Content-Type', value: 'text/plain' }],
})

/** What a broker without decisions of its own would have recorded. */
const events: readonly Omit<RecordedEvent, 'seq' | 'at'>[] = [
  {
    hook: 'client.authenticate',
    request: { clientinfo: { ...clientinfo('c', 'ann'), password: '******' }, result: true },
    masked: { password: true },
    verdict: { result: 'allow' },
  },
  {
    hook: 'client.authenticate',
    request: { clientinfo: clientinfo('e', 'eve') },
    verdict: { result: 'deny', code: 0x87 },
  },
  { hook: 'client.connected', request: { clientinfo: clientinfo('c', 'ann') } },
  {
    hook: 'client.authorize',
    request: { clientinfo: clientinfo('c', 'ann'), topic: 'a', result: true },
    verdict: { result: 'allow' },
  },
  { hook: 'message.publish', request: publish('a', 'hello'), verdict: { result: 'pass' } },
  { hook: 'message.publish', request: publish('b', 'hello'), verdict: { result: 'pass' } },
]

function recorded(t: TestContext, given: Partial<RecordHeader> = {}, list = events): string {
  const file = join(folder(t), 'traffic.jsonl')
  const lines = [
    { ...header, ...given },
    ...list.map((event, index) => ({ seq: index + 1, at: index, ...event })),
    { end: '2026-01-02T03:04:06.000Z', events: list.length, dropped: 0 },
  ]
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return file
}

function lines(file: string): [RecordHeader, ...RecordedEvent[]] {
  const all = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const end: RecordEnd = all.pop()
  assert.equal(end.events, all.length - 1)
  return all as unknown as [RecordHeader, ...RecordedEvent[]]
}

const replay = (t: TestContext, file: string, to: string, ...args: string[]) =>
  runCommand(t, ['exhook', 'replay', file, '--to', to, '--fast', ...args])

test('a provider gets the requests as they were recorded, and its verdicts are counted', async (t) => {
  const provider = await ScriptedProvider.start(t, {
    hooks: [{ name: 'client.authenticate' }, { name: 'client.connected' }, { name: 'message.publish', topics: ['a'] }],
    answer: (call, request) => {
      if (call === 'OnClientAuthenticate')
        return fromBinary(v3.ClientAuthenticateRequestSchema, request).clientinfo?.username === 'eve'
          ? answers.stop(true)
          : undefined
      return call === 'OnMessagePublish'
        ? answers.message({ topic: 'z', qos: 1, payload: Buffer.from('HELLO') })
        : undefined
    },
  })
  const out = join(folder(t), 'out.jsonl')
  const { code, stdout } = await replay(t, recorded(t), provider.url, '--out', out)
  assert.equal(code, 0, stdout)
  assert.match(
    stdout,
    /^http:\/\/127\.0\.0\.1:\d+: emqx\.exhook\.v3, client\.authenticate, client\.connected, message\.publish\n/,
  )
  assert.match(stdout, /^client\.authenticate +2 {2}allow 2 /m)
  assert.match(stdout, /^client\.authorize +1 {2}allow 1 \(not asked 1\) +- +-$/m)
  assert.match(stdout, /^message\.publish +2 {2}change 1, pass 1 \(not asked 1\) /m)
  assert.match(stdout, /^Passwords were masked/m)
  assert.deepEqual(provider.calls.map(({ call }) => call).toSorted(), [
    'OnClientAuthenticate',
    'OnClientAuthenticate',
    'OnClientConnected',
    'OnMessagePublish',
    'OnProviderLoaded',
    'OnProviderUnloaded',
  ])
  const asked = provider.calls.find(({ call }) => call === 'OnMessagePublish')
  const request = fromBinary(v3.MessagePublishRequestSchema, asked?.request ?? new Uint8Array())
  assert.deepEqual(
    [
      request.message?.topic,
      Buffer.from(request.message?.payload ?? []).toString(),
      request.message?.headers.username,
      request.meta?.clusterName,
    ],
    ['a', 'hello', 'ann', 'emqxcl'],
  )
  assert.deepEqual(
    request.props.map(({ name, value }) => [name, value]),
    [['Content-Type', 'text/plain']],
  )

  const [first, ...rest] = lines(out)
  assert.deepEqual([first.source, first.target, first.started === header.started], ['replay', provider.url, false])
  assert.deepEqual(
    rest.map(({ seq, verdict }) => [seq, verdict]),
    [
      [1, { result: 'allow', answer: 'IGNORE' }],
      [2, { result: 'allow', answer: 'STOP_AND_RETURN' }],
      [3, { result: 'told' }],
      [4, { result: 'allow', answer: 'not asked' }],
      [
        5,
        {
          result: 'change',
          topic: 'z',
          qos: 1,
          payload: Buffer.from('HELLO').toString('base64'),
          answer: 'STOP_AND_RETURN',
        },
      ],
      [6, { result: 'pass', answer: 'not asked' }],
    ],
  )
  assert.equal(statSync(out).mode & 0o777, 0o600)
})

test('masked payloads are sent as letters of the same number; a provider of v2 gets no fields of v3', async (t) => {
  const provider = await ScriptedProvider.start(t, { versions: ['v2'] })
  const { payload: _, ...message } = publish('a', '').message
  const file = recorded(t, { payloads: 'masked' }, [
    { hook: 'message.publish', request: { ...publish('a', ''), message }, masked: { payload: 7 } },
  ])
  assert.equal((await replay(t, file, provider.url)).code, 0)
  const asked = provider.calls.find(({ call }) => call === 'OnMessagePublish')
  const request = fromBinary(v3.MessagePublishRequestSchema, asked?.request ?? new Uint8Array())
  assert.equal(Buffer.from(request.message?.payload ?? []).toString(), 'xxxxxxx')
  assert.deepEqual(request.props, [])
})

test('--compare shows what a provider decides otherwise, and says so with exit code 1', async (t) => {
  const script: ProviderScript = { answer: (call) => (call === 'OnClientAuthorize' ? answers.stop(false) : undefined) }
  const provider = await ScriptedProvider.start(t, script)
  const file = recorded(t)
  const differs = await replay(t, file, provider.url, '--compare', file)
  assert.equal(differs.code, 1)
  assert.match(
    differs.stdout,
    /^6 events compared, 1 differ: .* → http.*\n {2}#4 {2}client\.authorize {2}c a: allow → deny\n$/m,
  )
  const agrees = await replay(t, file, provider.url, '--compare', file, '--hook', 'message.publish')
  assert.equal(agrees.code, 0, agrees.stdout)
  assert.match(agrees.stdout, /^2 events compared: .* agree$/m)
  const json = JSON.parse((await replay(t, file, provider.url, '--compare', file, '--json')).stdout)
  assert.deepEqual(json.comparison.differences, [
    {
      seq: 4,
      hook: 'client.authorize',
      about: 'c a',
      one: { result: 'allow' },
      other: { result: 'deny', answer: 'STOP_AND_RETURN' },
    },
  ])
  assert.deepEqual([json.events, json.errors, json.exitCode], [6, 0, 1])
})

test('calls that fail: counted, the first one shown, exit code 1', async (t) => {
  const provider = await ScriptedProvider.start(t, {
    answer: (call) => (call === 'OnMessagePublish' ? { status: 13, details: 'no disk' } : undefined),
  })
  const { code, stdout } = await replay(t, recorded(t), provider.url)
  assert.equal(code, 1)
  assert.match(stdout, /^message\.publish +2 {2}error 2 /m)
  assert.match(stdout, /^The first error, event #5 of message\.publish: INTERNAL: no disk$/m)
})

test('events of one client are sent one after the other, those of others meanwhile', async (t) => {
  let underWay = 0
  let most = 0
  const perClient = new Map<string, number>()
  const provider = await ScriptedProvider.start(t, {
    hooks: [{ name: 'client.connected' }],
    answer: (call, request) => {
      if (call !== 'OnClientConnected') return undefined
      const id = fromBinary(v3.ClientConnectedRequestSchema, request).clientinfo?.clientid ?? ''
      const mine = (perClient.get(id) ?? 0) + 1
      perClient.set(id, mine)
      most = Math.max(most, ++underWay)
      assert.equal(mine, 1)
      setTimeout(() => {
        underWay--
        perClient.set(id, 0)
      }, 10)
      return { delay: 15 }
    },
  })
  const list = Array.from({ length: 30 }, (_, index) => ({
    hook: 'client.connected',
    request: { clientinfo: clientinfo(`c${index % 3}`) },
  }))
  assert.equal((await replay(t, recorded(t, {}, list), provider.url)).code, 0)
  assert.equal(provider.calls.filter(({ call }) => call === 'OnClientConnected').length, 30)
  assert.ok(most > 1 && most <= 3, String(most))
})

test('at the pace of the record, unless it is to be fast', async (t) => {
  const provider = await ScriptedProvider.start(t, { hooks: [] })
  const file = recorded(t, {}, [events[2]])
  writeFileSync(file, readFileSync(file, 'utf8').replace('"at":0', '"at":1200'))
  const began = performance.now()
  const { code } = await runCommand(t, ['exhook', 'replay', file, '--to', provider.url])
  assert.equal(code, 0)
  assert.ok(performance.now() - began >= 1200)
})

test('a plugin is asked in a broker of its own', async (t) => {
  const file = join(folder(t), 'guard.ts')
  writeFileSync(
    file,
    `export default {
      name: 'guard',
      setup(ctx) {
        ctx.hook('client.authenticate', ({ client }) => {
          if (client.username === 'eve') return { stop: { result: 'allow' } }
          if (Buffer.from(client.password).toString() !== '******') throw new Error('no password')
        })
        ctx.hook('client.authorize', async ({ action, topic }) => (action === 'publish' && topic === 'a' ? { stop: { result: 'deny' } } : undefined))
        ctx.hook('message.publish', ({ client }, message) =>
          message.properties.contentType === 'text/plain' && message.topic === 'a' ? { ok: { ...message, payload: Buffer.from(client.username) } } : { reject: 0x99 })
        ctx.hook('client.connected', () => { throw new Error('this hook is broken') })
      },
    }`,
  )
  const out = join(folder(t), 'out.jsonl')
  const { code, stdout } = await replay(t, recorded(t), file, '--out', out)
  assert.equal(code, 1)
  assert.match(stdout, /: plugin guard\n/)
  assert.deepEqual(
    lines(out)
      .slice(1)
      .map((event) => ('verdict' in event ? event.verdict : undefined)),
    [
      { result: 'allow' },
      { result: 'allow' },
      { result: 'error', reason: 'a hook failed; the log above says how' },
      { result: 'deny' },
      { result: 'change', topic: 'a', qos: 1, payload: Buffer.from('ann').toString('base64') },
      { result: 'reject', code: 0x99 },
    ],
  )
})

test('files and targets that cannot be used: one line, exit code 2, and nothing is overwritten', async (t) => {
  const provider = await ScriptedProvider.start(t)
  const file = recorded(t)
  const bad = join(folder(t), 'bad.jsonl')
  const cases: [content: string | undefined, expected: RegExp][] = [
    [undefined, /^.*bad\.jsonl: there is no such file$/],
    ['', /bad\.jsonl: the file is empty/],
    ['{"a":1}\n', /bad\.jsonl:1: this is no record of hook traffic; hookmq exhook record makes one/],
    [
      JSON.stringify({ ...header, version: 9 }),
      /bad\.jsonl:1: this record has version 9 of the format; this program knows 1/,
    ],
    [`${JSON.stringify(header)}\n{"seq":1}\n`, /bad\.jsonl:2: at: expected milliseconds/],
    [`${JSON.stringify(header)}\nnonsense}\n{}\n`, /bad\.jsonl:2: expected one object of JSON/],
  ]
  for (const [content, message] of cases) {
    if (content !== undefined) writeFileSync(bad, content)
    const options = { paced: false, concurrency: 1, hooks: undefined }
    const request = {
      file: bad,
      to: provider.url,
      settings: [],
      options,
      out: undefined,
      force: false,
      compareWith: undefined,
    }
    await assert.rejects(runReplay({ ...request, progress: () => {} }), { name: 'HookmqError', message })
  }
  const none = await replay(t, join(folder(t), 'none.jsonl'), provider.url)
  assert.equal(none.code, 2)
  assert.match(none.stderr, /^hookmq: .*none\.jsonl: there is no such file\n$/)
  const away = await replay(t, file, 'http://127.0.0.1:1')
  assert.deepEqual([away.code, away.stdout], [2, ''])
  assert.match(
    away.stderr,
    /^hookmq: http:\/\/127\.0\.0\.1:1: UNAVAILABLE: .*; hookmq exhook doctor http:\/\/127\.0\.0\.1:1 says more\n$/,
  )
  const plugin = await replay(t, file, './nothing.ts')
  assert.equal(plugin.code, 2)
  assert.match(plugin.stderr, /no such file/)
  const over = await replay(t, file, provider.url, '--out', file)
  assert.match(over.stderr, /there already; give another name, or --force/)
  assert.equal(lines(file).length, events.length + 1)
  assert.match(
    (await runCommand(t, ['exhook', 'replay', file, '--to', provider.url, '--hook', 'x'])).stderr,
    /there is no hook x; there are client\.connect, /,
  )
})

test('a record that was cut off in a line is read up to there', async (t) => {
  const provider = await ScriptedProvider.start(t)
  const file = recorded(t)
  writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, 4).join('\n').slice(0, -10))
  const { code, stdout } = await replay(t, file, provider.url)
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^The record has no end: it was cut off\.$/m)
  assert.match(stdout, /^client\.authenticate +2 /m)
})

test('record, from a running broker, and replay of it', async (t) => {
  const path = folder(t)
  const data = join(path, 'data')
  const file = join(path, 'traffic.jsonl')
  const plugin = join(path, 'caps.ts')
  writeFileSync(
    plugin,
    `export default { name: 'caps', setup(ctx) {
      ctx.hook('message.publish', (_, message) => message.topic === 'caps' ? { ok: { ...message, payload: Buffer.from(message.payload.toString().toUpperCase()) } } : undefined)
    } }`,
  )
  const nobody = await runCommand(t, ['exhook', 'record', file, '--data-dir', data])
  assert.equal(nobody.code, 2)
  assert.match(
    nobody.stderr,
    /^hookmq: no broker answers in .*data; give the same --data-dir or --config as to 'start'\n$/,
  )
  assert.equal(existsSync(file), false)
  const { port, command } = await startCommand(t, [
    '--data-dir',
    data,
    '--plugin',
    plugin,
    '--set',
    'acl_nomatch=allow',
  ])
  const recording = new RunningCommand(t, ['exhook', 'record', file, '--data-dir', data, '--with-payloads'])
  await recording.output(/^recording 19 hooks of hookmq@127\.0\.0\.1; Ctrl-C ends it$/m, 'stderr')
  const second = await runCommand(t, ['exhook', 'record', join(path, 'two.jsonl'), '--data-dir', data])
  assert.deepEqual(
    [second.code, second.stderr],
    [2, 'hookmq: somebody is recording already; there can be one recording at a time\n'],
  )
  const sent = await runCommand(t, [
    'pub',
    '-p',
    String(port),
    '-u',
    'ann',
    '-P',
    'pss-word',
    '-i',
    'pub-1',
    '-t',
    'caps',
    '-m',
    'hello',
    '-q',
    '1',
  ])
  assert.equal(sent.code, 0, sent.stderr)
  recording.signal('SIGINT')
  assert.equal(await recording.ended, 0)
  assert.match(recording.stderr, /^\d+ events recorded, 0 dropped$/m)
  const [first, ...rest] = lines(file)
  assert.deepEqual([first.source, first.payloads, first.passwords], ['broker', 'kept', 'masked'])
  const message = rest.find(({ hook }) => hook === 'message.publish')
  assert.deepEqual(message?.verdict, {
    result: 'change',
    topic: 'caps',
    qos: 1,
    payload: Buffer.from('HELLO').toString('base64'),
  })
  assert.ok(!readFileSync(file, 'utf8').includes('pss-word'))
  const same = await replay(t, file, plugin, '--compare', file)
  assert.equal(same.code, 0, same.stdout)

  const short = await runCommand(t, [
    'exhook',
    'record',
    file,
    '--data-dir',
    data,
    '--duration',
    '200ms',
    '--hook',
    'message.publish',
  ])
  assert.match(short.stderr, /traffic\.jsonl: there already; give another name, or --force/)
  const forced = await runCommand(t, [
    'exhook',
    'record',
    file,
    '--force',
    '--data-dir',
    data,
    '--duration',
    '200ms',
    '--hook',
    'message.publish',
  ])
  assert.deepEqual(
    [forced.code, forced.stderr],
    [0, 'recording 1 hooks of hookmq@127.0.0.1\n0 events recorded, 0 dropped\n'],
  )
  const piped = new RunningCommand(t, ['exhook', 'record', '-', '--data-dir', data])
  await piped.output(/^\{"format":"hookmq\.exhook\.record"/)
  command.signal('SIGKILL')
  assert.equal(await piped.ended, 1)
  assert.match(piped.stderr, /^the broker went away$/m)
})
