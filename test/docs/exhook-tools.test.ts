import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanEnvironment } from '../packaging/installed.ts'
import { until } from '../support/wait.ts'
import { projectRoot } from '../templates/copy.ts'
import { blocksOf, commandsOf, matches, wordsOf } from './blocks.ts'

const page = blocksOf('exhook-tools.md')
const main = join(projectRoot, 'packages/hookmq/src/main.ts')
const patience = 60_000

interface Program {
  output: string
  readonly ended: Promise<unknown>
}

function run(t: TestContext, folder: string, ...args: string[]): Program {
  const env = { ...cleanEnvironment(), HOOKMQ_PLUGIN__MANAGEMENT__DASHBOARD__LISTENER__HTTP: '127.0.0.1:0' }
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const program: Program = { output: '', ended: once(child, 'close') }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      program.output += chunk
    })
  t.after(async () => {
    child.kill('SIGKILL')
    await program.ended
  })
  return program
}

test('docs/exhook-tools.md: its commands print what it shows', { timeout: 300_000 }, async (t) => {
  // Below the project, so that the provider's package is found.
  const folder = mkdtempSync(join(projectRoot, 'test/docs/.exhook-tools-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const { file, text } of page)
    if (file !== undefined) writeFileSync(join(folder, file), text.replace('127.0.0.1:9000', '127.0.0.1:0'))
  const provider = run(t, folder, join(folder, 'provider.ts'))
  await until(() => /^listening on \S+/m.test(provider.output), 'the provider', patience)
  const address = /^listening on (\S+)/m.exec(provider.output)?.[1] ?? ''
  const place = ['--data-dir', join(folder, 'data')]
  const listeners = ['tcp', 'ws'].flatMap((kind) => ['--set', `listener.${kind}.external=127.0.0.1:0`])
  const broker = run(t, folder, main, 'start', ...place, ...listeners)
  await until(() => /^ready/m.test(broker.output), 'the broker', patience)

  const commands = page.filter(({ language }) => language === 'console')
  assert.ok(commands.length >= 5)
  for (const { text, place: where } of commands)
    for (const { command, output } of commandsOf(text)) {
      const [program, ...words] = wordsOf(command.replace('127.0.0.1:9000', address))
      assert.equal(program, 'bin/hookmq')
      const ran = run(t, folder, main, ...words, ...(words[1] === 'record' ? place : []))
      await ran.ended
      const printed = ran.output.replaceAll(address, '127.0.0.1:9000')
      assert.ok(matches(printed, output), `${where}: ${command} printed\n${printed}`)
    }
})

test('docs/exhook-tools.md: every option is there', async (t) => {
  const text = readFileSync(join(projectRoot, 'docs/exhook-tools.md'), 'utf8')
  for (const command of ['doctor', 'record', 'replay', 'compare']) {
    const help = run(t, projectRoot, main, 'exhook', command, '--help')
    await help.ended
    assert.match(help.output, /Examples:[\s\S]*Exit code: 0/)
    const options = [...help.output.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option)
    for (const option of options) if (option !== '--help') assert.ok(text.includes(option), `${command} ${option}`)
  }
})
