import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin } from '@hookmq/api'
import { Validator } from '@seriousme/openapi-schema-validator'
import { run } from './running.testing.ts'

interface Operation {
  readonly operationId: string
  readonly parameters: readonly {
    readonly name: string
    readonly required: boolean
    readonly in: string
    readonly schema: { readonly enum?: readonly string[] }
  }[]
  readonly requestBody?: {
    readonly content: {
      readonly 'application/json': { readonly schema: { readonly type: string; readonly required?: readonly string[] } }
    }
  }
}

/** Endpoints of another plugin, as retainer, rewrite and delayed have them. */
const things = definePlugin({
  name: 'things',
  setup(ctx) {
    ctx.route({
      method: 'GET',
      path: '/mqtt/things/:topic',
      summary: 'One thing',
      tag: 'Things',
      querySchema: { type: 'object', properties: { page: { type: 'integer', minimum: 1, default: 1 } } },
      responseSchema: { type: 'object' },
      handle: ({ params, query, user }) => ({ status: 200, body: { params, query, user } }),
    })
    ctx.route({
      method: 'PUT',
      path: '/mqtt/things',
      summary: 'Set the things',
      bodySchema: { type: 'object', required: ['enable'], properties: { enable: { type: 'boolean' } } },
      handle: async ({ body }) => ({ status: 200, body }),
    })
    ctx.route({
      method: 'DELETE',
      path: '/mqtt/things',
      summary: 'Fails',
      handle() {
        throw new Error('secret detail')
      },
    })
    ctx.route({
      method: 'GET',
      path: '/mqtt/things',
      summary: 'As text',
      handle: () => ({ status: 200, body: 'plain\n', contentType: 'text/plain' }),
    })
  },
})

test('endpoints of other plugins come and go with them', async (scope) => {
  const { call, broker, logged } = await run(scope, { plugins: [things] })
  const got = await call('GET', '/mqtt/things/a%2Fb%20%C3%BC?page=2&x=1&x=2')
  assert.deepEqual(got.body, { params: { topic: 'a/b ü' }, query: { page: 2, x: ['1', '2'] }, user: 'admin' })
  assert.deepEqual((await call('PUT', '/mqtt/things', { body: { enable: true } })).body, { enable: true })
  const wrong = await call('PUT', '/mqtt/things', { body: { enable: 'yes' } })
  assert.deepEqual(
    [wrong.status, wrong.body],
    [400, { code: 'BAD_REQUEST', message: 'body.enable: expected boolean, got string' }],
  )
  assert.equal((await call('PUT', '/mqtt/things')).body.message, 'the body is missing: expected JSON')
  assert.equal((await call('GET', '/mqtt/things', { authorization: '' })).status, 401)
  const text = await call('GET', '/mqtt/things')
  assert.deepEqual([text.text, text.headers.get('content-type')], ['plain\n', 'text/plain'])

  const failed = await call('DELETE', '/mqtt/things')
  assert.deepEqual([failed.status, failed.body.code], [500, 'INTERNAL_ERROR'])
  assert.ok(!failed.text.includes('secret detail'))
  assert.ok(
    logged.some(({ message, fields }) => message === 'an endpoint failed' && /secret/.test(String(fields?.error))),
  )

  const paths = async () => Object.keys((await call('GET', '/swagger.json', { base: '/api-docs' })).body.paths)
  assert.ok((await paths()).includes('/mqtt/things/{topic}'))
  await broker.plugins.unload('things')
  assert.equal((await call('GET', '/mqtt/things')).status, 404)
  assert.ok(!(await paths()).some((path) => path.startsWith('/mqtt/things')))
  await broker.plugins.load(things)
  assert.equal((await call('GET', '/mqtt/things')).status, 200)
})

test('an endpoint that this plugin has cannot be replaced; the log says so', async (scope) => {
  const thief = definePlugin({
    name: 'thief',
    setup(ctx) {
      ctx.route({ method: 'POST', path: '/login', summary: 'x', handle: () => ({ status: 200, body: 'stolen' }) })
    },
  })
  const { call, logged } = await run(scope, { plugins: [thief] })
  assert.equal((await call('GET', '/nodes')).status, 200)
  const { message, fields } = logged.find(({ level }) => level === 'warn') ?? {}
  assert.deepEqual([message, fields], ['an endpoint exists already', { method: 'POST', path: '/login' }])
})

