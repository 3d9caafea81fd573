import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectSocket, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { TestAuthority } from '@hookmq/api/testing'
import { Client } from '../client/client.ts'
import { openStream } from '../client/stream.ts'
import { RunningCommand, runCommand, startCommand } from '../testing/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-start-'))
after(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function connect(port: number, protocolVersion: 4 | 5 = 5): Promise<Client> {
  const client = new Client(await openStream({ protocol: 'mqtt', host: '127.0.0.1', port, path: '' }), {
    protocolVersion,
  })
  await client.connect()
  return client
}

/** Nothing but one line on standard error, and exit code 1. */
async function fails(scope: { after(run: () => void): void }, args: string[], expected: RegExp): Promise<void> {
  const { code, stdout, stderr } = await runCommand(scope, ['start', ...args])
  assert.equal(code, 1, stderr)
  assert.equal(stdout, '')
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('{"level":"info"'))
  assert.equal(lines.length, 1, stderr)
  assert.match(lines[0], expected)
}

test('it names every listener, then says that it is ready', async (scope) => {
  const { command } = await startCommand(scope)
  assert.match(
    command.stdout,
    /^listening tcp:external on (127\.0\.0\.1:\d+)\nlistening ws:external on (127\.0\.0\.1:\d+)\nready on \1 \(tcp:external\), \2 \(ws:external\)\n$/,
  )
})

test('SIGTERM tells MQTT 5 clients 0x8B, closes the others, and ends with 0', async (scope) => {
  const { command, port } = await startCommand(scope)
  const [modern, old] = [await connect(port), await connect(port, 4)]
  command.signal('SIGTERM')
  assert.equal((await modern.ended).reasonCode, 0x8b)
  assert.equal((await old.ended).reasonCode, undefined)
  assert.equal(await command.ended, 0)
  assert.match(command.stderr, /"signal":"SIGTERM","msg":"stopping"/)
  assert.match(command.stderr, /"msg":"stopped"/)
})

test('SIGTERM ends it although nobody reads its log any more', async (scope) => {
  const { command } = await startCommand(scope)
  command.stopReadingErrors()
  command.signal('SIGTERM')
  assert.equal(await command.ended, 0)
})

test('SIGINT stops too; no new client gets in after it', async (scope) => {
  const { command, port } = await startCommand(scope)
  command.signal('SIGINT')
  assert.equal(await command.ended, 0)
  await assert.rejects(openStream({ protocol: 'mqtt', host: '127.0.0.1', port, path: '' }), /connection refused/)
})

test('a plugin that never ends its teardown does not keep the process; a second signal ends it at once', async (scope) => {
  const plugin = file(
    'endless.ts',
    "export default { name: 'endless', setup(ctx) { ctx.onTeardown(() => new Promise(() => {})) } }",
  )
  const { command } = await startCommand(scope, ['--plugin', plugin])
  command.signal('SIGTERM')
  await command.output(/stopping/, 'stderr')
  command.signal('SIGTERM')
  assert.equal(await command.ended, 1)
})

