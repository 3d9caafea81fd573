import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from './running.testing.ts'

const basic = (key: string, secret: string): string => `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`

test('login, use of the token, logout', async (scope) => {
  const { call, logged, broker } = await run(scope)
  const login = await call('POST', '/login', { body: { username: 'admin', password: 'public' }, authorization: '' })
  assert.equal(login.status, 200)
  const { token, version, role, license } = login.body
  assert.deepEqual([version, role, license], [broker.options.version, 'administrator', { edition: 'opensource' }])
  const authorization = `Bearer ${token}`
  assert.equal((await call('GET', '/nodes', { authorization })).status, 200)
  assert.equal((await call('GET', '/nodes', { authorization: `bearer ${token}` })).status, 200)
  assert.equal((await call('POST', '/logout', { authorization })).status, 204)
  const after = await call('GET', '/nodes', { authorization })
  assert.deepEqual([after.status, after.body.code], [401, 'BAD_TOKEN'])
  assert.equal(after.headers.get('www-authenticate'), 'Bearer')
  assert.ok(!JSON.stringify(logged).includes(token), 'the token is in the log')
  assert.ok(!JSON.stringify(logged).includes('"public"'), 'the password is in the log')
})

test('who may not come in', async (scope) => {
  const { call } = await run(scope)
  for (const [authorization, code] of [
    ['', 'AUTHORIZATION_HEADER_ERROR'],
    ['Digest x', 'AUTHORIZATION_HEADER_ERROR'],
    ['Bearer', 'AUTHORIZATION_HEADER_ERROR'],
    ['Bearer x', 'BAD_TOKEN'],
    [basic('admin', 'public'), 'BAD_API_KEY_OR_SECRET'],
    [`Basic ${Buffer.from('nocolon').toString('base64')}`, 'BAD_API_KEY_OR_SECRET'],
  ] as const) {
    const { status, body } = await call('GET', '/clients', { authorization })
    assert.deepEqual([status, body.code], [401, code], authorization)
  }
  for (const body of [
    { username: 'admin', password: 'wrong' },
    { username: 'nobody', password: 'public' },
  ]) {
    const answer = await call('POST', '/login', { body, authorization: '' })
    assert.deepEqual([answer.status, answer.body.code], [401, 'BAD_USERNAME_OR_PWD'])
  }
  const incomplete = await call('POST', '/login', { body: { username: 'admin' }, authorization: '' })
  assert.deepEqual(incomplete.body, { code: 'BAD_REQUEST', message: 'body: password is missing' })
  const wrongType = await call('POST', '/login', { body: { username: 1, password: 'x' }, authorization: '' })
  assert.equal(wrongType.body.message, 'body.username: expected string, got number')
})

test('tokens expire', async (scope) => {
  const { call } = await run(scope, { config: { 'dashboard.token_expired_time': '1ms' } })
  const authorization = `Bearer ${(await call('POST', '/login', { body: { username: 'admin', password: 'public' }, authorization: '' })).body.token}`
  let status = 200
  while (status === 200) status = (await call('GET', '/nodes', { authorization })).status
  assert.equal(status, 401)
})

test('five wrong passwords lock the name, not the others', async (scope) => {
  const { call } = await run(scope)
  const login = (username: string, password: string) =>
    call('POST', '/login', { body: { username, password }, authorization: '' })
  const tries = await Promise.all(Array.from({ length: 5 }, () => login('admin', 'wrong')))
  assert.deepEqual(
    tries.map(({ body }) => body.code),
    Array(5).fill('BAD_USERNAME_OR_PWD'),
  )
  const locked = await login('admin', 'public')
  assert.deepEqual([locked.status, locked.body.code], [401, 'LOGIN_LOCKED'])
  assert.match(locked.body.message, /try again in \d+ seconds/)
  assert.equal((await login('other', 'wrong')).body.code, 'BAD_USERNAME_OR_PWD')
})

test('the default password works only under names of this machine', async (scope) => {
  const { call, url } = await run(scope)
  // fetch does not let a Host header through.
  const { request } = await import('node:http')
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request(`${url}/api/v5/login`, {
      method: 'POST',
      headers: { host: 'evil.example:18083', 'content-type': 'application/json' },
    })
    sent.on('response', (response) => resolve(response.resume().statusCode))
    sent.on('error', reject)
    sent.end(JSON.stringify({ username: 'admin', password: 'public' }))
  })
  assert.equal(status, 401)
  assert.equal((await call('GET', '/nodes')).status, 200)
})

