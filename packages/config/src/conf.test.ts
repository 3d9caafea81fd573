import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseConf } from './conf.ts'
import { ConfigError } from './error.ts'

const pairs = (text: string): [string, string][] => parseConf(text, 'f').map(({ key, value }) => [key, value])

describe('key = value lines', () => {
  const cases: [string, [string, string][]][] = [
    ['', []],
    ['a=1', [['a', '1']]],
    ['  a.b  =  x y  ', [['a.b', 'x y']]],
    ['a = b = c', [['a', 'b = c']]],
    ['# comment\n  ## too\n%% and this\n\n \t\na = 1', [['a', '1']]],
    ['a = 1 # not a comment', [['a', '1 # not a comment']]],
    ['a = #x', [['a', '#x']]],
    ['a = % of it', [['a', '% of it']]],
    ['a = "quoted"', [['a', '"quoted"']]],
    ['a = \\n', [['a', '\\n']]],
    ['a =', [['a', '']]],
    [
      'a = 1\r\nb = 2\r\n',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'a = 1\na = 2',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['auth.user.1.username = admin', [['auth.user.1.username', 'admin']]],
    ['A-z_0.x@y/z:1 = v', [['A-z_0.x@y/z:1', 'v']]],
    ['{{platform_data_dir}}\na = 1', [['a', '1']]],
    ['include = yes', [['include', 'yes']]],
    ['\ufeffa = 1', [['a', '1']]],
    ["x = select a from b where c = '%u'", [['x', "select a from b where c = '%u'"]]],
  ]
  for (const [text, expected] of cases) it(JSON.stringify(text), () => assert.deepEqual(pairs(text), expected))

  it('knows words, and dots in them', () => {
    const [setting] = parseConf('a.b\\.c.d = 1', 'f')
    assert.deepEqual(setting.words, ['a', 'b.c', 'd'])
    assert.equal(setting.key, 'a.b\\.c.d')
  })

  it('knows file and line', () => {
    const [, second] = parseConf('# one\na = 1\n\nb = 2', 'etc/x.conf')
    assert.deepEqual([second.file, second.line], ['etc/x.conf', 4])
  })
})

describe('include', () => {
  const files: Record<string, string> = {
    'more.conf': 'b = 2\ninclude last.conf',
    'last.conf': 'c = 3',
    'self.conf': 'include self.conf',
  }
  const read = (pattern: string): { file: string; text: string }[] => {
    if (files[pattern] === undefined) throw new Error('no such file')
    return [{ file: pattern, text: files[pattern] }]
  }

  it('puts the lines of the other file in its place', () => {
    const settings = parseConf('a = 1\ninclude more.conf\nd = 4', 'main.conf', read)
    assert.deepEqual(
      settings.map(({ key, file, line }) => [key, file, line]),
      [
        ['a', 'main.conf', 1],
        ['b', 'more.conf', 1],
        ['c', 'last.conf', 1],
        ['d', 'main.conf', 3],
      ],
    )
  })

  it('says where it failed', () => {
    assert.throws(() => parseConf('\ninclude none.conf', 'f', read), {
      message: 'f:2: include none.conf: no such file',
    })
    assert.throws(
      () => parseConf('include self.conf', 'f', read),
      /self\.conf:1: include self\.conf: files include each other/,
    )
    assert.throws(() => parseConf('include more.conf', 'f'), { message: 'f:1: include more.conf: not possible here' })
  })
})

describe('errors', () => {
  const cases: [string, string][] = [
    ['a = 1\nnonsense', 'f:2: expected key = value, got "nonsense"'],
    ['= 1', 'f:1: expected a key of words with dots between them before the "=", got ""'],
    ['a b = 1', 'f:1: expected a key of words with dots between them before the "=", got "a b"'],
    ['a..b = 1', 'f:1: expected a key of words with dots between them before the "=", got "a..b"'],
    ['.a = 1', 'f:1: expected a key of words with dots between them before the "=", got ".a"'],
    ['[section]', 'f:1: expected key = value, got "[section]"'],
  ]
  for (const [text, message] of cases) {
    it(message, () => assert.throws(() => parseConf(text, 'f'), { name: 'ConfigError', message }))
  }

  it('have file and line to themselves', () => {
    assert.throws(() => parseConf('\nx', 'f'), { file: 'f', line: 2, expected: 'key = value' })
  })

  it('are always ConfigErrors', () => {
    const piece = fc.constantFrom(...'a . = # %% \n \r\n include \\. \\ {{ }} 1 - $ é \0 "'.split(' '), '\n', ' ')
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (input) => {
        try {
          for (const { words, value } of parseConf(input, 'f')) {
            assert.ok(words.length > 0 && words.every((word) => word !== ''))
            assert.equal(value, value.trim())
          }
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error))
        }
      }),
      { numRuns: 3000 },
    )
  })
})
