import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Message, Plugin } from '@hookmq/api'
import { loadConfig } from '@hookmq/config'
import { Broker } from '@hookmq/core'
import { createSettings } from '@hookmq/kit'
import { MemoryRetainedStore } from '@hookmq/store-memory'
import { createTestLog, type LogLine } from '../testing/log.ts'
import { PluginManager } from './manager.ts'
import { placesOf } from './places.ts'

interface Scope {
  after(run: () => void | Promise<void>): void
}

/** A broker with a folder of its own: `etc/plugins`, `plugins`, `data`. */
async function start(scope: Scope, files: Record<string, string> = {}, set: readonly string[] = []) {
  const home = mkdtempSync(join(tmpdir(), 'hookmq-manager-'))
  const write = (path: string, text: string): void => {
    mkdirSync(join(home, path, '..'), { recursive: true })
    writeFileSync(join(home, path), text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  const conf = 'plugins.dir = plugins\n'
  const lines: LogLine[] = []
  const broker = new Broker(
    { sysInterval: 0, sysHeartbeat: 0, log: createTestLog(lines) },
    { retained: new MemoryRetainedStore(), settings: (plugin, given) => createSettings(plugin.config, given) },
  )
  const config = loadConfig({ file: join(home, 'etc/hookmq.conf'), text: conf, set, pluginKeys: 'keep' })
  const manager = new PluginManager(broker, { ...placesOf(config, home), initial: ['a'] })
  await broker.start()
  scope.after(async () => {
    await broker.stop()
    rmSync(home, { recursive: true })
  })
  const loadedFile = join(home, 'data/loaded_plugins')
  return {
    broker,
    manager,
    home,
    write,
    logged: () => lines.map((line) => JSON.stringify(line)).join('\n'),
    loaded: () => (existsSync(loadedFile) ? readFileSync(loadedFile, 'utf8') : undefined),
    names: () => broker.plugins.list().map(({ plugin }) => plugin.name),
    shown: (name: string) => manager.plugins().find((view) => view.name === name || view.alias === name),
  }
}

/** Files of a plugin package that marks messages with a word. */
function marking(
  name: string,
  { fields = '', word = name }: { fields?: string; word?: string } = {},
): Record<string, string> {
  return {
    [`plugins/${name}/package.json`]: JSON.stringify({
      name: `hookmq-plugin-${name}`,
      version: '1.2.3',
      type: 'module',
      exports: './index.ts',
    }),
    [`plugins/${name}/index.ts`]: `import { word } from './word.ts'
export default {
  name: '${name}', ${fields}
  setup(ctx: { hook(point: string, handler: unknown): void }) {
    ctx.hook('message.publish', (_: unknown, message: { payload: Uint8Array }) => ({ ok: { ...message, payload: Buffer.concat([message.payload, Buffer.from(word)]) } }))
  },
}
`,
    [`plugins/${name}/word.ts`]: `export const word: string = '[${word}]'\n`,
  }
}

async function mark(broker: Broker): Promise<string> {
  let seen = ''
  const end = broker.link.subscribe('mark', (message: Message) => {
    seen = Buffer.from(message.payload).toString()
  })
  await broker.publish({ topic: 'mark', payload: Buffer.from('') })
  end()
  return seen
}

const aliases = "aliases: ['emq_one', 'emqx_one'], description: 'First',"

describe('load, unload and reload by name', () => {
  test('answers as EMQ does, by any name, and keeps the name of the user', async (scope) => {
    const { manager, broker, loaded, shown } = await start(scope, marking('one', { fields: aliases }))
    assert.deepEqual(await manager.unloadPlugin('emq_one'), { ok: false, error: 'not_started' })
    assert.deepEqual(await manager.loadPlugin('emq_two'), { ok: false, error: 'not_found' })
    assert.deepEqual(await manager.unloadPlugin('emq_two'), { ok: false, error: 'not_found' })
    assert.deepEqual(await manager.loadPlugin('emq_one'), { ok: true, started: ['emq_one'] })
    assert.equal(await mark(broker), '[one]')
    for (const name of ['emq_one', 'one', 'emqx_one'])
      assert.deepEqual(await manager.loadPlugin(name), { ok: false, error: 'already_started' })
    assert.equal(loaded(), 'emq_one.\n')
    const view = shown('one')
    assert.deepEqual(
      [view?.name, view?.alias, view?.version, view?.description, view?.active, view?.placement],
      ['one', 'emq_one', '1.2.3', 'First', true, 'in-process'],
    )
    assert.deepEqual(await manager.unloadPlugin('emqx_one'), { ok: true, started: [] })
    assert.equal(await mark(broker), '')
    assert.equal(loaded(), '')
    assert.deepEqual(await manager.unloadPlugin('one'), { ok: false, error: 'not_started' })
    assert.equal(shown('one')?.active, false)
    assert.deepEqual(await manager.reloadPlugin('one'), { ok: true, started: ['one'] })
    assert.equal(loaded(), 'one.\n')
    assert.deepEqual(await manager.reloadPlugin('none'), { ok: false, error: 'not_found' })
  })

  test('a failed load changes nothing but tells why; a mended one loads', async (scope) => {
    const { manager, write, loaded, shown } = await start(scope, {
      ...marking('good'),
      'plugins/bad/package.json': '{ "name": "hookmq-plugin-bad" }',
      'plugins/bad/index.ts': 'export default { name: "bad", setup() { throw new Error("no table") } }',
    })
    await manager.loadPlugin('good')
    const outcome = await manager.loadPlugin('bad')
    assert.equal(outcome.ok, false)
    assert.match(String('error' in outcome && outcome.error), /^plugin bad \(.*index\.ts:1\): setup failed: no table$/)
    assert.equal(loaded(), 'good.\n')
    assert.match(shown('bad')?.error ?? '', /no table/)
    assert.equal(shown('bad')?.active, false)
    write('plugins/bad/index.ts', 'export default { name: "bad", setup() { /* mended */ } }')
    assert.deepEqual(await manager.loadPlugin('bad'), { ok: true, started: ['bad'] })
    assert.equal(shown('bad')?.error, undefined)
    assert.equal(loaded(), 'good.\nbad.\n')
  })

  test('a path is a name too', async (scope) => {
    const { manager, names, home, loaded } = await start(scope, {
      ...marking('one'),
      'mine/single.mjs': 'export default { name: "single", setup() {} }',
    })
    assert.deepEqual(await manager.loadPlugin('./mine/single.mjs'), { ok: true, started: ['./mine/single.mjs'] })
    assert.equal((await manager.loadPlugin(join(home, 'plugins/one'))).ok, true)
    assert.deepEqual(names(), ['single', 'one'])
    assert.equal(loaded(), `'./mine/single.mjs'.\n'${join(home, 'plugins/one')}'.\n`)
    const gone = await manager.loadPlugin('./mine/none.ts')
    assert.match(String('error' in gone && gone.error), /no such file/)
    assert.equal(
      manager.plugins().some(({ name }) => name.includes('none')),
      false,
    )
  })

  test('what a plugin needs is started first, and cannot be taken from under it', async (scope) => {
    const { manager, names } = await start(scope, {
      ...marking('base', { fields: "aliases: ['emq_base']," }),
      ...marking('upper', { fields: "dependencies: ['emq_base']," }),
      ...marking('ring', { fields: "dependencies: ['ring2']," }),
      ...marking('ring2', { fields: "dependencies: ['ring']," }),
      ...marking('alone', { fields: "dependencies: ['not-there']," }),
    })
    assert.deepEqual(await manager.loadPlugin('upper'), { ok: true, started: ['emq_base', 'upper'] })
    assert.deepEqual(names(), ['base', 'upper'])
    assert.deepEqual(await manager.unloadPlugin('base'), {
      ok: false,
      error: 'it is needed by upper; unload that first',
    })
    const ring = await manager.loadPlugin('ring')
    assert.match(String('error' in ring && ring.error), /plugins need each other: ring → ring2 → ring/)
    const alone = await manager.loadPlugin('alone')
    assert.match(String('error' in alone && alone.error), /it needs the plugin not-there, which is not there/)
    assert.deepEqual(names(), ['base', 'upper'])
  })

  test('a reload runs changed code, in imported files too; broken code leaves the old one in force', async (scope) => {
    const { manager, broker, write, shown } = await start(scope, marking('one'))
    await manager.loadPlugin('one')
    assert.deepEqual(await manager.changedPlugins(), [])
    write('plugins/one/word.ts', "export const word: string = '[two]'\n")
    assert.deepEqual(await manager.changedPlugins(), ['one'])
    assert.equal(await mark(broker), '[one]')
    assert.deepEqual(await manager.reloadPlugin('one'), { ok: true, started: ['one'] })
    assert.equal(await mark(broker), '[two]')
    assert.deepEqual(await manager.changedPlugins(), [])

    write('plugins/one/word.ts', 'export const word = = 1\n')
    const broken = await manager.reloadPlugin('one')
    assert.match(String('error' in broken && broken.error), /word\.ts:1: syntax error/)
    assert.equal(await mark(broker), '[two]')
    assert.match(shown('one')?.error ?? '', /not reloaded, what was there before is in force: .*syntax error/)
    assert.deepEqual(await manager.changedPlugins(), [])
    write('plugins/one/word.ts', "export const word: string = '[three]'\n")
    assert.deepEqual(await manager.changedPlugins(), ['one'])
    assert.equal((await manager.reloadPlugin('one')).ok, true)
    assert.equal(await mark(broker), '[three]')
    assert.equal(shown('one')?.error, undefined)

    write('plugins/one/index.ts', 'export default { name: "other", setup() {} }')
    const renamed = await manager.reloadPlugin('one')
    assert.match(String('error' in renamed && renamed.error), /it is now called other/)
    assert.equal(await mark(broker), '[three]')
  })
})

describe('settings', () => {
  const configured = (name: string): Record<string, string> => ({
    [`plugins/${name}/package.json`]: JSON.stringify({ name: `hookmq-plugin-${name}`, exports: './index.ts' }),
    [`plugins/${name}/index.ts`]: `export default {
  name: '${name}',
  aliases: ['emq_${name}'],
  config: {
    '${name}.interval': { type: 'duration', unit: 's', default: '10m', description: '' },
    '${name}.$n.word': { type: 'string', description: '' },
  },
  setup(ctx) {
    ctx.log.info('interval ' + ctx.settings.duration('${name}.interval') + ' words ' + ctx.settings.matching('${name}.$n.word').map(({ key }) => ctx.settings.text(key)))
  },
}`,
  })

  test('are read when the plugin is loaded and reloaded, from the file of any of its names', async (scope) => {
    const { manager, write, logged } = await start(scope, configured('ticker'), [
      'ticker.b.word=typed',
      'plugin.emq-ticker.a.word=x',
    ])
    await manager.loadPlugin('emq_ticker')
    assert.match(logged(), /interval 600000 words typed/)
    write(
      'etc/plugins/emq_ticker.conf',
      '%% comment\nticker.interval = 60\nticker.a.word = filed\nticker.b.word = lost',
    )
    assert.deepEqual(await manager.changedPlugins(), ['ticker'])
    assert.equal((await manager.reloadPlugin('ticker')).ok, true)
    assert.match(logged(), /interval 60000 words filed,typed/)
  })

  test('that are wrong keep the plugin from being loaded, and name file, line, key and what was expected', async (scope) => {
    const { manager, write, shown } = await start(scope, {
      ...configured('ticker'),
      'etc/plugins/ticker.conf': '\nticker.interval = often\n',
    })
    const outcome = await manager.loadPlugin('ticker')
    assert.match(
      String('error' in outcome && outcome.error),
      /etc\/plugins\/ticker\.conf:2: ticker\.interval: expected a duration such as 30s or 1h30m, or a number of seconds, got "often"$/,
    )
    assert.match(shown('ticker')?.error ?? '', /expected a duration/)
    write('etc/plugins/ticker.conf', 'ticker.interval = 5s\nticker.intervall = 3s\n')
    assert.equal((await manager.loadPlugin('ticker')).ok, true)
  })

  test('that the plugin does not have are a warning that names the nearest key', async (scope) => {
    const { manager, logged } = await start(scope, {
      ...configured('ticker'),
      'etc/plugins/ticker.conf': 'ticker.intervall = 3s\n',
    })
    assert.equal((await manager.loadPlugin('ticker')).ok, true)
    assert.match(
      logged(),
      /ticker\.conf:1: ticker\.intervall: not a key of the plugin ticker, ignored; did you mean ticker\.interval\?/,
    )
  })
})

describe('at the start', () => {
  test('plugins are loaded in the order of the file, one that fails does not keep the others, and the file stays as it is', async (scope) => {
    const file = 'emq_b.\n{a, true}.\n{c, true}.\n{c, false}.\n{gone, true}.\nbroken.\nlast.\n'
    const { manager, names, logged, loaded, shown } = await start(scope, {
      ...marking('a'),
      ...marking('b', { fields: "aliases: ['emq_b']," }),
      ...marking('c'),
      ...marking('last'),
      'plugins/broken/package.json': '{ "name": "hookmq-plugin-broken" }',
      'plugins/broken/index.ts': 'export default { name: "broken" setup() {} }',
      'data/loaded_plugins': file,
    })
    await manager.boot(['a'])
    assert.deepEqual(names(), ['a', 'b', 'last'])
    assert.equal(loaded(), file)
    assert.match(logged(), /plugin not loaded; the broker goes on without it.*broken.*syntax error/)
    assert.match(logged(), /there is no plugin gone/)
    assert.match(shown('broken')?.error ?? '', /syntax error/)
    assert.match(shown('gone')?.error ?? '', /there is no plugin gone/)
    assert.equal(shown('c')?.error, undefined)
    // What is wrong with the list can be put right from there.
    assert.deepEqual(await manager.unloadPlugin('gone'), { ok: false, error: 'not_started' })
    assert.doesNotMatch(loaded() ?? '', /gone/)
    assert.equal(shown('gone'), undefined)
  })

  test('a list that is not there is made; one that cannot be read is an error in the log', async (scope) => {
    const first = await start(scope, marking('a'))
    await first.manager.boot([])
    assert.equal(first.loaded(), 'a.\n')
    assert.deepEqual(first.names(), ['a'])
    const second = await start(scope, { ...marking('a'), 'data/loaded_plugins': 'a.\n{b, maybe}.\n' })
    await second.manager.boot(['a'])
    assert.deepEqual(second.names(), ['a'])
    assert.match(
      second.logged(),
      /the list of plugins to load cannot be used.*loaded_plugins:2:1: expected name\. or \{name, true\}\./,
    )
  })
})

describe('a plugin that is made of others', () => {
  const part = (name: string): Record<string, string> => ({
    [`plugins/${name}/package.json`]: JSON.stringify({ name: `hookmq-plugin-${name}`, exports: './index.js' }),
    [`plugins/${name}/index.js`]: `export default { name: '${name}', config: { 'module.${name}': { type: 'integer', default: '0' } },
      setup(ctx) { ctx.log.info('${name} is ' + ctx.config['module.${name}']) } }`,
  })
  const whole = {
    ...part('one'),
    ...part('two'),
    'plugins/all/package.json': '{ "name": "hookmq-plugin-all", "exports": "./index.js" }',
    'plugins/all/index.js': `export default { name: 'all', aliases: ['emq_all'], includes: ['one', 'two'], setup() {} }`,
  }

  test('its parts come, are read from its file, are loaded again and go with it; only it is remembered', async (scope) => {
    const { manager, names, loaded, logged, write, shown } = await start(scope, {
      ...whole,
      'etc/plugins/emq_all.conf': 'module.one = 1\nmodule.two = 2\nmodule.three = 3\n',
    })
    assert.deepEqual(await manager.loadPlugin('emq_all'), { ok: true, started: ['one', 'two', 'emq_all'] })
    assert.deepEqual(names(), ['one', 'two', 'all'])
    assert.equal(loaded(), 'emq_all.\n')
    assert.match(logged(), /one is 1.*two is 2/s)
    assert.match(logged(), /module\.three: not a key of the plugin/)
    assert.doesNotMatch(logged(), /module\.(one|two): not a key/)
    assert.deepEqual(await manager.unloadPlugin('one'), {
      ok: false,
      error: 'it is needed by all; unload that first',
    })
    write('etc/plugins/emq_all.conf', 'module.one = 11\nmodule.two = 22\n')
    assert.equal((await manager.reloadPlugin('all')).ok, true)
    assert.match(logged(), /one is 11.*two is 22/s)
    assert.equal((await manager.unloadPlugin('emq_all')).ok, true)
    assert.deepEqual([names(), loaded(), shown('one')?.active], [[], '', false])
  })

  test('a part that was loaded before stays as it is, and stays', async (scope) => {
    const { manager, names, logged } = await start(scope, { ...whole, 'etc/plugins/all.conf': 'module.one = 1\n' })
    await manager.loadPlugin('one')
    assert.deepEqual(await manager.loadPlugin('all'), { ok: true, started: ['two', 'all'] })
    assert.match(logged(), /one is 0/)
    await manager.unloadPlugin('all')
    assert.deepEqual(names(), ['one'])
  })

  test('a part that cannot be loaded: nothing of it is', async (scope) => {
    const { manager, names } = await start(scope, {
      ...whole,
      'plugins/two/index.js': `export default { name: 'two', setup() { throw new Error('no luck') } }`,
    })
    const outcome = await manager.loadPlugin('all')
    assert.match(String('error' in outcome && outcome.error), /plugin all: its part two cannot be loaded: .*no luck/)
    assert.deepEqual(names(), [])
  })
})

test('objects of the embedding program can be unloaded and loaded again by name', async (scope) => {
  const { manager, names } = await start(scope)
  const given: Plugin = { name: 'given', setup() {} }
  await manager.add({ plugin: given })
  await assert.rejects(manager.add({ plugin: given }), { code: 'PLUGIN_DUPLICATE' })
  assert.equal((await manager.reloadPlugin('given')).ok, true)
  assert.equal((await manager.unloadPlugin('given')).ok, true)
  assert.equal((await manager.loadPlugin('given')).ok, true)
  assert.deepEqual(names(), ['given'])
})
