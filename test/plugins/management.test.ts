import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { createBroker, type HookmqBroker, type Logger } from 'hookmq'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-management-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A broker of a configuration file, and where its API answers. */
async function start(
  scope: TestContext,
  lines: readonly string[],
): Promise<{ broker: HookmqBroker; url: () => string }> {
  const file = join(folder, 'hookmq.conf')
  writeFileSync(
    file,
    ['listener.tcp.external = 127.0.0.1:0', 'dashboard.listener.http = 127.0.0.1:0', ...lines, ''].join('\n'),
  )
  let url = ''
  const quiet = (): void => {}
  const log: Logger = {
    debug: quiet,
    warn: quiet,
    error: quiet,
    info(_, fields) {
      if (fields?.listener === 'dashboard.listener.http') url = String(fields.address)
    },
    child: () => log,
  }
  const broker = await createBroker({ configFile: file, log })
  scope.after(() => broker.stop(500))
  await broker.start()
  return { broker, url: () => url }
}

async function login(url: string): Promise<Record<string, string>> {
  const response = await fetch(`${url}/api/v5/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: 'public' }),
  })
  assert.equal(response.status, 200)
  const { token } = (await response.json()) as { token: string }
  return { authorization: `Bearer ${token}` }
}

test('loaded under the names of EMQ and EMQX', async (scope) => {
  for (const name of ['emqx_management', 'emq_dashboard', 'emqx_dashboard', 'management']) {
    const { broker, url } = await start(scope, [`plugins.load = ${name}`])
    assert.deepEqual(broker.plugins, ['management'], name)
    assert.equal((await fetch(`${url()}/status`)).status, 200)
    await broker.stop(500)
  }
})

test('the endpoints of other plugins answer beside its own, and plugins are started and stopped through it', async (scope) => {
  const { url } = await start(scope, ['plugins.load = management'])
  const headers = await login(url())
  const status = async (method: string, path: string): Promise<number> =>
    (await fetch(`${url()}/api/v5${path}`, { method, headers })).status
  for (const [plugin, path] of [
    ['rewrite', '/mqtt/topic_rewrite'],
    ['emqx_delayed', '/mqtt/delayed'],
  ] as const) {
    assert.equal(await status('GET', path), 404)
    assert.equal(await status('PUT', `/plugins/${plugin}/start`), 204)
    assert.equal(await status('GET', path), 200)
    assert.equal(await status('PUT', `/plugins/${plugin}/reload`), 204)
    assert.equal(await status('GET', path), 200)
    assert.equal(await status('PUT', `/plugins/${plugin}/start`), 400)
    assert.equal(await status('PUT', `/plugins/${plugin}/stop`), 204)
    assert.equal(await status('GET', path), 404)
  }
  assert.equal(await status('PUT', '/plugins/no_such_plugin/start'), 404)
  assert.equal(await status('PUT', '/plugins/management/stop'), 400)
})

test('it can be reloaded from outside, and answers again', async (scope) => {
  const { broker, url } = await start(scope, ['plugins.load = management'])
  const before = url()
  assert.deepEqual(await broker.admin.reloadPlugin('management'), { ok: true, started: ['management'] })
  assert.notEqual(url(), before)
  await assert.rejects(fetch(`${before}/status`))
  const headers = await login(url())
  assert.equal((await fetch(`${url()}/api/v5/nodes`, { headers })).status, 200)
})