test('one signal is enough, whatever a plugin and a client that reads nothing do', async (scope) => {
  const plugin = file(
    'stuck.ts',
    "export default { name: 'stuck', setup(ctx) { ctx.onTeardown(() => new Promise(() => {})) } }",
  )
  const { command, port } = await startCommand(scope, ['--plugin', plugin])
  const socket = connectSocket(port, '127.0.0.1')
  scope.after(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.pause()
  command.signal('SIGTERM')
  assert.equal(await command.ended, 0)
})

test('a port in use is one clear line', async (scope) => {
  const other = createServer().listen(0, '127.0.0.1')
  scope.after(() => void other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  await fails(
    scope,
    ['--set', `listener.tcp.external=127.0.0.1:${port}`, '--set', 'listener.ws.external=127.0.0.1:0'],
    new RegExp(`^hookmq: listener tcp:external: port ${port} on 127\\.0\\.0\\.1 is in use`),
  )
})

test('a missing certificate is one clear line', async (scope) => {
  await fails(
    scope,
    [
      ...['--set', 'listener.tcp.external=127.0.0.1:0', '--set', 'listener.ws.external=127.0.0.1:0'],
      ...['--set', 'listener.ssl.external=127.0.0.1:0', '--set', `listener.ssl.external.certfile=${folder}/no.pem`],
      ...['--set', `listener.ssl.external.keyfile=${folder}/no.key`],
    ],
    /^hookmq: listener ssl:external: cannot read the .* file .*no\.(pem|key)/,
  )
})

test('a bad value and an unknown key name file, line and key', async (scope) => {
  const config = file(
    'bad.conf',
    'listener.tcp.external = 127.0.0.1:0\nmqtt.max_packet_size = lots\nacl_nomatsch = deny\n',
  )
  const { code, stderr } = await runCommand(scope, ['start', '--config', config])
  assert.equal(code, 1)
  const lines = stderr.trim().split('\n')
  assert.equal(lines.length, 2, stderr)
  assert(lines[0].startsWith(`hookmq: ${config}:2: mqtt.max_packet_size: expected `), stderr)
  assert(lines[1].startsWith(`hookmq: ${config}:3: acl_nomatsch: unknown key`), stderr)
  await fails(scope, ['--config', join(folder, 'none.conf')], /^hookmq: .*none\.conf: cannot be read \(no such file\)$/)
  await fails(scope, ['--set', 'mqtt.max_packet_size'], /^hookmq: --set: expected key=value/)
})

test('open to other machines only with an authentication plugin or an explicit allow_anonymous', async (scope) => {
  const config = file('open.conf', 'listener.tcp.external = 0.0.0.0:0\n')
  await fails(scope, ['--config', config], /tcp:external would let in everybody.*allow_anonymous = true/)
  const explicit = new RunningCommand(scope, ['start', '--config', config, '--set', 'allow_anonymous=true'])
  const [, open] = await explicit.output(/^listening tcp:external on 0\.0\.0\.0:(\d+)$/m)
  await (await connect(Number(open))).close()
  const plugin = file(
    'guard.mjs',
    "export default { name: 'guard', setup(ctx) { ctx.authenticator({ name: 'guard', authenticate: () => ({ result: 'ignore' }) }) } }",
  )
  const guarded = new RunningCommand(scope, ['start', '--config', config, '--plugin', plugin])
  const [, port] = await guarded.output(/^listening tcp:external on 0\.0\.0\.0:(\d+)$/m)
  // The plugin does not know the client, and nobody said that strangers may come in.
  await assert.rejects(connect(Number(port)), { code: 'CONNECT_REFUSED', reasonCode: 0x87 })
})

test('a plugin from anywhere on disk takes part; a broken one is one clear line', async (scope) => {
  const plugin = file(
    'shout.ts',
    `import { definePlugin } from 'hookmq'
export default definePlugin({
  name: 'shout',
  setup(ctx) {
    ctx.hook('message.publish', (args, message) => ({
      ok: { ...message, payload: Buffer.from(Buffer.from(message.payload).toString().toUpperCase()) },
    }))
  },
})
`,
  )
  const { command, port } = await startCommand(scope, ['--plugin', plugin])
  const client = await connect(port)
  const got = Promise.withResolvers<string>()
  await client.subscribe('a', (message) => got.resolve(Buffer.from(message.payload).toString()))
  await client.publish('a', 'quiet')
  assert.equal(await got.promise, 'QUIET')
  assert.match(command.stderr, /"plugin":"shout","msg":"plugin loaded"/)

  await fails(scope, ['--plugin', './not-there.ts'], /^hookmq: plugin \.\/not-there\.ts: no such file: /)
  const throwing = file('throwing.ts', "export default { name: 'throwing',\n setup() { throw new Error('no table') } }")
  await fails(scope, ['--plugin', throwing], /^hookmq: plugin throwing \(.*throwing\.ts:2\): setup failed: no table$/)
})

test('settings of a plugin come from etc/plugins, plugins.load names it', async (scope) => {
  const home = join(folder, 'home')
  mkdirSync(join(home, 'etc/plugins'), { recursive: true })
  writeFileSync(join(home, 'etc/hookmq.conf'), 'listener.tcp.external = 127.0.0.1:0\nplugins.load = ./tell.mjs\n')
  writeFileSync(join(home, 'etc/plugins/tell.conf'), 'tell.word = hello\n')
  writeFileSync(
    join(home, 'tell.mjs'),
    "export default { name: 'tell', setup(ctx) { ctx.log.info('word is ' + ctx.config['tell.word']) } }",
  )
  // From its working directory the file is found without being named.
  const command = new RunningCommand(scope, ['start'], { cwd: home })
  await command.output(/^ready/m)
  await command.output(/word is hello/, 'stderr')
})

test('the environment sets, --set wins over it', async (scope) => {
  const env = { HOOKMQ_LOG__LEVEL: 'error', HOOKMQ_MQTT__MAX_PACKET_SIZE: '1KB' }
  const { command, port } = await startCommand(scope, ['--set', 'mqtt.max_packet_size=2KB'], { env })
  const client = await connect(port)
  await client.publish('a', Buffer.alloc(1500), { qos: 1 })
  await assert.rejects(client.publish('a', Buffer.alloc(2500), { qos: 1 }), /too large: the broker takes 2048/)
  await client.close()
  assert.equal(command.stderr, '')
})

test('SIGUSR2 turns debug messages on and off', async (scope) => {
  const { command } = await startCommand(scope)
  command.signal('SIGUSR2')
  await command.output(/"level":"debug","msg":"log level changed"/, 'stderr')
  command.signal('SIGUSR2')
  await command.output(/"level":"info","msg":"log level changed"/, 'stderr')
})

test('SIGHUP reads the access rules again; rules that cannot be read leave the old ones', async (scope) => {
  const acl = file('acl.conf', '{deny, all, publish, ["a"]}.\n{allow, all}.\n')
  const config = file('acl-test.conf', `listener.tcp.external = 127.0.0.1:0\nacl_file = ${acl}\n`)
  const command = new RunningCommand(scope, ['start', '--config', config])
  const [, port] = await command.output(/^listening tcp:external on 127\.0\.0\.1:(\d+)$/m)
  await command.output(/^ready/m)
  const client = await connect(Number(port))
  const attempt = (): Promise<unknown> => client.publish('a', '', { qos: 1 })
  await assert.rejects(attempt(), { reasonCode: 0x87 })
  file('acl.conf', '{allow, all}.\n')
  command.signal('SIGHUP')
  await command.output(/"what":"access rules","msg":"reloaded"/, 'stderr')
  await attempt()
  file('acl.conf', '{broken')
  command.signal('SIGHUP')
  await command.output(/"reason":".*acl\.conf:1.*","msg":"not reloaded/, 'stderr')
  await attempt()
})

test('SIGHUP reads certificates again; open connections stay', async (scope) => {
  const authority = new TestAuthority()
  scope.after(() => authority.remove())
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const install = (name: string): void => {
    const issued = authority.issue(`/CN=${name}`)
    copyFileSync(issued.cert, cert)
    copyFileSync(issued.key, key)
  }
  install('before')
  const prefix = 'listener.ssl.external'
  const config = file(
    'tls.conf',
    `${prefix} = 127.0.0.1:0\n${prefix}.certfile = ${cert}\n${prefix}.keyfile = ${key}\nacl_file =\n`,
  )
  const command = new RunningCommand(scope, ['start', '--config', config])
  const [, port] = await command.output(/^listening ssl:external on 127\.0\.0\.1:(\d+)$/m)
  const name = async (): Promise<unknown> => {
    const socket = connectTls({
      port: Number(port),
      host: '127.0.0.1',
      servername: 'localhost',
      ca: readFileSync(authority.ca),
    })
    scope.after(() => void socket.destroy())
    await once(socket, 'secureConnect')
    // The broker is killed before the socket goes.
    socket.on('error', () => {})
    return socket.getPeerCertificate().subject.CN
  }
  assert.equal(await name(), 'before')
  await command.output(/^ready/m)
  install('after')
  command.signal('SIGHUP')
  await command.output(/"what":"certificates of ssl:external","msg":"reloaded"/, 'stderr')
  assert.equal(await name(), 'after')
  file('cert.pem', 'rubbish')
  command.signal('SIGHUP')
  await command.output(/"reason":"listener ssl:external: the certificate file .*","msg":"not reloaded/, 'stderr')
  assert.equal(await name(), 'after')
})

test('the log may go to a file', async (scope) => {
  const log = join(folder, 'log', 'broker.log')
  const { command } = await startCommand(scope, ['--set', 'log.to=file', '--set', `log.file=${log}`])
  command.signal('SIGTERM')
  assert.equal(await command.ended, 0)
  assert.equal(command.stderr, '')
  assert.match(readFileSync(log, 'utf8'), /"msg":"started"/)
})

test('--help teaches, a wrong option is refused', async (scope) => {
  const help = await runCommand(scope, ['start', '--help'])
  assert.equal(help.code, 0)
  for (const part of [
    '--plugin',
    '--set',
    '--data-dir',
    'Examples:',
    "ctx.hook('message.publish'",
    'SIGHUP',
    'allow_anonymous',
  ])
    assert(help.stdout.includes(part), part)
  const wrong = await runCommand(scope, ['start', '--plugins', 'x'])
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /unknown option '--plugins'\n\(Did you mean --plugin\?\)/)
  const nothing = await runCommand(scope, [])
  assert.match(nothing.stderr, /Usage: hookmq .*start.*pub.*sub/s)
})

test('check-config says ok and what is set, or what is wrong', async (scope) => {
  const good = file('good.conf', 'listener.tcp.external = 127.0.0.1:0\nacl_nomatch = deny\n')
  const fine = await runCommand(scope, ['check-config', '--config', good, '--set', 'allow_anonymous=false'])
  assert.equal(fine.code, 0, fine.stderr)
  assert.match(fine.stdout, /^ok/)
  assert.match(fine.stdout, new RegExp(`^acl_nomatch = deny +\\(${good}:2\\)$`, 'm'))
  assert.match(fine.stdout, /^allow_anonymous = false +\(--set\)$/m)
  const bad = file('worse.conf', 'acl_nomatch = perhaps\n')
  const wrong = await runCommand(scope, ['check-config', '--config', bad])
  assert.equal(wrong.code, 1)
  assert.equal(wrong.stdout, '')
  assert(wrong.stderr.startsWith(`hookmq: ${bad}:1: acl_nomatch: expected `), wrong.stderr)
  const exposed = file('exposed.conf', 'listener.tcp.external = 0.0.0.0:1883\n')
  const unsafe = await runCommand(scope, ['check-config', '--config', exposed])
  assert.equal(unsafe.code, 1)
  assert.match(unsafe.stderr, /exposed\.conf:1: listener\.tcp\.external: .*would let in everybody/)
})

test('version names itself and Node', async (scope) => {
  const { stdout } = await runCommand(scope, ['version'])
  assert.match(stdout, /^hookmq \d+\.\d+\.\d+ \(node 2\d\./)
})
