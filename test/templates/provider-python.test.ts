import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import driver from '@hookmq/provider-driver'
import { createBroker } from 'hookmq'
import mqtt from 'mqtt'
import { requirement } from '../support/requirements.ts'
import { until } from '../support/wait.ts'
import { projectRoot } from './copy.ts'

test('hookmq plugin new --lang python: tested, checked, and run in a child process as its README says', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-template-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const main = join(projectRoot, 'packages/hookmq/src/main.ts')
  const made = spawnSync(process.execPath, [main, 'plugin', 'new', 'greeter', '--lang', 'python'], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.equal(made.status, 0, made.stderr)
  const lines = made.stdout.split('\n')
  assert.deepEqual(lines.slice(0, lines.indexOf('')).sort(), [
    'greeter/README.md',
    'greeter/etc/emqx_extension_hook.conf',
    'greeter/hooks.py',
    'greeter/test_hooks.py',
  ])
  const own = join(folder, 'greeter')
  for (const file of lines.slice(0, lines.indexOf('')))
    assert.doesNotMatch(readFileSync(join(folder, file), 'utf8'), /my-plugin|PLUGIN_FOLDER|SDK_FOLDER/)
  assert.ok(made.stdout.includes(`pip install '${join(projectRoot, 'sdk/python')}[exhook]'`), made.stdout)

  const python = requirement('pytest', t)
  if (python === undefined) return
  const sdk = join(projectRoot, 'sdk/python')
  const env = { ...process.env, PYTHONPATH: sdk, MYPYPATH: sdk, PYTHONDONTWRITEBYTECODE: '1' }
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(python, args, { cwd: own, env, encoding: 'utf8' })
    assert.equal(status, 0, stdout + stderr)
    return stdout
  }
  assert.match(run('-m', 'pytest', '-q', '-p', 'no:cacheprovider'), /4 passed/)
  assert.equal(run('-m', 'hookmq', 'check', 'hooks.py').trim().split('\n').length, 3)
  run('-m', 'mypy', '--strict', '--cache-dir', join(folder, 'types'), 'hooks.py', 'test_hooks.py')

  // The settings as they are: they name the folder, wherever it is.
  const text = readFileSync(join(own, 'etc/emqx_extension_hook.conf'), 'utf8')
  const config = Object.fromEntries([...text.matchAll(/^(\S+) = (.*)$/gm)].map(([, key, value]) => [key, value]))
  const broker = await createBroker({ listeners: [{ type: 'tcp' }], plugins: [{ plugin: driver, config }] })
  t.after(() => broker.stop(500))
  await broker.start()
  await until(() => broker.admin.hooks().some(({ hooks }) => hooks.length > 0), 'the hooks', 30_000)
  const client = await mqtt.connectAsync(`mqtt://${broker.listeners[0].address}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
  })
  t.after(() => void client.end(true))
  await assert.rejects(client.publishAsync('orders/1', 'x'.repeat(1025), { qos: 1 }), /Quota exceeded|at most 1024/)
  await client.publishAsync('orders/1', 'two pumps', { qos: 1 })
})
