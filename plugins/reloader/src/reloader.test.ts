import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createBroker, type HookmqBroker } from 'hookmq'
import { startTestBroker } from 'hookmq/testing'
import plugin from './index.ts'

interface Running {
  readonly broker: HookmqBroker
  /** What `hookmq ctl` would print. */
  ctl(line: string): Promise<readonly string[] | undefined>
  /** What the plugin that is being developed says it is. */
  says(): Promise<string>
  save(text: string): void
  log(): string
}

const greeter = (word: string): string => `export default {
  name: 'greeter',
  setup(ctx) {
    ctx.command({ name: 'greet', usage: [['greet', 'Greets']], run: () => ({ lines: ['${word}'] }) })
  },
}
`

async function start(t: TestContext, config: Record<string, string>): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'reloader-'))
  const path = join(folder, 'greeter.mjs')
  const logfile = join(folder, 'log/reloader.log')
  let version = 0
  const save = (text: string): void => writeFileSync(path, `${text}\n// ${'.'.repeat(++version)}`)
  save(greeter('one'))
  const broker = await createBroker({
    plugins: [path, { plugin, config: { 'reloader.logfile': logfile, ...config } }],
  })
  t.after(async () => {
    await broker.stop(500)
    rmSync(folder, { recursive: true })
  })
  await broker.start()
  const ctl = async (line: string): Promise<readonly string[] | undefined> => {
    const [name, ...args] = line.split(' ')
    const result = await broker.admin
      .commands()
      .find((command) => command.name === name)
      ?.run(args)
    return result?.lines
  }
  return {
    broker,
    ctl,
    says: async () => String(await ctl('greet')),
    save,
    log: () => (existsSync(logfile) ? readFileSync(logfile, 'utf8') : ''),
  }
}

/** Looks again until it holds; the runner ends the test when it never does. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}

const unwatched = { 'reloader.watch': 'off', 'reloader.interval': '0' }

it('reload <Module>: the two lines, in the log file too', async (t) => {
  const { ctl, says, save, log } = await start(t, unwatched)
  save(greeter('two'))
  assert.deepEqual(await ctl('reload greeter'), ['Reload module greeter successfully.'])
  assert.equal(await says(), 'two')
  save('export default {')
  const [failure] = (await ctl('reload greeter')) ?? []
  assert.match(failure, /^Failed to reload module greeter: .*syntax error.*[^.]\.$/)
  assert.equal(await says(), 'two', 'what was there before stays')
  assert.deepEqual(await ctl('reload nobody'), ['Failed to reload module nobody: not_found.'])
  assert.equal(await ctl('reload'), undefined)
  assert.equal(await ctl('reload a b'), undefined)
  const lines = log().trimEnd().split('\n')
  assert.equal(lines.length, 3)
  assert.match(lines[0], /^\d{4}-\d\d-\d\dT[\d:.]+Z Reload module greeter successfully\.$/)
  assert.ok(lines[1].endsWith(failure))
})

it('loads a plugin again when its file was saved', async (t) => {
  const { says, save, log } = await start(t, { 'reloader.watch_interval': '20ms', 'reloader.interval': '0' })
  assert.equal(await says(), 'one')
  save(greeter('two'))
  await until(async () => (await says()) === 'two')
  save('export default {')
  await until(() => log().includes('Failed to reload module greeter'))
  assert.equal(await says(), 'two')
  save(greeter('three'))
  await until(async () => (await says()) === 'three')
})

it('loads changed plugins at the interval, without watching', async (t) => {
  const { says, save, log } = await start(t, { 'reloader.watch': 'off', 'reloader.interval': '20ms' })
  save(greeter('two'))
  await until(async () => (await says()) === 'two')
  await until(() => log().includes('Reload module greeter successfully.'))
})

it('a log file that cannot be written is no reason to stop: plugins are loaded all the same', async (t) => {
  const { ctl } = await start(t, { ...unwatched, 'reloader.logfile': '/dev/null/reloader.log' })
  assert.deepEqual(await ctl('reload greeter'), ['Reload module greeter successfully.'])
  assert.deepEqual(await ctl('reload greeter'), ['Reload module greeter successfully.'])
})

it('loads the example of the EMQ document as written, and the file as shipped', async (t) => {
  const document = '\n  reloader.interval = 60\n\n  reloader.logfile = log/reloader.log\n'
  const broker = await startTestBroker(t, { plugins: [{ plugin, conf: document }] })
  const folder = fileURLToPath(new URL('../../../etc/plugins', import.meta.url))
  await broker.reload(plugin, '', { folder })
  assert.deepEqual(
    broker.log.filter(({ level }) => level === 'warn'),
    [],
  )
})
