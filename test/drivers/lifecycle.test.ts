import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import driver from '@hookmq/provider-driver'
import exhook from '@hookmq/provider-exhook'
import { until } from '../support/wait.ts'
import { projectRoot } from '../templates/copy.ts'
import { home, start } from './support.ts'

const counting = (name: string): string => `
import os, time
def init():
    print("init ${name}", os.getpid())
    return (0, ([("message_publish", "main", "publish", [])], ()))
def deinit(): print("deinit ${name}")
def publish(message, state):
    if dict(message)[b"topic"] == b"hang": time.sleep(1000)
    return (0, [(b"payload", b"${name}")])
`

function isThere(id: number): boolean {
  try {
    process.kill(id, 0)
    return true
  } catch {
    return false
  }
}

test('the commands of the drivers and those of the servers share their first word', async (t) => {
  const { broker } = await start(t, { 'main.py': counting('one') })
  await broker.load(exhook)
  assert.match((await broker.ctl('exhook drivers list')).lines[0], /^Driver\(name=python3/)
  assert.deepEqual((await broker.ctl('exhook server list')).exitCode, 0)
  const { lines, exitCode } = await broker.ctl('exhook nonsense')
  assert.equal(exitCode, 2)
  assert.match(lines.join('\n'), /exhook drivers list[\s\S]*exhook server|exhook server[\s\S]*exhook drivers list/)
  await broker.unload('exhook')
  assert.match((await broker.ctl('exhook drivers list')).lines[0], /^Driver\(name=python3/)
  await broker.unload('extension-hook')
  await assert.rejects(broker.ctl('exhook drivers list'))
})

test('the plugin is reloaded with other settings: the new process is there before the old one goes', async (t) => {
  const {
    broker,
    home: folder,
    lines,
  } = await start(t, { 'main.py': counting('one'), 'other/main.py': counting('two') })
  const received: string[] = []
  broker.subscribe('#', (message) => void received.push(Buffer.from(message.payload).toString()))
  await broker.publish({ topic: 'a' })
  await broker.reload(driver, {
    'exhook.working_directory': folder,
    'exhook.drivers.python3.path': 'data/extension/other',
  })
  await broker.publish({ topic: 'a' })
  const printed = await lines(3)
  assert.deepEqual(
    printed.map((line) => line.replace(/ \d+$/, '')),
    ['init one', 'init two', 'deinit one'],
  )
  await broker.settle()
  await broker.publish({ topic: 'a' })
  assert.equal(received[0], 'one')
  assert.equal(received.at(-1), 'two')
  const [first] = printed.map((line) => Number(line.split(' ').at(-1)))
  await until(() => !isThere(first), 'the end of the old process')
})

for (const hanging of [false, true])
  test(`kill -9 of the broker ends the handler${hanging ? ', also when it hangs in a callback' : ''}`, async (t) => {
    const folder = home(t, { 'main.py': counting('one') })
    const program = `
import driver from '@hookmq/provider-driver'
import { createBroker } from 'hookmq'
const config = { 'exhook.working_directory': ${JSON.stringify(folder)} }
const broker = await createBroker({ plugins: [{ plugin: driver, config }] })
await broker.start()
if (${hanging}) void broker.publish({ topic: 'hang' })
const { json } = await broker.admin.commands().find(({ name }) => name === 'exhook').run(['drivers', 'list'])
setTimeout(() => console.log('ids', json[0].processIds[0]), 200)
setInterval(() => {}, 1000)`
    // Packages are looked for from there.
    const cwd = join(projectRoot, 'packages/hookmq')
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd })
    t.after(() => void child.kill('SIGKILL'))
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
      })
    await until(() => /^ids \d+$/m.test(output), 'the broker', 20_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${output}`)
    })
    const id = Number(/^ids (\d+)$/m.exec(output)?.[1])
    assert.ok(isThere(id))
    child.kill('SIGKILL')
    await until(() => !isThere(id), 'the end of the handler', 15_000)
  })
