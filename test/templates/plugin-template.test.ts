import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createBroker, type HookmqBroker, ReasonCode } from 'hookmq'
import { copyTemplate, emptyFolder, projectRoot } from './copy.ts'

function runNode(folder: string, ...args: string[]): { status: number | null; output: string } {
  const environment = { ...process.env }
  // Set by the runner of this very test; the one below must not take itself for a part of it.
  delete environment.NODE_TEST_CONTEXT
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env: environment,
  })
  return { status, output: stdout + stderr }
}

describe('a copy of the template, outside of the project', () => {
  test('compiles as strictly as it says, and its own test passes', (t) => {
    const folder = copyTemplate(emptyFolder(t), 'greeter')
    const checked = runNode(folder, join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', '.')
    assert.equal(checked.status, 0, checked.output)
    const tested = runNode(folder, '--test', '--test-reporter=tap', 'src/greeter.test.ts')
    assert.equal(tested.status, 0, tested.output)
    assert.match(tested.output, /^# pass 4$/m)
    // It can fail: the compiler and the test look at what is there.
    const file = join(folder, 'src/command.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace("['ok']", '[1]'))
    assert.notEqual(runNode(folder, join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', '.').status, 0)
    assert.notEqual(runNode(folder, '--test', 'src/greeter.test.ts').status, 0)
  })

  test('nothing of it says my-plugin any more', (t) => {
    const folder = copyTemplate(emptyFolder(t), 'greeter')
    const { output } = runNode(
      folder,
      '-e',
      "for (const f of require('fs').globSync('**/*')) console.log(f, require('fs').statSync(f).isFile() && require('fs').readFileSync(f, 'utf8'))",
    )
    assert.match(output, /greeter\.conf/)
    assert.doesNotMatch(output, /my-plugin/)
  })
})

describe('on a running broker', () => {
  async function start(t: TestContext): Promise<HookmqBroker> {
    const broker = await createBroker({ allowAnonymous: false })
    t.after(() => broker.stop(500))
    await broker.start()
    return broker
  }

  const getsIn = async (broker: HookmqBroker): Promise<boolean> => {
    const client = broker.link()
    try {
      await client.connect()
      await client.close()
      return true
    } catch (error) {
      assert.equal((error as { reasonCode?: number }).reasonCode, ReasonCode.NotAuthorized)
      return false
    }
  }

  const command = (broker: HookmqBroker) => broker.admin.commands().find(({ name }) => name === 'cmd')

  test('loaded: cmd prints ok, everybody gets in; unloaded: no cmd, and the rest of the chain decides', async (t) => {
    const folder = copyTemplate(emptyFolder(t), 'greeter')
    const broker = await start(t)
    assert.equal(await getsIn(broker), false)
    assert.deepEqual(await broker.admin.loadPlugin(folder), { ok: true, started: [folder] })
    assert.deepEqual((await command(broker)?.run(['arg1', 'arg2']))?.lines, ['ok'])
    assert.equal(await command(broker)?.run(['arg1']), undefined)
    assert.equal(await getsIn(broker), true)
    const view = broker.admin.plugins().find(({ name }) => name === 'greeter')
    assert.deepEqual([view?.active, view?.version, view?.description], [true, '0.1.0', 'My first plugin'])
    const hooks = broker.admin.hooks().filter(({ hooks }) => hooks.some(({ owner }) => owner === 'greeter'))
    assert.deepEqual(hooks.map(({ point }) => point).sort(), [
      'client.connected',
      'client.disconnected',
      'client.subscribe',
      'client.unsubscribe',
      'message.acked',
      'message.delivered',
      'message.publish',
      'session.subscribed',
      'session.unsubscribed',
    ])
    assert.equal((await broker.admin.unloadPlugin('greeter')).ok, true)
    assert.equal(command(broker), undefined)
    assert.equal(await getsIn(broker), false)
    assert.equal(
      broker.admin.hooks().some(({ hooks }) => hooks.some(({ owner }) => owner === 'greeter')),
      false,
    )
  })

  test('reads its own etc file, and the Erlang form as well', async (t) => {
    const folder = copyTemplate(emptyFolder(t), 'greeter')
    const broker = await start(t)
    const texts: string[] = []
    broker.subscribe('greeter/#', ({ payload }) => void texts.push(String(payload)))
    writeFileSync(join(folder, 'etc/greeter.conf'), '# changed\ngreeter.greeting = good day\ngreeter.access = ignore\n')
    await broker.admin.loadPlugin(folder)
    assert.equal(await getsIn(broker), false)
    await broker.publish({ topic: 'greeter/x', payload: 'world' })
    writeFileSync(
      join(folder, 'etc/greeter.config'),
      '[\n  {greeter, [\n    {greeting, "bonjour"} %% French\n  ]}\n].\n',
    )
    await broker.admin.reloadPlugin('greeter')
    await broker.publish({ topic: 'greeter/x', payload: 'world' })
    assert.deepEqual(texts, ['good day, world', 'bonjour, world'])
    writeFileSync(join(folder, 'etc/greeter.config'), '[{greeter, [{access, sometimes}]}].\n')
    const outcome = await broker.admin.reloadPlugin('greeter')
    assert.match(outcome.ok ? '' : outcome.error, /greeter\.config:1: access: expected allow or ignore, got/)
  })
})
