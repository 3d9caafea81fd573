import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { TestAuthority } from '@hookmq/api/testing'
import { MemoryStore } from '@hookmq/store-memory'
import { run } from './running.testing.ts'
import { readSettings } from './settings.ts'

test('defaults', () => {
  assert.deepEqual(readSettings({}), {
    listeners: [{ key: 'dashboard.listener.http', host: '127.0.0.1', port: 18083, maxClients: 512 }],
    defaultUser: { name: 'admin', password: 'public' },
    tokenLifetime: 3_600_000,
    bodyLimit: 1_048_576,
    requestTimeout: 30_000,
    origins: [],
    prometheusAuth: false,
  })
})

test('where it listens', () => {
  const places = (config: Record<string, string>) =>
    readSettings(config).listeners.map(({ key, host, port }) => `${key} ${host} ${port}`)
  assert.deepEqual(places({ 'dashboard.listener.http': '18083' }), ['dashboard.listener.http 127.0.0.1 18083'])
  assert.deepEqual(places({ 'dashboard.listener.http': 'localhost:0' }), ['dashboard.listener.http 127.0.0.1 0'])
  assert.deepEqual(places({ 'dashboard.listener.http': '[::]:80' }), ['dashboard.listener.http :: 80'])
  assert.deepEqual(places({ 'dashboard.listener.http': 'off', 'management.listener.http': '8081' }), [
    'management.listener.http 127.0.0.1 8081',
  ])
})

test('what is not a setting is told with its key', () => {
  for (const [key, value, message] of [
    ['dashboard.listener.http', 'here', /^dashboard\.listener\.http: expected an address such as .*, got 'here'$/],
    ['dashboard.listener.http.max_clients', '0', /expected a number above 0, got '0'/],
    ['dashboard.listener.https', '18084', /^dashboard\.listener\.https needs dashboard\.listener\.https\.certfile/],
    ['dashboard.listener.http.access.1', 'allow 10.0.0.0/8', /addresses are not filtered here/],
    ['dashboard.token_expired_time', '5', /expected a duration/],
    ['dashboard.max_body_size', 'big', /expected a size/],
    ['dashboard.cors', '*', /expected 'off', or origins/],
    ['dashboard.default_user.login', '', /not empty/],
    ['prometheus.enable_basic_auth', 'maybe', /expected on or off/],
    ['management.default_application.id', 'app', /management\.default_application\.secret: expected a text/],
  ] as const) {
    assert.throws(() => readSettings({ [key]: value }), { name: 'TypeError', message }, key)
  }
  assert.ok(readSettings({ 'dashboard.listener.http.access.1': 'allow all' }))
})

test('with the default password it does not open to other machines', async (scope) => {
  const everywhere = { 'dashboard.listener.http': '0.0.0.0:0' }
  await assert.rejects(
    run(scope, { config: everywhere }),
    /dashboard\.listener\.http = 0\.0\.0\.0:0 can be reached .*set another dashboard\.default_user\.password, or listen on 127\.0\.0\.1/,
  )
  // Nor when the store has it from an earlier start, whatever the file says now.
  const store = new MemoryStore()
  await (await run(scope, { store })).stop()
  const config = { ...everywhere, 'dashboard.default_user.password': 'another-1' }
  await assert.rejects(run(scope, { store, config }), /which the store already has/)
  const key = { 'management.default_application.id': 'admin', 'management.default_application.secret': 'public' }
  await assert.rejects(
    run(scope, { config: { ...config, ...key } }),
    /set another management\.default_application\.secret/,
  )
})

test('with another password it opens', async (scope) => {
  const config = { 'dashboard.listener.http': '0.0.0.0:0', 'dashboard.default_user.password': 'another-1' }
  const { token, logged } = await run(scope, { config })
  assert.ok(await token('admin', 'another-1'))
  assert.ok(!JSON.stringify(logged).includes('another-1'))
})

test('a port that is taken is told in one line, and nothing is left', async (scope) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  scope.after(() => taken.close())
  const { port } = taken.address() as { port: number }
  await assert.rejects(run(scope, { config: { 'dashboard.listener.http': `127.0.0.1:${port}` } }), {
    message: `dashboard.listener.http: port ${port} on 127.0.0.1 is in use; choose another address, or 'off'`,
  })
})

test('HTTPS beside HTTP', async (scope) => {
  const authority = new TestAuthority()
  scope.after(() => authority.remove())
  const { cert, key } = authority.issue('/CN=localhost')
  const https = 'dashboard.listener.https'
  const { logged } = await run(scope, {
    config: { [https]: '0', [`${https}.certfile`]: cert, [`${https}.keyfile`]: key },
  })
  const address = String(logged.find(({ fields }) => fields?.listener === https)?.fields?.address)
  assert.match(address, /^https:\/\/127\.0\.0\.1:\d+$/)
  const status = await new Promise((resolve, reject) =>
    get(`${address}/status`, { ca: readFileSync(authority.ca), checkServerIdentity: () => undefined }, (response) =>
      resolve(response.resume().statusCode),
    ).on('error', reject),
  )
  assert.equal(status, 200)
  await assert.rejects(
    run(scope, { config: { [https]: '0', [`${https}.certfile`]: '/none', [`${https}.keyfile`]: key } }),
    /dashboard\.listener\.https\.certfile: \/none cannot be read \(ENOENT\)/,
  )
})
