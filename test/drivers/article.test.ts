import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connectAsync } from 'mqtt'
import { until } from '../support/wait.ts'
import { projectRoot } from '../templates/copy.ts'
import { home, write } from './support.ts'

// The file and the settings are taken from the article that taught people to write hooks.py, and the broker is started as they start it.

const main = join(projectRoot, 'packages/hookmq/src/main.ts')
const [article] = globSync(join(process.env.HOOKMQ_SEEDS ?? join(projectRoot, '../shared/seeds'), '001_*.txt'))

function blocks(language: string): string[] {
  const text = readFileSync(article ?? '', 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block ?? '')
}

interface Started {
  readonly port: number
  output(): string
  ctl(...words: string[]): Promise<string>
}

async function startBroker(scope: TestContext, folder: string): Promise<Started> {
  write(folder, '/etc/hookmq.conf', 'allow_anonymous = true\nacl_nomatch = allow\n')
  const own = ['listener.tcp.external', 'listener.ws.external', 'plugin.management.dashboard.listener.http']
  const args = ['start', '--config', join(folder, 'etc/hookmq.conf'), '--data-dir', join(folder, 'data')]
  const child = spawn(process.execPath, [main, ...args, ...own.flatMap((key) => ['--set', `${key}=127.0.0.1:0`])])
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  scope.after(async () => {
    child.kill('SIGTERM')
    await ended
  })
  await until(() => /^ready/m.test(output), 'ready', 30_000)
  const ctl = async (...words: string[]): Promise<string> => {
    const run = spawn(process.execPath, [main, 'ctl', '--data-dir', join(folder, 'data'), ...words])
    let said = ''
    for (const stream of [run.stdout, run.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
    await new Promise((resolve) => run.on('close', resolve))
    return said
  }
  const port = Number(/^listening tcp:external on 127\.0\.0\.1:(\d+)$/m.exec(output)?.[1])
  return { port, output: () => output, ctl }
}

test('a hooks.py with a mistake: the command that loads the plugin says where it is', async (t) => {
  const folder = home(t, {
    'hooks.py': 'def init():\n    return (0, (\n',
    '/etc/plugins/emqx_extension_hook.conf': 'exhook.drivers = python3\nexhook.drivers.python3.init_module = hooks\n',
  })
  const { ctl } = await startBroker(t, folder)
  assert.match(
    await ctl('plugins', 'load', 'emqx_extension_hook'),
    /^Plugin emqx_extension_hook loaded successfully\.\nWarning: driver python3: init: SyntaxError: .* \(data\/extension\/hooks\.py line 2\)\n$/,
  )
  write(folder, 'hooks.py', 'def init():\n    return (0, ([], ()))\n')
  assert.equal(await ctl('exhook', 'drivers', 'enable', 'python3'), 'ok\n')
})

test('hooks.py of the article, with its settings and its commands', async (t) => {
  if (article === undefined) return t.skip('the article is not on this machine; HOOKMQ_SEEDS names its folder')
  const handler = blocks('python').find((block) => block.includes('data/extension/hooks.py')) ?? ''
  const settings = blocks('bash').find((block) => block.includes('exhook.drivers')) ?? ''
  const [command] = blocks('bash').filter((block) => block.startsWith('./bin/emqx_ctl'))
  assert.ok(handler !== '' && settings !== '' && command !== undefined)
  const folder = home(t, { 'hooks.py': handler, '/etc/plugins/emqx_extension_hook.conf': settings })
  const { port, output, ctl } = await startBroker(t, folder)

  const [, ...words] = command.trim().split(' ')
  assert.match(await ctl(...words), /^Plugin emqx_extension_hook loaded successfully\.$/m)
  assert.equal(
    await ctl('exhook', 'drivers', 'list'),
    'Driver(name=python3, init_module=hooks, hooks=[client_connect,client_connected,client_check_acl,client_authenticate,message_publish])\n',
  )

  const client = await connectAsync({ host: '127.0.0.1', port, clientId: 'c1', username: 'joe', reconnectPeriod: 0 })
  await client.publishAsync('t', 'hello', { qos: 1 })
  const nameless = await connectAsync({
    host: '127.0.0.1',
    port,
    clientId: 'c2',
    protocolVersion: 5,
    reconnectPeriod: 0,
  })
  await assert.rejects(nameless.publishAsync('t', 'no', { qos: 1 }), /Not authorized/)
  const prints = (pattern: RegExp): Promise<void> => until(() => pattern.test(output()), String(pattern))
  await prints(/\[on_client_check_acl\] {2}check ACL: publish t"/)

  const lines = [...output().matchAll(/"driver":"python3".*"msg":"(\[Python SDK\] .*?)"\}$/gm)].map(([, line]) => line)
  const about = (id: string): string[] => lines.filter((line) => line.includes(id) && !line.includes('$SYS'))
  assert.deepEqual(about('c1'), [
    '[Python SDK] [on_client_connect] c1 connecte',
    '[Python SDK] [on_client_authenticate] c1 authenticate',
    '[Python SDK] [on_client_connected] c1 connected',
  ])
  assert.deepEqual(
    lines.filter((line) => / t\b/.test(line)),
    [
      '[Python SDK] [on_client_check_acl] joe check ACL: publish t',
      '[Python SDK] [on_message_publish] t hello',
      '[Python SDK] [on_client_check_acl]  check ACL: publish t',
    ],
  )
  await Promise.all([client.endAsync(), nameless.endAsync()])

  assert.match(await ctl('exhook', 'drivers', 'stats'), /^python3\.client_connect {13}:2$/m)
  assert.equal(
    await ctl('plugins', 'unload', 'emqx_extension_hook'),
    'Plugin emqx_extension_hook unloaded successfully.\n',
  )
  assert.match(await ctl('exhook', 'drivers', 'list'), /emqx_extension_hook|extension-hook/)
})
