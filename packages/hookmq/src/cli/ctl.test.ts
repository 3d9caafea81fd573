import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Client } from '../client/client.ts'
import { openStream } from '../client/stream.ts'
import { runCommand, type Scope, startCommand } from '../testing/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-ctl-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function start(scope: Scope, name: string, ...args: string[]) {
  const dataDir = join(folder, name)
  const started = await startCommand(scope, ['--data-dir', dataDir, ...args])
  const ctl = (...words: string[]) => runCommand(scope, ['ctl', '--data-dir', dataDir, ...words])
  return { ...started, dataDir, ctl }
}

test('words, JSON, exit codes', async (scope) => {
  const { ctl, port, command } = await start(scope, 'one')
  const status = await ctl('status')
  assert.deepEqual([status.code, status.stderr], [0, ''])
  assert.match(status.stdout, /^Node 'hookmq@127\.0\.0\.1' \d+\.\d+\.\d+ is started\n$/)

  const id = 'boiler "room" $(1) `x`; -y'
  const client = new Client(await openStream({ protocol: 'mqtt', host: '127.0.0.1', port, path: '' }), { clientId: id })
  await client.connect()
  const shown = await ctl('clients', 'show', id)
  assert.equal(shown.code, 0)
  assert.ok(shown.stdout.startsWith(`Client(${id}, username=undefined, `), shown.stdout)
  const missing = await ctl('clients', 'show', 'boiler')
  assert.deepEqual([missing.code, missing.stdout], [0, 'Not Found.\n'])

  for (const words of [
    ['--json', 'clients', 'show', id],
    ['clients', 'show', id, '--json'],
  ]) {
    const json = await ctl(...words)
    assert.equal(json.code, 0)
    assert.equal(JSON.parse(json.stdout).clientid, id)
  }
  const wrong = await ctl('clients', 'sho')
  assert.deepEqual([wrong.code, wrong.stdout.split('\n').length], [2, 4])
  const unknown = await ctl('klients')
  assert.equal(unknown.code, 2)
  assert.match(unknown.stdout, /^Usage: emqx_ctl\n-{110}\n/)
  assert.deepEqual(JSON.parse((await ctl('--json', 'klients')).stdout), { error: "unknown command 'klients'" })
  await client.close()
  command.signal('SIGTERM')
  assert.equal(await command.ended, 0)
  const gone = await ctl('status')
  assert.deepEqual([gone.code, gone.stdout], [1, 'Node hookmq@127.0.0.1 not responding to pings.\n'])
})

test('no broker: one line, exit code 1, under the name of the configuration', async (scope) => {
  const config = join(folder, 'named.conf')
  writeFileSync(config, 'node.name = emq@10.0.0.1\nnode.data_dir = nowhere\n')
  const { code, stdout, stderr } = await runCommand(scope, ['ctl', '--config', config, 'status'])
  assert.deepEqual([code, stdout, stderr], [1, 'Node emq@10.0.0.1 not responding to pings.\n', ''])
})

test('a configuration that has become wrong does not keep from a broker whose folder is named', async (scope) => {
  const { dataDir } = await start(scope, 'two')
  const config = join(folder, 'wrong.conf')
  writeFileSync(config, 'no such key = 1\n')
  const { code } = await runCommand(scope, ['ctl', '--config', config, '--data-dir', dataDir, 'status'])
  assert.equal(code, 0)
})

test('ctl.profile = 2.x', async (scope) => {
  const { ctl } = await start(scope, 'old', '--set', 'ctl.profile=2.x')
  assert.match((await ctl('status')).stdout, /^Node '.+' is started\nemqttd \S+ is running\n$/)
  assert.equal((await ctl('clients', 'kick', 'x')).stdout, 'Not Found.\n')
  assert.match((await ctl('help')).stdout, /^Usage: emqttd_ctl\n-{80}\nstatus {42}# /)
})

test('a second broker on the same data folder is refused; after a crash the folder is free', async (scope) => {
  const { command, dataDir, ctl } = await start(scope, 'shared')
  const second = await runCommand(scope, ['start', '--data-dir', dataDir, '--set', 'listener.tcp.external=127.0.0.1:0'])
  assert.equal(second.code, 1)
  assert.equal(second.stdout, '')
  assert.match(
    second.stderr.trim().split('\n').at(-1) ?? '',
    /^hookmq: .*shared: another broker is using this data folder \(process \d+\); stop it, or give this one its own with --data-dir$/,
  )
  assert.equal((await ctl('status')).code, 0)
  command.signal('SIGKILL')
  await command.ended
  assert.equal((await ctl('status')).code, 1)
  await start(scope, 'shared')
  assert.equal((await ctl('status')).code, 0)
})
