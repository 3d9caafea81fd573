import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand, type Scope, startCommand } from '../testing/command.ts'

function newFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-new-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a new data folder: the management API answers, presence is published; what is unloaded stays so', async (scope) => {
  const dataDir = newFolder(scope)
  const ctl = async (...words: string[]) => (await runCommand(scope, ['ctl', '--data-dir', dataDir, ...words])).stdout
  const { command } = await startCommand(scope, ['--data-dir', dataDir])
  const listed = (): string => readFileSync(join(dataDir, 'loaded_plugins'), 'utf8')
  assert.equal(listed(), 'management.\npresence.\nexhook.\n')
  const [, address] = await command.output(/management API at (http:\/\/127\.0\.0\.1:\d+)/, 'stderr')
  const login = await fetch(`${address}/api/v5/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: 'public' }),
  })
  assert.equal(login.status, 200)
  assert.match(await ctl('plugins', 'list'), /^Plugin\(presence, .*active=true\)$/m)

  assert.equal(await ctl('plugins', 'unload', 'emqx_management'), 'Plugin emqx_management unloaded successfully.\n')
  assert.equal(listed(), 'presence.\nexhook.\n')
  command.signal('SIGTERM')
  await command.ended
  const again = await startCommand(scope, ['--data-dir', dataDir])
  assert.match(await ctl('plugins', 'list'), /^Plugin\(management, .*active=false\)$/m)
  assert.doesNotMatch(again.command.stderr, /management API/)
})

test('a list that somebody has emptied stays empty', async (scope) => {
  const dataDir = newFolder(scope)
  writeFileSync(join(dataDir, 'loaded_plugins'), '')
  const { command } = await startCommand(scope, ['--data-dir', dataDir])
  await command.output(/"plugins":"acl-file","msg":"started"/, 'stderr')
})

test('the port of the management API is in use: the broker serves, and says why and what to do', async (scope) => {
  const other = createServer().listen(0, '127.0.0.1')
  scope.after(() => void other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const dataDir = newFolder(scope)
  const key = `plugin.management.dashboard.listener.http=127.0.0.1:${port}`
  const { command } = await startCommand(scope, ['--data-dir', dataDir, '--set', key])
  const reason = `dashboard\\.listener\\.http: port ${port} on 127\\.0\\.0\\.1 is in use; choose another address, or 'off'`
  await command.output(new RegExp(`${reason}.*plugin not loaded; the broker goes on without it`), 'stderr')
  const { stdout } = await runCommand(scope, ['ctl', '--data-dir', dataDir, 'plugins', 'list'])
  assert.match(stdout, new RegExp(`^Plugin\\(management, .*${reason}.*active=false\\)$`, 'm'))
})
