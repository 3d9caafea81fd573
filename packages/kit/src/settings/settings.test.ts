import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PluginConfigKey } from '@hookmq/api'
import fc from 'fast-check'
import { KeyTable } from './key-table.ts'
import { expectedSetting, readSetting, type SettingValue } from './read.ts'
import { createSettings } from './settings.ts'

function key(type: PluginConfigKey['type'], rest: Partial<PluginConfigKey> = {}): PluginConfigKey {
  return { type, description: '', ...rest }
}

describe('reading a value', () => {
  const cases: [PluginConfigKey, string, SettingValue | undefined][] = [
    [key('integer'), '8', 8],
    [key('integer'), '-8', -8],
    [key('integer'), '1.5', undefined],
    [key('integer', { minimum: 1, maximum: 3 }), '4', undefined],
    [key('number'), '.5', 0.5],
    [key('number'), '1e3', undefined],
    [key('flag'), 'on', true],
    [key('flag'), 'false', false],
    [key('flag'), 'yes', undefined],
    [key('duration'), '1m29s1000ms', 90_000],
    [key('duration'), '1.5999s', 1600],
    [key('duration'), '1.5m', 90_000],
    [key('duration'), '0s', 0],
    [key('duration'), '0', 0],
    [key('duration'), '60', undefined],
    [key('duration', { unit: 's' }), '60', 60_000],
    [key('duration', { unit: 's' }), '1500ms', 1500],
    [key('duration', { unit: 'ms' }), '60', 60],
    [key('duration', { maximum: 1000 }), '2s', undefined],
    [key('bytesize'), '64KB', 65_536],
    [key('bytesize'), '2kb', 2048],
    [key('bytesize'), 'Kb', undefined],
    [key('bytesize'), '10MB10kb', undefined],
    [key('percent'), '80%', 0.8],
    [key('enum', { values: ['ram', 'disc'] }), 'disc', 'disc'],
    [key('enum', { values: ['ram', 'disc'] }), 'tape', undefined],
    [key('address'), '3306', { host: '127.0.0.1', port: 3306 }],
    [key('address'), '0.0.0.0:3306', { host: '0.0.0.0', port: 3306 }],
    [key('address'), '[::1]:3306', { host: '::1', port: 3306 }],
    [key('address'), 'db.example.org:3306', { host: 'db.example.org', port: 3306 }],
    [key('address'), 'localhost:70000', undefined],
    [key('address'), '300.1.1.1:80', undefined],
    [key('address'), '-x:80', undefined],
    [key('string'), 'a # b', 'a # b'],
    [key('path'), 'a\0b', undefined],
  ]
  for (const [definition, text, expected] of cases)
    it(`${definition.type} ${JSON.stringify(text)}`, () => {
      assert.deepEqual(readSetting(definition, text), expected)
      assert.notEqual(expectedSetting(definition), '')
    })

  it('never throws, whatever the text is', () => {
    const types = ['string', 'integer', 'number', 'flag', 'duration', 'bytesize', 'percent', 'path', 'address'] as const
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.string({ unit: 'binary' }),
        (type, text) => void readSetting(key(type), text),
      ),
    )
  })
})

describe('settings of a plugin', () => {
  const settings = createSettings(
    {
      'a.interval': key('duration', { unit: 's', default: '10m' }),
      'a.port': key('address'),
      'a.pin': key('secret'),
      'a.$n.topic': key('string'),
      'a.$n.qos': key('integer', { default: '1' }),
      rules: key('term'),
    },
    {
      config: { 'a.port': '1', 'a.10.topic': 'x', 'a.2.topic': 'y', 'a.2.qos': '2', 'a.pin': '1234' },
      terms: { rules: { type: 'list', elements: [], line: 1, column: 1 } },
    },
  )

  it('are what they stand for, defaults too', () => {
    assert.equal(settings.duration('a.interval'), 600_000)
    assert.deepEqual(settings.address('a.port'), { host: '127.0.0.1', port: 1 })
    assert.equal(settings.text('a.pin'), '1234')
    assert.equal(settings.number('a.2.qos'), 2)
    assert.equal(settings.number('a.10.qos'), 1)
    assert.equal(settings.term('rules').type, 'list')
    assert.equal(settings.has('a.3.topic'), false)
    assert.equal(settings.has('a.interval'), true)
  })

  it('with $names come sorted as text', () => {
    assert.deepEqual(
      settings.matching('a.$n.topic').map(({ words }) => words.n),
      ['10', '2'],
    )
  })

  it('tell a plugin’s author what is wrong', () => {
    assert.throws(() => settings.text('a.other'), {
      name: 'TypeError',
      message: 'settings: there is no declared key a.other',
    })
    assert.throws(() => settings.text('a.port'), {
      message: 'settings: a.port is of type address, and was asked for as string or secret or enum or path',
    })
    assert.throws(() => settings.text('a.3.topic'), { message: 'settings: a.3.topic is not set and has no default' })
    assert.throws(() => settings.matching('a.$x.topic'), { message: 'settings: there is no declared key a.$x.topic' })
    assert.throws(() => createSettings({ n: key('integer') }, { config: { n: 'x' } }).number('n'), {
      message: 'settings: n: expected an integer, got "x"',
    })
  })
})

describe('tables of keys', () => {
  const table = new KeyTable([
    { key: 'fixed.key', aliases: ['old.key'] },
    { key: 'user.$n.name', aliases: ['auth.user.$n.username'] },
    { key: '$name.interval' },
    { key: 'sni.$host*.file' },
  ])
  const cases: [string[], string | undefined, Record<string, string>][] = [
    [['fixed', 'key'], 'fixed.key', {}],
    [['old', 'key'], 'fixed.key', {}],
    [['user', '1', 'name'], 'user.1.name', { n: '1' }],
    [['auth', 'user', 'x.y', 'username'], 'user.x\\.y.name', { n: 'x.y' }],
    [['anything', 'interval'], 'anything.interval', { name: 'anything' }],
    [['sni', 'a', 'b', 'file'], 'sni.a\\.b.file', { host: 'a.b' }],
    [['user', '1'], undefined, {}],
    [['fixed', 'key', 'more'], undefined, {}],
  ]
  for (const [words, expected, captures] of cases)
    it(words.join('.'), () => {
      const found = table.find(words)
      assert.equal(found?.key, expected)
      if (expected !== undefined) assert.deepEqual(found?.captures, captures)
    })

  it('know the nearest key', () => {
    assert.equal(table.nearest(['fixed', 'keyy']), 'fixed.key')
    assert.equal(table.nearest(['user', '7', 'nam']), 'user.7.name')
    assert.equal(table.nearest(['nothing', 'like', 'it', 'at', 'all']), undefined)
  })
})
