import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'
import type { PluginConfigKey } from '@hookmq/api'
import { createSettings, printTerm } from '@hookmq/kit'
import fc from 'fast-check'
import { ConfigError } from './error.ts'
import { loadConfig } from './load.ts'
import { type ConfigurablePlugin, readPluginConfig } from './plugin-config.ts'

const home = mkdtempSync(join(tmpdir(), 'hookmq-plugin-config-'))
after(() => rmSync(home, { recursive: true }))
let folders = 0

function key(type: PluginConfigKey['type'], rest: Partial<PluginConfigKey> = {}): PluginConfigKey {
  return { type, description: '', ...rest }
}

/** Reads with these files in the folder of settings. */
function read(
  plugin: ConfigurablePlugin,
  files: Record<string, string> = {},
  set: readonly string[] = [],
  spelling?: string,
) {
  const folder = join(home, `etc-${++folders}`)
  mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const { plugins } = loadConfig({ text: '', set, pluginKeys: 'keep' })
  const result = readPluginConfig(plugin, { folders: [folder], overrides: plugins.overrides, home, spelling })
  const strip = (text: string): string => text.replaceAll(`${folder}/`, '')
  return { ...result, warnings: result.warnings.map(strip), settings: createSettings(plugin.config, result) }
}

function problems(plugin: ConfigurablePlugin, files: Record<string, string>, set: readonly string[] = []): string[] {
  try {
    read(plugin, files, set)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.all.map(({ message }) => message.replace(/^\S*\/etc-\d+\//, ''))
  }
  throw new assert.AssertionError({ message: 'it was read although it must not be' })
}

const accounts: ConfigurablePlugin = {
  name: 'accounts',
  aliases: ['emq_accounts', 'emqx_accounts'],
  config: {
    'auth.user.$n.username': key('string'),
    'auth.user.$n.password': key('secret'),
    'auth.hash': key('enum', { values: ['plain', 'sha256'], default: 'plain' }),
  },
}

const keeper: ConfigurablePlugin = {
  name: 'keeper',
  aliases: ['emq_mod_keeper'],
  config: {
    'keeper.kind': key('enum', { values: ['ram', 'disc'], default: 'ram', aliases: ['module.keeper.storage_type'] }),
    'keeper.max': key('integer', { minimum: 0, default: '0', aliases: ['module.keeper.max_message_num'] }),
    'keeper.size': key('bytesize', { default: '1MB', aliases: ['module.keeper.max_payload_size'] }),
    'keeper.expiry': key('duration', { unit: 's', default: '0', aliases: ['module.keeper.expired_after'] }),
    'keeper.file': key('path', { default: 'log/keeper.log' }),
  },
}

const rules: ConfigurablePlugin = {
  name: 'rules',
  aliases: ['emq_mod_rules'],
  config: {
    rules: key('term'),
    'frame.max_headers': key('integer', { default: '10' }),
    'module.rules.rule.$n': key('string'),
  },
}

describe('the files that users have', () => {
  it('comments of both kinds, indented lines, examples that are commented out', () => {
    const { config, settings } = read(accounts, {
      'emq_accounts.conf': [
        '    ##auth.user.$N.username = admin',
        '    ##auth.user.$N.password = public',
        '',
        '    %% Examples:',
        '    auth.user.1.username = ann',
        '    auth.user.1.password = a # b',
        '    ##auth.user.2.username = bob@example.org',
      ].join('\r\n'),
    })
    assert.deepEqual(config, {
      'auth.hash': 'plain',
      'auth.user.1.username': 'ann',
      'auth.user.1.password': 'a # b',
    })
    assert.deepEqual(settings.matching('auth.user.$n.username'), [{ key: 'auth.user.1.username', words: { n: '1' } }])
  })

  it('old spellings of keys mean the new ones, whose types and defaults hold', () => {
    const { config, settings } = read(keeper, {
      'emq_mod_keeper.conf': [
        '## disc: both, ram: memory',
        'module.keeper.storage_type = disc',
        'module.keeper.max_message_num = 100000',
        'module.keeper.max_payload_size = 64KB',
        'module.keeper.expired_after = 0',
      ].join('\n'),
    })
    assert.deepEqual(Object.keys(config).sort(), Object.keys(keeper.config ?? {}).sort())
    assert.equal(settings.text('keeper.kind'), 'disc')
    assert.equal(settings.number('keeper.max'), 100_000)
    assert.equal(settings.bytes('keeper.size'), 65_536)
    assert.equal(settings.duration('keeper.expiry'), 0)
    assert.equal(settings.text('keeper.file'), join(home, 'log/keeper.log'))
  })

  it('Erlang terms: rules and their comments, also when all of them are commented out', () => {
    const empty = `  [
    {emq_mod_rules, [
      {rules, [
        %% {rule, Topic, Re, Dest}

        %% Example: a/ -> b/
        %% {rule, "a/#", "^a/(.+)$", "b/$1"}
      ]}
    ]}
  ].
`
    const none = read(rules, { 'emq_mod_rules.config': empty })
    assert.equal(printTerm(none.settings.term('rules')), '[]')
    assert.deepEqual(none.warnings, [])
    const some = read(rules, { 'rules.config': '[{rules, [{rules, [{rule, "a/#", "^a/(.+)$", "b/$1"}]}]}].' })
    assert.equal(printTerm(some.settings.term('rules')), '[{rule,"a/#","^a/(.+)$","b/$1"}]')
  })

  it('Erlang terms in a .conf, as the manual of EMQ has them', () => {
    const { settings } = read(rules, { 'rules.conf': '%% rules\n\n  [\n    {rules, [{rules, [a]}]}\n  ].\n' })
    assert.equal(printTerm(settings.term('rules')), '[a]')
  })

  it('Erlang terms: a list of pairs is keys with dots, an atom alone is true, an empty list is nothing said', () => {
    const flags: ConfigurablePlugin = {
      name: 'gate',
      config: {
        'stomp.frame.max_headers': key('integer'),
        debug: key('flag', { default: 'off' }),
        options: key('string', { default: 'none' }),
      },
    }
    const { config } = read(flags, {
      'gate.config': '[{gate, [{stomp, [{frame, [{max_headers, 10}]}]}, debug, {options, []}]}].',
    })
    assert.deepEqual(config, { 'stomp.frame.max_headers': '10', debug: 'true', options: 'none' })
  })

  it('without declared keys everything is passed on', () => {
    const free: ConfigurablePlugin = { name: 'free' }
    assert.deepEqual(read(free, { 'free.conf': 'free.key = value\nother = 1' }).config, {
      'free.key': 'value',
      other: '1',
    })
    const { config, terms } = read(free, { 'free.config': '[{free, [{key, value}, {list, [1, {a, b}]}]}].' })
    assert.deepEqual(config, { key: 'value' })
    assert.deepEqual(Object.keys(terms), ['key', 'list'])
  })
})

describe('which file counts', () => {
  it('the name that was used first, then the plugin’s own, then its aliases; the others are named', () => {
    const files = { 'emq_mod_keeper.conf': 'keeper.max = 1', 'keeper.conf': 'keeper.max = 2' }
    assert.equal(read(keeper, files).config['keeper.max'], '2')
    const asked = read(keeper, files, [], 'emq_mod_keeper')
    assert.equal(asked.config['keeper.max'], '1')
    assert.deepEqual(asked.warnings, [
      'keeper.conf: not read, because emq_mod_keeper.conf is there for the plugin keeper',
    ])
  })

  it('.config wins over .conf', () => {
    const both = { 'keeper.conf': 'keeper.max = 1', 'keeper.config': '[{keeper, [{keeper, [{max, 2}]}]}].' }
    assert.equal(read(keeper, both).config['keeper.max'], '2')
  })

  it('a folder that has none leaves it to the next', () => {
    const [first, second] = ['a', 'b'].map((name) => join(home, name))
    for (const folder of [first, second]) mkdirSync(folder)
    writeFileSync(join(second, 'keeper.conf'), 'keeper.max = 9')
    assert.equal(readPluginConfig(keeper, { folders: [first, second], home }).config['keeper.max'], '9')
  })
})

describe('settings beside the file', () => {
  it('win over it, by the plugin’s key in any spelling and by plugin.NAME.KEY with any of its names', () => {
    const file = { 'keeper.conf': 'keeper.max = 1\nkeeper.kind = disc' }
    const read_ = (...set: string[]) => read(keeper, file, set).config
    assert.equal(read_('keeper.max=2')['keeper.max'], '2')
    assert.equal(read_('module.keeper.max_message_num=3')['keeper.max'], '3')
    assert.equal(read_('plugin.keeper.keeper.max=4')['keeper.max'], '4')
    assert.equal(read_('plugin.emq-mod-keeper.keeper.max=5')['keeper.max'], '5')
    assert.equal(read_('plugin.other.keeper.max=6')['keeper.max'], '1')
    assert.equal(read_('keeper.max=2', 'plugin.keeper.keeper.max=7')['keeper.max'], '7')
  })

  it('an empty value takes back what the file says', () => {
    assert.equal(read(keeper, { 'keeper.conf': 'keeper.max = 1' }, ['keeper.max=']).config['keeper.max'], '0')
  })

  it('paths begin where they were written', () => {
    const typed = read(keeper, {}, ['keeper.file=x.log'])
    assert.equal(typed.config['keeper.file'], resolve('x.log'))
    assert.equal(read(keeper, { 'keeper.conf': 'keeper.file = x.log' }).config['keeper.file'], join(home, 'x.log'))
  })

  it('a term can be typed', () => {
    const { settings } = read(rules, {}, ['plugin.rules.rules=[{rule, "a", "b", "c"}]'])
    assert.equal(printTerm(settings.term('rules')), '[{rule,"a","b","c"}]')
  })

  it('how a plugin is run is not its own setting', () => {
    const { config, host } = read(keeper, { 'keeper.conf': 'placement = worker' })
    assert.deepEqual([host, config.placement], [{ placement: 'worker' }, undefined])
    assert.deepEqual(read(keeper, {}, ['plugin.keeper.placement=worker']).host, { placement: 'worker' })
    const own: ConfigurablePlugin = { name: 'own', config: { placement: key('string') } }
    assert.deepEqual(read(own, { 'own.conf': 'placement = left' }).config, { placement: 'left' })
  })
})

describe('what is wrong', () => {
  const cases: [ConfigurablePlugin, Record<string, string>, string[]][] = [
    [
      keeper,
      { 'keeper.conf': '\nkeeper.max = many' },
      ['keeper.conf:2: keeper.max: expected an integer from 0, got "many"'],
    ],
    [
      keeper,
      { 'keeper.conf': 'module.keeper.max_message_num = -1' },
      ['keeper.conf:1: module.keeper.max_message_num: expected an integer from 0, got "-1"'],
    ],
    [
      keeper,
      { 'keeper.conf': 'keeper.kind = tape\nkeeper.size = 10MB10kb' },
      [
        'keeper.conf:1: keeper.kind: expected ram or disc, got "tape"',
        'keeper.conf:2: keeper.size: expected bytes such as 512, 64KB or 1MB, got "10MB10kb"',
      ],
    ],
    [keeper, { 'keeper.conf': 'nonsense' }, ['keeper.conf:1: expected key = value, got "nonsense"']],
    [
      rules,
      { 'rules.config': '[{rules, [{rules, [}]}].' },
      ['rules.config:1:20: expected an atom, number, "string", <<"binary">>, [list] or {tuple}, got "}"'],
    ],
    [
      rules,
      { 'rules.config': '{rules, []}.' },
      ['rules.config:1:1: expected a list of {key, value}, got "{rules,[]}"'],
    ],
    [
      rules,
      { 'rules.config': '[{rules, [\n  {1, 2}\n]}].' },
      ['rules.config:2:3: expected {key, value} whose key is an atom, got "{1,2}"'],
    ],
    [
      rules,
      { 'rules.config': '[{rules, [\n\n  {frame, [{max_headers, {a}}]}]}].' },
      ['rules.config:3: frame.max_headers: expected an integer, got "{a}"'],
    ],
    [
      rules,
      { 'rules.config': '[{rules, []}]' },
      ['rules.config:1:14: expected "." after the term, got the end of the file'],
    ],
    [
      rules,
      { 'rules.config': '[]. []. % two' },
      ['rules.config:1:5: expected nothing after the one term of this file, got "["'],
    ],
  ]
  for (const [plugin, files, expected] of cases)
    it(expected[0], () => assert.deepEqual(problems(plugin, files), expected))

  it('a secret is not shown', () => {
    const wrong: ConfigurablePlugin = { name: 'wrong', config: { pin: key('secret'), port: key('address') } }
    const said = problems(wrong, { 'wrong.config': '[{wrong, [{pin, {hunter2}}]}].' })
    assert.deepEqual(said, ['wrong.config:1: pin: expected text, got something else'])
  })

  it('what is typed is named as such', () => {
    assert.deepEqual(problems(keeper, {}, ['keeper.max=x']), ['--set keeper.max: expected an integer from 0, got "x"'])
    assert.deepEqual(problems(rules, {}, ['plugin.rules.rules=[']), ['--set rules: expected an Erlang term, got "["'])
  })

  it('an unknown key is a warning with the nearest one, and the rest counts', () => {
    const { warnings, config } = read(keeper, { 'keeper.conf': 'keeper.maxx = 1\nkeeper.max = 2\ntotally.else = 3' })
    assert.deepEqual(warnings, [
      'keeper.conf:1: keeper.maxx: not a key of the plugin keeper, ignored; did you mean keeper.max?',
      'keeper.conf:3: totally.else: not a key of the plugin keeper, ignored',
    ])
    assert.equal(config['keeper.max'], '2')
  })

  it('terms of another application are left out with a warning', () => {
    const { warnings } = read(rules, { 'rules.config': '[{lager, [{level, debug}]}, {rules, [{rules, []}]}].' })
    assert.deepEqual(warnings, ['rules.config:1: lager: not read; the plugin rules is called rules, emq_mod_rules'])
  })

  it('names that reach into prototypes are refused', () => {
    assert.match(problems({ name: 'free' }, { 'free.conf': '__proto__.x = 1' })[0], /__proto__ cannot be a name/)
    assert.equal(({} as Record<string, unknown>).x, undefined)
  })
})

describe('under random input', () => {
  it('never throws anything but ConfigError', () => {
    const words = fc.constantFrom(
      ...'[ ] { } , . rules emq_mod_rules frame max_headers "a" 1 -1 <<"b">> % \n = __proto__'.split(' '),
    )
    const text = fc.oneof(
      fc.string({ maxLength: 100 }),
      fc.array(words, { maxLength: 40 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, fc.constantFrom('rules.conf', 'rules.config'), (input, file) => {
        try {
          read(rules, { [file]: input })
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error))
        }
      }),
      { numRuns: 300 },
    )
  })
})