test('what is no request to this API', async (scope) => {
  const { call, url } = await run(scope, { config: { 'dashboard.max_body_size': '1KB' } })
  const shape = async (method: string, path: string, options?: Parameters<typeof call>[2]) => {
    const { status, body } = await call(method, path, options)
    assert.deepEqual(Object.keys(body), ['code', 'message'])
    assert.equal(typeof body.message, 'string')
    return [status, body.code]
  }
  assert.deepEqual(await shape('GET', '/nothing'), [404, 'NOT_FOUND'])
  assert.deepEqual(await shape('GET', '/nothing', { authorization: '' }), [404, 'NOT_FOUND'])
  assert.deepEqual(await shape('GET', '/nothing', { base: '' }), [404, 'NOT_FOUND'])
  assert.deepEqual(await shape('GET', '/clients/%zz'), [400, 'BAD_REQUEST'])
  assert.deepEqual(await shape('GET', '/clients/%ff'), [400, 'BAD_REQUEST'])
  assert.deepEqual(await shape('PATCH', '/clients'), [405, 'METHOD_NOT_ALLOWED'])
  assert.equal((await call('PATCH', '/clients')).headers.get('allow'), 'GET')
  assert.deepEqual(await shape('POST', '/publish', { body: '{"topic":' }), [400, 'BAD_REQUEST'])
  assert.deepEqual(await shape('POST', '/publish', { body: '"text"' }), [400, 'BAD_REQUEST'])
  assert.deepEqual(await shape('POST', '/publish', { body: '' }), [400, 'BAD_REQUEST'])
  const polluting = '{"topic":"a","payload":"","__proto__":{"x":1}}'
  assert.deepEqual(await shape('POST', '/publish', { body: polluting }), [400, 'BAD_REQUEST'])
  const big = { topic: 'a', payload: 'x'.repeat(2000) }
  assert.deepEqual(await shape('POST', '/publish', { body: big }), [413, 'PAYLOAD_TOO_LARGE'])
  assert.deepEqual(await shape('POST', '/publish', { body: big, authorization: '' }), [
    401,
    'AUTHORIZATION_HEADER_ERROR',
  ])
  const form = { 'content-type': 'text/plain' }
  assert.deepEqual(await shape('POST', '/publish', { body: '{}', headers: form }), [415, 'UNSUPPORTED_MEDIA_TYPE'])
  const head = await fetch(`${url}/api/v5/status`, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
})

test('no other site may call from a browser, unless it is named', async (scope) => {
  const preflight = {
    authorization: '',
    headers: { origin: 'https://ops.example', 'access-control-request-method': 'GET' },
  }
  const closed = await run(scope)
  const refused = await closed.call('OPTIONS', '/clients', preflight)
  assert.equal(refused.headers.get('access-control-allow-origin'), null)
  const open = await run(scope, { config: { 'dashboard.cors': 'https://ops.example' } })
  const allowed = await open.call('OPTIONS', '/clients', preflight)
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://ops.example')
  const other = { ...preflight, headers: { ...preflight.headers, origin: 'https://other.example' } }
  assert.equal((await open.call('OPTIONS', '/clients', other)).headers.get('access-control-allow-origin'), null)
})

test('the OpenAPI document is valid, and every operation in it answers', async (scope) => {
  const { call, connect } = await run(scope, { plugins: [things] })
  const client = await connect({ clientId: 'c' })
  await client.subscribeAsync('t')
  const document = await call('GET', '/swagger.json', { base: '/api-docs', authorization: '' })
  assert.equal(document.status, 200)
  const { valid, errors } = await new Validator().validate(structuredClone(document.body))
  assert.equal(valid, true, JSON.stringify(errors))

  const examples: Record<string, unknown> = {
    topic: 't',
    payload: 'p',
    clientid: 'c',
    username: 'u',
    password: 'pass-word-1',
  }
  const operations: string[] = []
  for (const [path, methods] of Object.entries<Record<string, Operation>>(document.body.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method.toUpperCase()} ${path}`
      operations.push(name)
      // Logs out the others' token.
      if (path === '/logout') continue
      const filled = path.replace(/\{(\w+)\}/g, (_, part) => String(examples[part] ?? part))
      const query = operation.parameters
        .filter(({ required, in: where }) => required && where === 'query')
        .map(({ name, schema }) => `${name}=${schema.enum?.[0] ?? 'x'}`)
        .join('&')
      const schema = operation.requestBody?.content['application/json'].schema
      const body =
        schema === undefined
          ? undefined
          : schema.type === 'array'
            ? []
            : Object.fromEntries((schema.required ?? []).map((key) => [key, examples[key] ?? key]))
      const { status, text } = await call(method.toUpperCase(), filled + (query && `?${query}`), { body })
      assert.ok(status < 500 || path === '/mqtt/things', `${name}: ${status} ${text}`)
      assert.ok(![405, 415].includes(status) && !text.includes('there is no path'), `${name}: ${status} ${text}`)
    }
  }
  for (const expected of [
    'POST /login',
    'GET /clients',
    'POST /publish/bulk',
    'GET /mqtt/things/{topic}',
    'GET /hooks',
  ]) {
    assert.ok(operations.includes(expected), expected)
  }
  const ids = Object.values<Record<string, Operation>>(document.body.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  assert.equal(new Set(ids).size, ids.length)
})

test('unloading frees the port and ends what is open', async (scope) => {
  const { broker, url, call } = await run(scope)
  await call('GET', '/nodes')
  await broker.plugins.unload('management')
  await assert.rejects(fetch(`${url}/status`))
})