test('users: add, list, roles, change of password, delete', async (scope) => {
  const { call, token, store } = await run(scope)
  const body = { username: 'vera', password: 'look-1-only', description: 'looks', role: 'viewer' }
  const added = await call('POST', '/users', { body })
  const { password: _, ...shown } = body
  assert.deepEqual([added.status, added.body], [200, { ...shown, backend: 'local' }])
  assert.deepEqual((await call('POST', '/users', { body })).body.code, 'ALREADY_EXISTS')
  assert.deepEqual(
    (await call('GET', '/users')).body.map(({ username }: { username: string }) => username),
    ['admin', 'vera'],
  )
  for (const [password, why] of [
    ['short1', /8 to 64/],
    ['onlyletters', /at least two/],
  ] as const) {
    const weak = await call('POST', '/users', { body: { username: 'weak', password } })
    assert.equal(weak.status, 400)
    assert.match(weak.body.message, why)
  }
  assert.equal((await call('POST', '/users', { body: { username: 'a b', password: 'look-1-only' } })).status, 400)

  const authorization = `Bearer ${await token('vera', 'look-1-only')}`
  assert.equal((await call('GET', '/clients', { authorization })).status, 200)
  const forbidden = await call('DELETE', '/clients/x', { authorization })
  assert.deepEqual([forbidden.status, forbidden.body.code], [403, 'UNAUTHORIZED_ROLE'])
  const change = (name: string, old_pwd: string, new_pwd: string, authorization?: string) =>
    call('POST', `/users/${name}/change_pwd`, { body: { old_pwd, new_pwd }, ...(authorization && { authorization }) })
  assert.equal((await change('admin', 'public', 'stolen-123', authorization)).status, 403)
  assert.deepEqual((await change('vera', 'wrong', 'other-2-pass', authorization)).body.code, 'BAD_USERNAME_OR_PWD')
  assert.equal((await change('vera', 'look-1-only', 'other-2-pass', authorization)).status, 204)
  assert.equal((await call('GET', '/clients', { authorization })).status, 401, 'logged out everywhere')
  await token('vera', 'other-2-pass')

  assert.equal((await call('PUT', '/users/vera', { body: { role: 'administrator' } })).body.role, 'administrator')
  assert.equal((await call('PUT', '/users/nobody', { body: {} })).body.code, 'USER_NOT_FOUND')
  assert.equal((await call('DELETE', '/users/admin')).status, 400)
  assert.equal((await call('DELETE', '/users/vera')).status, 204)
  assert.equal((await call('DELETE', '/users/vera')).body.code, 'USER_NOT_FOUND')
  for await (const [key, value] of store.namespace('management').list('user/')) {
    assert.match((value as { password: string }).password, /^scrypt\$/, key)
  }
})

test('the last administrator stays one', async (scope) => {
  const { call } = await run(scope)
  const answer = await call('PUT', '/users/admin', { body: { role: 'viewer' } })
  assert.deepEqual([answer.status, answer.body.message], [400, 'admin is the only administrator'])
})

test('users and keys outlive the plugin; a changed password wins over the file', async (scope) => {
  const first = await run(scope)
  const key = (await first.call('POST', '/api_key', { body: { name: 'stays' } })).body
  const body = { old_pwd: 'public', new_pwd: 'changed-1' }
  assert.equal((await first.call('POST', '/users/admin/change_pwd', { body })).status, 204)
  await first.stop()
  const second = await run(scope, { store: first.store })
  await assert.rejects(second.token('admin', 'public'), /BAD_USERNAME_OR_PWD/)
  await second.token('admin', 'changed-1')
  assert.equal((await second.call('GET', '/nodes', { authorization: basic(key.api_key, key.api_secret) })).status, 200)
})

test('API keys: make, use, change, expire, delete', async (scope) => {
  const { call, store } = await run(scope)
  const made = await call('POST', '/api_key', {
    body: { name: 'ci', desc: 'builds', expired_at: '2999-01-01T00:00:00Z' },
  })
  assert.equal(made.status, 200)
  const { api_key, api_secret, created_at, ...rest } = made.body
  assert.deepEqual(rest, {
    name: 'ci',
    desc: 'builds',
    enable: true,
    expired: false,
    expired_at: '2999-01-01T00:00:00.000Z',
    role: 'administrator',
  })
  assert.ok(Date.parse(created_at) > 0)
  for await (const [, value] of store.namespace('management').list()) {
    assert.ok(!JSON.stringify(value).includes(api_secret), 'the secret is in the store')
  }
  const { api_secret: _, ...shown } = made.body
  assert.deepEqual((await call('GET', '/api_key')).body, [shown])
  assert.deepEqual((await call('GET', '/api_key/ci')).body, shown)
  assert.equal((await call('POST', '/api_key', { body: { name: 'ci' } })).body.code, 'ALREADY_EXISTS')
  assert.equal((await call('POST', '/api_key', { body: { name: '1x' } })).status, 400)

  const authorization = basic(api_key, api_secret)
  const status = async (method = 'GET', path = '/nodes', body?: unknown): Promise<number> =>
    (await call(method, path, { authorization, body })).status
  assert.equal(await status(), 200)
  assert.equal((await call('GET', '/nodes', { authorization: basic(api_key, 'wrong') })).status, 401)
  // A key must not make keys or users.
  for (const path of ['/api_key', '/users', '/api_key/ci']) assert.equal(await status('GET', path), 403, path)
  assert.equal(await status('POST', '/logout'), 403)

  const put = (body: object) => call('PUT', '/api_key/ci', { body })
  assert.equal((await put({ role: 'viewer' })).body.role, 'viewer')
  assert.deepEqual([await status(), await status('DELETE', '/clients/x')], [200, 403])
  await put({ role: 'publisher' })
  assert.deepEqual([await status(), await status('POST', '/publish', { topic: 'a', payload: '' })], [403, 202])
  await put({ role: 'administrator', enable: false })
  assert.equal(await status(), 401)
  await put({ enable: true, expired_at: '2001-01-01T00:00:00Z' })
  assert.equal(await status(), 401)
  assert.equal((await call('GET', '/api_key/ci')).body.expired, true)
  await put({ expired_at: 'infinity' })
  assert.equal(await status(), 200)
  assert.equal((await put({ expired_at: 'soon' })).status, 400)
  assert.equal((await call('DELETE', '/api_key/ci')).status, 204)
  assert.equal(await status(), 401)
  assert.equal((await call('GET', '/api_key/ci')).status, 404)
})

test('a key of the configuration file works and is not listed', async (scope) => {
  const config = { 'management.default_application.id': 'app', 'management.default_application.secret': 'its-secret' }
  const { call } = await run(scope, { config })
  assert.equal((await call('GET', '/nodes', { authorization: basic('app', 'its-secret') })).status, 200)
  assert.equal((await call('GET', '/nodes', { authorization: basic('app', 'other') })).status, 401)
  assert.deepEqual((await call('GET', '/api_key')).body, [])
})
