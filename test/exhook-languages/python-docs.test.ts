import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import driver from '@hookmq/provider-driver'
import { createBroker, type HookmqBroker } from 'hookmq'
import type mqtt from 'mqtt'
import { blocksOf, commandsOf, matches, wordsOf } from '../docs/blocks.ts'
import { requirement } from '../support/requirements.ts'
import { until } from '../support/wait.ts'
import { connect, root } from './broker.ts'
import { collectingLog } from './log.ts'

// Each file of the page is written, and run in a child process of a broker; commands and tests run beside them.
const blocks = blocksOf('hooks-in-python.md')
const folder = mkdtempSync(join(tmpdir(), 'hookmq-python-docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const files = blocks.flatMap(({ language, file, text }) =>
  language === 'python' && file !== undefined ? [{ file, text }] : [],
)
for (const { file, text } of files) writeFileSync(join(folder, file), text)

interface Running {
  readonly broker: HookmqBroker
  logged(): string
}

async function start(t: TestContext, module: string): Promise<Running> {
  const { log, text } = collectingLog()
  const config = {
    'exhook.drivers': 'python3',
    'exhook.drivers.python3.path': folder,
    'exhook.drivers.python3.init_module': module,
  }
  const broker = await createBroker({ log, listeners: [{ type: 'tcp' }], plugins: [{ plugin: driver, config }] })
  t.after(() => broker.stop(500))
  await broker.start()
  const hooked = (): boolean => broker.admin.hooks().some(({ hooks }) => hooks.length > 0)
  await until(hooked, 'the driver to load the hooks', 30_000)
  return { broker, logged: text }
}

function nextMessage(client: mqtt.MqttClient): Promise<{ text: string; packet: mqtt.IPublishPacket }> {
  return new Promise((resolve) =>
    client.once('message', (_topic, payload, packet) => resolve({ text: payload.toString(), packet })),
  )
}

const uses: Record<string, (t: TestContext, running: Running) => Promise<void>> = {
  async greeter(t, { broker, logged }) {
    await connect(t, broker, { clientId: 'press-4' })
    await until(() => logged().includes('press-4 is here, from 127.0.0.1'), 'the greeting')
  },
  async stamp(t, { broker }) {
    const client = await connect(t, broker, { clientId: 'press-4' })
    await client.subscribeAsync({ '#': { qos: 0, rap: true } })
    const message = nextMessage(client)
    await client.publishAsync('factory/a', '1', { properties: { userProperties: { k: 'v' } } })
    const { packet } = await message
    assert.equal(packet.retain, true)
    assert.deepEqual({ ...packet.properties?.userProperties }, { k: 'v', 'sent-by': 'press-4' })
  },
  async small_only(t, { broker }) {
    const client = await connect(t, broker)
    await assert.rejects(client.publishAsync('a', Buffer.alloc(1025), { qos: 1 }), /Quota exceeded|at most 1024/)
    await client.publishAsync('a', Buffer.alloc(1024), { qos: 1 })
  },
  async doorman(t, { broker }) {
    const alice = await connect(t, broker, { username: 'alice', password: 'wonderland' })
    await assert.rejects(connect(t, broker, { username: 'alice', password: 'no' }), /Bad User Name or Password|wrong/)
    await alice.publishAsync('private/alice', 'x', { qos: 1 })
    await assert.rejects(alice.publishAsync('private/bob', 'x', { qos: 1 }), /Not authorized/)
  },
  async checked(t, { broker, logged }) {
    await until(() => logged().includes('connected to the database'), 'on_load')
    const client = await connect(t, broker)
    await client.subscribeAsync('orders/#')
    const texts: string[] = []
    client.on('message', (_, payload) => texts.push(payload.toString()))
    await Promise.all(['1', '2', '3'].map((text) => client.publishAsync('orders/x', text, { qos: 1 })))
    await until(() => texts.length === 3, 'three orders')
    assert.deepEqual(texts, ['1 (checked)', '2 (checked)', '3 (checked)'])
    await broker.stop(500)
    await until(() => logged().includes('bye'), 'on_unload')
  },
}

for (const { file } of files) {
  if (file.startsWith('test_')) continue
  const module = file.replace('.py', '')
  test(`the hooks of ${file} do what the page says`, async (t) => {
    if (requirement('python3', t) === undefined) return
    const use = uses[module]
    assert.ok(use !== undefined, `nothing here uses ${file}`)
    await use(t, await start(t, module))
  })
}

test('commands print what the page shows; its tests pass; its types are right', (t) => {
  const python = requirement('pytest', t)
  if (python === undefined) return
  const run = (args: readonly string[]): string => {
    const sdk = join(root, 'sdk/python')
    const env = { ...process.env, PYTHONPATH: sdk, MYPYPATH: sdk, PYTHONDONTWRITEBYTECODE: '1' }
    const { status, stdout, stderr } = spawnSync(python, args, { cwd: folder, env, encoding: 'utf8' })
    assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }
  const commands = blocks.filter(({ language }) => language === 'console').flatMap(({ text }) => commandsOf(text))
  assert.ok(commands.length > 0)
  for (const { command, output } of commands) {
    const [program, ...args] = wordsOf(command)
    assert.equal(program, 'python')
    const printed = run(args)
    assert.ok(matches(printed, output), `${command}: ${printed}`)
  }
  assert.match(run(['-m', 'pytest', '-q', '-p', 'no:cacheprovider']), /2 passed/)
  run(['-m', 'mypy', '--strict', '--cache-dir', join(folder, '.types'), ...files.map(({ file }) => file)])
})
