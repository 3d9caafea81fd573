import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand, startCommand } from '../testing/command.ts'

test('kill -9: users, delayed messages, retained messages and loaded plugins are there again', async (scope) => {
  const home = mkdtempSync(join(tmpdir(), 'hookmq-kill-'))
  scope.after(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'etc/plugins'), { recursive: true })
  writeFileSync(join(home, 'etc/hookmq.conf'), 'acl_nomatch = allow\n')
  writeFileSync(join(home, 'etc/plugins/retainer.conf'), 'retainer.storage_type = disc\n')
  const place = ['--config', join(home, 'etc/hookmq.conf'), '--data-dir', join(home, 'data')]
  const ctl = async (...words: string[]) => (await runCommand(scope, ['ctl', ...place, ...words])).stdout.trimEnd()
  const first = await startCommand(scope, place)
  for (const name of ['emq_auth_username', 'emqx_retainer', 'delayed'])
    assert.equal(await ctl('plugins', 'load', name), `Plugin ${name} loaded successfully.`)
  assert.equal(await ctl('users', 'add', 'joe', 'secret'), 'ok')
  const at = (port: number) => ['-p', String(port), '-u', 'joe', '-P', 'secret']
  const pub = (...args: string[]) => runCommand(scope, ['pub', ...at(first.port), '-q', '1', ...args])
  assert.equal((await pub('-t', 'kept', '-m', 'retained', '-r')).code, 0)
  assert.equal((await pub('-t', '$delayed/600/late', '-m', 'delayed')).code, 0)
  first.command.signal('SIGKILL')
  await first.command.ended

  const second = await startCommand(scope, place)
  assert.equal(await ctl('users', 'list'), 'joe')
  assert.match(await ctl('retainer', 'topics'), /^kept$/m)
  assert.match(await ctl('plugins', 'list'), /^Plugin\(emq_auth_username, .*active=true\)$/m)
  const sub = await runCommand(scope, ['sub', ...at(second.port), '-t', 'kept', '-C', '1'])
  assert.equal(sub.stdout, 'retained\n')
  const wrong = await runCommand(scope, [
    'pub',
    '-p',
    String(second.port),
    '-u',
    'joe',
    '-P',
    'wrong',
    '-t',
    'a',
    '-m',
    'x',
  ])
  assert.notEqual(wrong.code, 0)
  // What becomes of it then is proved with the plugin.
  assert.match(second.command.stderr, /"plugin":"delayed","count":1,"msg":"delayed messages of before wait on"/)
})
