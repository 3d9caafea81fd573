import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import exhook from '@hookmq/provider-exhook'
import { startTestBroker } from 'hookmq/testing'
import { until } from '../support/wait.ts'
import { projectRoot } from '../templates/copy.ts'
import { blocksOf, commandsOf, matches, wordsOf } from './blocks.ts'

const page = blocksOf('exhook.md')

/** Runs the page's server in a process of its own, on a free port. */
async function startServer(t: TestContext): Promise<string> {
  const block = page.find(({ file }) => file === 'greeter.ts')
  assert.ok(block !== undefined)
  assert.ok(block.text.includes("listen: '127.0.0.1:9000'"))
  // Below the project, so that its package is found.
  const folder = mkdtempSync(join(projectRoot, 'test/docs/.exhook-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'greeter.ts'), block.text.replace(':9000', ':0'))
  const child = spawn(process.execPath, [join(folder, 'greeter.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  await until(() => /listening on \S+/.test(printed), 'the server')
  return `http://${/listening on (\S+)/.exec(printed)?.[1]}`
}

test('docs/exhook.md: the server, its commands, and what a client sees of it', async (t) => {
  const url = await startServer(t)
  const settings = page.filter(({ language }) => language === 'ini').map(({ text }) => text)
  const broker = await startTestBroker(t)
  await broker.load(exhook, settings[0].replace(/http:\S+/, url))
  await until(() => broker.admin.providers()[0]?.status === 'loaded', 'the load')
  for (const { text, place } of page.filter(({ language }) => language === 'console')) {
    for (const { command, output } of commandsOf(text)) {
      const [program, ...words] = wordsOf(command)
      assert.equal(program, 'bin/emqctl')
      const { lines } = await broker.ctl(words)
      assert.ok(matches(`${lines.join('\n')}\n`, output), `${place}: ${command} printed\n${lines.join('\n')}`)
    }
  }
  const client = await broker.connect({ clientId: 'c', username: 'ann' })
  await client.subscribe('#')
  await client.publish('greetings/1', 'world', { qos: 1 })
  assert.equal(Buffer.from((await client.message()).payload).toString(), 'hello, world')
  await assert.rejects(broker.connect({ username: 'mallory' }))
})

test('docs/exhook.md: every block of settings is one', async (t) => {
  for (const { text, place } of page.filter(({ language }) => language === 'ini')) {
    const broker = await startTestBroker(t)
    // Nobody is there; what is wrong with the settings is said before that matters.
    await assert.doesNotReject(broker.load(exhook, text.replace(/http:\S+/, 'http://127.0.0.1:9')), place)
    await broker.stop()
  }
})
