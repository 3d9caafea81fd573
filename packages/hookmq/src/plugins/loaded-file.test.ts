import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { LoadedFile } from './loaded-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-loaded-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

function given(text?: string) {
  const path = join(folder, `${++files}`, 'loaded_plugins')
  const file = new LoadedFile(path)
  if (text !== undefined) {
    file.read()
    writeFileSync(path, text)
  }
  return { file, path, text: () => readFileSync(path, 'utf8') }
}

const is =
  (name: string) =>
  (other: string): boolean =>
    other === name

describe('reading', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['emq_recon.\nemq_dashboard.\n', ['emq_recon', 'emq_dashboard']],
    ['{emqx_retainer, true}.\n{emqx_modules, false}.\n{emqx_recon, true}.', ['emqx_retainer', 'emqx_recon']],
    ['a.\n{a, false}.', []],
    ['{a, false}.\na.', ['a']],
    ['b. a. b.', ['b', 'a']],
    ['% comment\n\'./x/y.ts\'.\n"c". <<"d">>.', ['./x/y.ts', 'c', 'd']],
  ]
  for (const [text, names] of cases) it(JSON.stringify(text), () => assert.deepEqual(given(text).file.read(), names))

  it('a file that is not there is made, with the names given', () => {
    const { file, text } = given()
    assert.deepEqual(file.read(['a', './b.ts']), ['a', './b.ts'])
    assert.equal(text(), "a.\n'./b.ts'.\n")
  })

  for (const text of ['{a, maybe}.', '{a, true, 1}.', '1.', 'a', '[a].'])
    it(`refuses ${text}`, () => assert.throws(() => given(text).file.read(), { name: 'TermError' }))
})

describe('changing', () => {
  const cases: [string, before: string, change: (file: LoadedFile) => void, after: string][] = [
    ['adds at the end', 'a.\n', (file) => file.add('b', is('b')), 'a.\nb.\n'],
    ['adds in the form of the file', '{a, true}.\n', (file) => file.add('b', is('b')), '{a, true}.\n{b, true}.\n'],
    ['adds after a last line without end', 'a.', (file) => file.add('b', is('b')), 'a.\nb.\n'],
    ['does not add twice', 'a.\n', (file) => file.add('a', is('a')), 'a.\n'],
    ['knows other names', 'emq_a.\n', (file) => file.add('a', (other) => other === 'emq_a'), 'emq_a.\n'],
    [
      'switches on what was off',
      '{a, false}.\n{b, true}.\n',
      (file) => file.add('a', is('a')),
      '{b, true}.\n{a, true}.\n',
    ],
    ['removes every line of it', 'a.\nb.\n{a, true}.\n', (file) => file.remove(is('a')), 'b.\n'],
    [
      'keeps comments',
      '% mine\na. % why\n% yours\nb.\n',
      (file) => file.remove(is('b')),
      '% mine\na. % why\n% yours\n',
    ],
    ['removes a term of several lines', '{a,\n  true\n}.\nb.\n', (file) => file.remove(is('a')), 'b.\n'],
    ['several on one line', 'a. b. c.\n', (file) => file.remove(is('b')), 'a.\nc.\n'],
    ['removes what is not there', 'a.\n', (file) => file.remove(is('x')), 'a.\n'],
  ]
  for (const [name, before, change, expected] of cases)
    it(name, () => {
      const { file, text, path } = given(before)
      change(file)
      assert.equal(text(), expected)
      assert.deepEqual(readdirSync(join(path, '..')), ['loaded_plugins'])
    })
})
