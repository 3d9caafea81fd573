import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { configKeys, serverKeys } from './keys.ts'
import { readServer, SettingsError, serversOf, urlProblem } from './settings.ts'
import { readServerUrl } from './url.ts'

const url = 'http://127.0.0.1:9000'

test('the defaults are those of EMQX', () => {
  const settings = readServer('one', { url })
  assert.deepEqual(
    [settings.enable, settings.requestTimeout, settings.failedAction, settings.autoReconnect, settings.poolSize],
    [true, 5000, undefined, 60_000, 8],
  )
  assert.deepEqual(
    [settings.version, settings.healthCheckInterval, settings.policy.notify],
    ['auto', 5000, 'background'],
  )
  assert.equal(settings.ssl.verify, 'verify_none')
  assert.deepEqual(settings.ssl.versions, ['tlsv1.3', 'tlsv1.2'])
  assert.deepEqual(settings.socket, { keepalive: true, nodelay: true, receiveBuffer: 1_048_576 })
  assert.equal('failedAction' in settings.policy, false, 'what is not written is not armed')
})

test('the global keys of EMQX 4.3 hold for servers that do not say otherwise', () => {
  const globals = {
    'exhook.request_timeout': '2s',
    'exhook.request_failed_action': 'deny',
    'exhook.auto_reconnect': 'false',
    'exhook.pool_size': '3',
  }
  const one = readServer('one', { url }, globals)
  assert.deepEqual([one.requestTimeout, one.failedAction, one.autoReconnect, one.poolSize], [2000, 'deny', 0, 3])
  const other = readServer(
    'two',
    { url, request_timeout: '300ms', auto_reconnect: '5s', failed_action: 'ignore' },
    globals,
  )
  assert.deepEqual([other.requestTimeout, other.failedAction, other.autoReconnect], [300, 'ignore', 5000])
})

test('what is said for one hook', () => {
  const { policy } = readServer('one', {
    url,
    'hook.message.publish.failed_action': 'deny',
    'hook.client.authorize.request_timeout': '100ms',
  })
  assert.deepEqual(policy.hooks, { 'message.publish': { failedAction: 'deny' }, 'client.authorize': { timeout: 100 } })
})

test('servers come in the order in which they stand in the file', () => {
  const servers = serversOf({
    'exhook.server.zebra.url': url,
    'exhook.pool_size': '3',
    'exhook.server.ant.url': url,
    'exhook.server.zebra.ssl.verify': 'verify_peer',
  })
  assert.deepEqual(
    [...servers],
    [
      ['zebra', { url, 'ssl.verify': 'verify_peer' }],
      ['ant', { url }],
    ],
  )
})

describe('what is wrong is named, all of it', () => {
  const problems = (name: string, texts: Record<string, string>): readonly string[] => {
    try {
      readServer(name, texts)
    } catch (error) {
      assert.ok(error instanceof SettingsError)
      return error.problems
    }
    return []
  }

  for (const [key, text, expected] of [
    ['request_timeout', 'soon', 'a duration'],
    ['pool_size', '0', 'an integer'],
    ['failed_action', 'drop', 'deny or ignore'],
    ['auto_reconnect', 'maybe', 'false, or a duration'],
    ['version', 'v1', 'auto, v2 or v3'],
    ['ssl.versions', 'tlsv1.3,ssl3', 'a list of tlsv1.3, tlsv1.2, tlsv1.1, tlsv1'],
    ['hook.message.publish.failed_action', 'maybe', 'deny or ignore'],
  ])
    test(`${key} = ${text}`, () => {
      const [problem] = problems('one', { url, [key]: text })
      assert.ok(problem?.startsWith(`exhook.server.one.${key}: expected ${expected}`), problem)
      assert.ok(problem.endsWith(`got "${text}"`), problem)
    })

  test('a key or a hook that does not exist, a name that is none', () => {
    assert.deepEqual(problems('one', { url, pool: '8', 'hook.client.ping.failed_action': 'deny' }), [
      'exhook.server.one.pool: there is no such key',
      'exhook.server.one.hook.client.ping.failed_action: there is no hook client.ping',
    ])
    assert.equal(problems('-one', { url }).length, 1)
    assert.equal(problems('a'.repeat(257), { url }).length, 1)
  })
})

test('urls', () => {
  for (const [text, expected] of [
    ['http://127.0.0.1:9000', ['http', '127.0.0.1', 9000, '127.0.0.1:9000']],
    ['HTTPS://hooks.example.org:443/', ['https', 'hooks.example.org', 443, 'hooks.example.org:443']],
    ['http://[::1]:9000', ['http', '::1', 9000, '[::1]:9000']],
  ] as const) {
    const address = readServerUrl(text)
    assert.deepEqual([address?.scheme, address?.host, address?.port, address?.authority], expected)
  }
  for (const text of [
    'http://a',
    'http://a:0',
    'http://a:65536',
    'grpc://a:1',
    'http://a:1/b',
    'http://u@a:1',
    'a:1',
    '',
  ])
    assert.equal(readServerUrl(text), undefined, text)
  assert.equal(urlProblem(readServer('one', { url })), undefined)
  assert.match(urlProblem(readServer('one', {})) ?? '', /it is not set$/)
})

test('every key of a server is one of the plugin, with a description', () => {
  for (const [key, { description }] of Object.entries(serverKeys)) {
    assert.ok(Object.hasOwn(configKeys, `exhook.server.$name.${key}`))
    assert.match(description, /\.$/)
  }
})
