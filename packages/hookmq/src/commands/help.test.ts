import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

const plugin = {
  name: 'extra',
  version: '1.0.0',
  setup(ctx: { command(command: object): void }) {
    ctx.command({
      name: 'extra',
      usage: [['extra run', 'Runs it']],
      run: ([what]: readonly string[]) => {
        if (what === 'throw') throw new Error('it broke\nin two')
        return what === 'run' ? { lines: ['ran'], json: { ran: true } } : undefined
      },
    })
  },
}

for (const [profile, program, rule, width] of [
  ['4.x', 'emqx_ctl', 110, 70],
  ['2.x', 'emqttd_ctl', 80, 48],
] as const) {
  test(`${profile}: title, separators and columns; without words the same as help`, async (scope) => {
    const { lines } = await startOperated(scope, profile)
    const help = await lines('help')
    assert.equal(help[0], `Usage: ${program}`)
    assert.equal(help[1], '-'.repeat(rule))
    for (const line of help.slice(1)) if (!line.startsWith('-')) assert.equal(line.indexOf('#'), width, line)
    assert.deepEqual(await lines(), help)
    const names = new Set(help.filter((line) => !/^(-|Usage)/.test(line)).map((line) => line.split(' ')[0]))
    assert.deepEqual(
      [...names],
      'status broker cluster acl authz clients sessions routes topics subscriptions plugins modules vm trace log listeners hooks'.split(
        ' ',
      ),
    )
  })
}

test('commands of plugins come last, and go with the plugin', async (scope) => {
  const { broker, lines, run } = await startOperated(scope)
  await broker.loadPlugin(plugin as never)
  assert.match((await lines('help')).at(-1) ?? '', /^extra run +# Runs it$/)
  assert.deepEqual(await lines('extra', 'run'), ['ran'])
  assert.deepEqual((await run('extra', 'run')).json, { ran: true })
  await broker.unloadPlugin('extra')
  const gone = await run('extra', 'run')
  assert.equal(gone.exitCode, 2)
  assert.deepEqual(gone.lines, [...(await lines('help')), '', "unknown command 'extra'"])
})

test('the command of a plugin that is not loaded: after the help, what to load', async (scope) => {
  const { run, lines } = await startOperated(scope)
  const { exitCode, lines: printed, json } = await run('users', 'list')
  const hint = "'users' is the command of a plugin that is not loaded: 'plugins load auth-username' first"
  assert.deepEqual([exitCode, printed.at(-1), json], [2, hint, { error: hint }])
  assert.match((await lines('plugins', 'load', 'emq_auth_username'))[0], /loaded successfully/)
  assert.deepEqual(await lines('users', 'list'), [])
})

test('plugins that share the first word of their commands are told apart', async (scope) => {
  const { run } = await startOperated(scope)
  const hint = async (...words: string[]) => (await run(...words)).lines.at(-1)
  assert.equal(
    await hint('exhook', 'drivers', 'list'),
    "'exhook drivers' is the command of a plugin that is not loaded: 'plugins load extension-hook' first",
  )
  assert.equal(
    await hint('exhook', 'server', 'list'),
    "'exhook server' is the command of a plugin that is not loaded: 'plugins load exhook' first",
  )
  assert.match(
    (await hint('exhook', 'what')) ?? '',
    /^'exhook' is .*'plugins load extension-hook' or 'plugins load exhook' first$/,
  )
})

test('wrong words print the usage of the command, a throw one line', async (scope) => {
  const { broker, run } = await startOperated(scope)
  await broker.loadPlugin(plugin as never)
  const wrong = await run('extra', 'what')
  assert.deepEqual([wrong.exitCode, wrong.lines], [2, [`${'extra run'.padEnd(70)}# Runs it`]])
  const thrown = await run('extra', 'throw')
  assert.deepEqual([thrown.exitCode, thrown.lines], [1, ['Error: it broke in two']])
  assert.deepEqual(thrown.json, { error: 'it broke in two' })
})

test('what EMQ has and HookMQ has not is one clear line', async (scope) => {
  const { run } = await startOperated(scope)
  for (const name of ['bridges', 'mnesia', 'rules', 'telemetry', 'set']) {
    const { lines, exitCode } = await run(name, 'list')
    assert.equal(exitCode, 1)
    assert.equal(lines.length, 1)
    assert.match(lines[0], new RegExp(`^${name}: not in HookMQ: .+\\.$`))
  }
  assert.match((await run('cluster', 'join', 'other@host')).lines[0], /^Failed to join the cluster: /)
})
