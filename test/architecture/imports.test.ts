import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf } from './imports.ts'

const specifiers = (source: string) => importsOf(source).map(({ specifier }) => specifier)

test('every form of import is found', () => {
  const source = [
    "import a from 'one'",
    'import type { B } from "two"',
    'import {',
    '  c, // with a comment',
    "} from 'three'",
    "import 'four'",
    "export { d } from 'five'",
    "export * from 'six'",
    "type E = import('seven').E",
    "const f = await import('eight')",
    'const g = await import(`nine`)',
    "const h = require('ten')",
    "import data from 'eleven' with { type: 'json' }",
    "const i = import.meta.resolve('twelve')",
  ].join('\n')
  assert.deepEqual(specifiers(source), 'one two three four five six seven eight nine ten eleven twelve'.split(' '))
})

test('an import in a comment, a string, a template or a regular expression is none', () => {
  const source = [
    "// import 'one'",
    "/* import 'two' */",
    '/** @example import x from "three" */',
    'const a = "import \'four\'"',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the source that is scanned has a template
    "const b = `import 'five' ${c(`from 'six' ${{ d: '}' }}`)} from 'seven'`",
    "const e = /from 'eight'/.test(f) ? g / h : i / /[/'\"]/.lastIndex",
    "import 'nine'",
  ].join('\n')
  assert.deepEqual(importsOf(source), [{ specifier: 'nine', line: 7 }])
})

test('a computed import is reported as one, with its line', () => {
  const source = "\nconst a = await import(name)\nconst b = await import('./' + name)\nimport.meta.dirname\nc.import(d)"
  assert.deepEqual(importsOf(source), [
    { specifier: undefined, line: 2 },
    { specifier: undefined, line: 3 },
  ])
})

test('division after a closing bracket does not swallow what follows', () => {
  assert.deepEqual(specifiers("const a = (b + c) / d; import 'x'; const e = f[0] / g"), ['x'])
})
