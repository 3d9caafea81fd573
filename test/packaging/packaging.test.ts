/** HookMQ as users get it: packed, installed into an empty folder, run there. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { connectAsync } from 'mqtt'
import { withJsExtensions } from '../../scripts/build/compile.ts'
import { type InstalledFolder, installIntoEmptyFolder, projectRoot } from './installed.ts'

const rootManifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))

test('declarations name the JavaScript files', () => {
  assert.equal(
    withJsExtensions(
      `export { a } from './a.ts'; import type { B } from "../b/b.ts"; type C = import('./c.ts').C; '@x/y.ts'`,
    ),
    `export { a } from './a.js'; import type { B } from "../b/b.js"; type C = import('./c.js').C; '@x/y.ts'`,
  )
})

describe('installed from tarballs into an empty folder', () => {
  let folder: InstalledFolder
  before(() => {
    folder = installIntoEmptyFolder([`@types/node@${rootManifest.devDependencies['@types/node']}`])
  })
  after(() => folder?.remove())

  test('every package brings JavaScript, declarations, licence and README, and no sources or tests', () => {
    const packages = globSync(['node_modules/hookmq', 'node_modules/@hookmq/*'], { cwd: folder.path })
    assert.ok(packages.length >= 11, packages.join(' '))
    for (const one of packages) {
      const has = (path: string) => existsSync(join(folder.path, one, path))
      for (const path of ['dist/index.js', 'dist/index.d.ts', 'LICENSE', 'README.md'])
        assert.ok(has(path), `${one}/${path}`)
      const sources = globSync('**/*.{ts,test.js}', {
        cwd: join(folder.path, one),
        // What `plugin new` copies is TypeScript, because what it makes is.
        exclude: (name) => name === 'node_modules' || name === 'templates',
      })
      assert.deepEqual(
        sources.filter((path) => !path.endsWith('.d.ts')),
        [],
        one,
      )
    }
  })

  test('npx hookmq start: ready, a message goes through, SIGTERM ends it with 0', { timeout: 60_000 }, async () => {
    const own = ['listener.tcp.external', 'listener.ws.external', 'plugin.management.dashboard.listener.http']
    const settings = own.flatMap((key) => ['--set', `${key}=127.0.0.1:0`])
    const broker = spawn(join(folder.path, 'node_modules', '.bin', 'hookmq'), ['start', ...settings], {
      cwd: folder.path,
      env: folder.env,
    })
    let errors = ''
    broker.stderr.on('data', (chunk) => {
      errors += chunk
    })
    const ended = once(broker, 'exit')
    try {
      const lines: string[] = []
      for await (const line of createInterface({ input: broker.stdout })) {
        lines.push(line)
        if (line.startsWith('ready')) break
      }
      const port = lines
        .map((line) => /\btcp\b.*?127\.0\.0\.1:(\d+)/.exec(line)?.[1])
        .find((found) => found !== undefined)
      assert.ok(port, `no port named\n${lines.join('\n')}\n${errors}`)

      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 })
      await client.subscribeAsync('greeting/#', { qos: 1 })
      const received = new Promise<string>((resolve) => {
        client.once('message', (topic, payload) => resolve(`${topic}: ${payload}`))
      })
      await client.publishAsync('greeting/all', 'hello', { qos: 1 })
      assert.equal(await received, 'greeting/all: hello')
      await client.endAsync()

      broker.kill('SIGTERM')
      assert.deepEqual(await ended, [0, null], errors)
    } finally {
      broker.kill('SIGKILL')
    }
  })

  test('npx finds the program, and it knows its version', () => {
    const { status, output } = folder.run('npx', ['--no-install', 'hookmq', '--version'])
    assert.equal(status, 0, output)
    assert.match(output, new RegExp(rootManifest.version.replaceAll('.', '\\.')))
  })

  test('npx hookmq plugin new: compiles, and its test passes with hookmq/testing as installed', () => {
    const made = folder.run('npx', ['--no-install', 'hookmq', 'plugin', 'new', 'greeter'])
    assert.equal(made.status, 0, made.output)
    const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc')
    const checked = folder.run(process.execPath, [compiler, '-p', 'greeter'])
    assert.equal(checked.status, 0, checked.output)
    const tested = folder.run(process.execPath, ['--test', '--test-reporter=tap', 'greeter/src/greeter.test.ts'])
    assert.match(tested.output, /^# pass 4$/m)
    assert.equal(tested.status, 0, tested.output)
  })

  test('a handler in Python finds the packages that came with the broker', () => {
    writeFileSync(
      join(folder.path, 'main.py'),
      [
        'from emqx_extension.hooks import EmqxHookSdk, hooks_handler',
        'class Hook(EmqxHookSdk):',
        '    @hooks_handler()',
        '    def on_message_publish(self, message, state):',
        '        return (0, [(b"payload", message.payload.upper().encode())])',
        'hook = Hook(f"{__name__}.hook")',
        'def init(): return hook.start()',
      ].join('\n'),
    )
    writeFileSync(
      join(folder.path, 'handler.js'),
      [
        "import driver from '@hookmq/provider-driver'",
        "import { createBroker } from 'hookmq'",
        "const config = { 'exhook.drivers.python3.path': import.meta.dirname }",
        'const broker = await createBroker({ plugins: [{ plugin: driver, config }] })',
        'await broker.start()',
        "broker.subscribe('t', ({ payload }) => console.log(String(payload)))",
        "await broker.publish({ topic: 't', payload: 'hello' })",
        'await broker.stop()',
      ].join('\n'),
    )
    const { status, output } = folder.run(process.execPath, ['handler.js'])
    assert.equal(status, 0, output)
    assert.match(output, /^HELLO$/m)
  })

  test("import { createBroker } from 'hookmq' works in JavaScript, and its types in TypeScript", () => {
    const program = [
      "import { createBroker, type CreateBrokerOptions, definePlugin } from 'hookmq'",
      "const plugin = definePlugin({ name: 'shout', setup(ctx) {",
      "  ctx.hook('message.publish', (_args, message) => ({ ok: { ...message, payload: Buffer.from(String(message.payload).toUpperCase()) } }))",
      '} })',
      'const options: CreateBrokerOptions = { plugins: [plugin] }',
      'const broker = await createBroker(options)',
      'await broker.start()',
      'await broker.stop()',
      "console.log('stopped')",
    ]
    writeFileSync(join(folder.path, 'embed.ts'), program.join('\n'))
    const compilerOptions = { target: 'es2024', module: 'nodenext', strict: true, noEmit: true, types: ['node'] }
    writeFileSync(join(folder.path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['embed.ts'] }))
    const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc')
    const checked = folder.run(process.execPath, [compiler, '-p', '.'])
    assert.equal(checked.status, 0, checked.output)
    const ran = folder.run(process.execPath, ['embed.ts'])
    assert.equal(ran.status, 0, ran.output)
    assert.match(ran.output, /^stopped$/m)

    // The types are ours and not any: a wrong point, and a verdict that its point does not have, are errors.
    writeFileSync(join(folder.path, 'embed.ts'), program.join('\n').replace('message.publish', 'message.publised'))
    const wrong = folder.run(process.execPath, [compiler, '-p', '.'])
    assert.notEqual(wrong.status, 0)
    assert.match(wrong.output, /embed\.ts\(3,/)
  })
})
