import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type ErrorCode, HookmqError } from '../errors.ts'
import { checkPlugin } from './check.ts'
import { importPlugin, setupFailure } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-plugins-'))
after(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function failure(path: string): Promise<HookmqError> {
  try {
    await importPlugin(path, folder)
  } catch (error) {
    assert(error instanceof HookmqError, String(error))
    assert.doesNotMatch(error.message, /\n/)
    return error
  }
  throw new assert.AssertionError({ message: `${path} loaded although it must not` })
}

test('a plain TypeScript object outside any package is a plugin', async () => {
  const plugin = await importPlugin(
    file('plain.ts', 'const name: string = "plain"\nexport default { name, setup(ctx: unknown): void { void ctx } }\n'),
  )
  assert.equal(plugin.name, 'plain')
})

test('a relative path is taken from the given folder', async () => {
  file('relative.mjs', 'export default { name: "relative", setup() {} }')
  assert.equal((await importPlugin('./relative.mjs', folder)).name, 'relative')
})

test('imports of the own packages find this installation', async () => {
  const plugin = await importPlugin(
    file(
      'imports.ts',
      "import { definePlugin } from '@hookmq/api'\nimport type { Message } from '@hookmq/api'\n" +
        "export default definePlugin({ name: 'imports', setup() { const m: Message | undefined = undefined; void m } })\n",
    ),
  )
  assert.equal(plugin.name, 'imports')
})

test('a CommonJS module with a default is a plugin', async () => {
  const plugin = await importPlugin(file('common.cjs', 'exports.default = { name: "common", setup() {} }'))
  assert.equal(plugin.name, 'common')
})

test('a missing file, a folder and a file that is no module are named', async () => {
  const missing = await failure('./none.ts')
  assert.equal(missing.code, 'PLUGIN_NOT_FOUND')
  assert.equal(missing.message, `plugin ./none.ts: no such file: ${join(folder, 'none.ts')}`)
  assert.match((await failure(folder)).message, /the folder has no package\.json/)
  assert.match((await failure(file('a.txt', ''))).message, /'\.txt' is not a module/)
})

test('a syntax error names file and line, in TypeScript and in JavaScript', async () => {
  const typescript = file('broken.ts', 'const a: number = 1\nconst b = = 2\n')
  const first = await failure(typescript)
  assert.equal(first.code, 'PLUGIN_SYNTAX')
  assert(first.message.startsWith(`plugin ${typescript}:2: syntax error: `), first.message)
  const javascript = file('broken.mjs', '\n\nexport default { name: = 1 }\n')
  const second = await failure(javascript)
  assert(second.message.startsWith(`plugin ${javascript}:3: syntax error: `), second.message)
  const unsupported = file('enum.ts', 'enum A { b }\nexport default {}\n')
  assert.match((await failure(unsupported)).message, /enum\.ts:1: syntax error: TypeScript enum is not supported/)
})

test('an import that fails or a throw at the top names the place', async () => {
  const absent = await failure(file('absent.ts', "import 'not-installed-anywhere'\nexport default {}\n"))
  assert.equal(absent.code, 'PLUGIN_IMPORT')
  assert.match(absent.message, /Cannot find package 'not-installed-anywhere'/)
  const path = file('throws.mjs', "\nthrow new Error('on purpose')\nexport default {}\n")
  assert.equal((await failure(path)).message, `plugin ${path}:2: cannot be imported: on purpose`)
})

test('a default export that is no plugin says what is missing', async () => {
  const cases: [string, ErrorCode, RegExp][] = [
    ['export const a = 1', 'PLUGIN_EXPORT', /no default export/],
    ['export default 3', 'PLUGIN_EXPORT', /the default export is a number/],
    ['export default {}', 'PLUGIN_NAME', /'name' is missing/],
    ['export default { name: 3 }', 'PLUGIN_NAME', /'name' is a number/],
    ['export default { name: "no spaces" }', 'PLUGIN_NAME', /'no spaces' cannot be a plugin's name/],
    ['export default { name: "x" }', 'PLUGIN_INVALID', /'setup' is missing/],
    ['export default { name: "x", setup: {} }', 'PLUGIN_INVALID', /'setup' is an object/],
    [whole('description: 3'), 'PLUGIN_INVALID', /'description' is a number; expected a string/],
    [whole('exclusive: "no"'), 'PLUGIN_INVALID', /'exclusive' is a string; expected true or false/],
    [whole('version: "new"'), 'PLUGIN_VERSION', /'version' is 'new'; expected numbers with dots/],
    [whole('api: "about 1"'), 'PLUGIN_API', /'api' is 'about 1'; expected a range of versions/],
    [whole('api: "^99.0.0"'), 'PLUGIN_API', /it needs @hookmq\/api \^99\.0\.0, and this broker has \d/],
    [whole('aliases: "y"'), 'PLUGIN_ALIAS', /'aliases' is a string; expected a list of names/],
    [whole('aliases: ["a b"]'), 'PLUGIN_ALIAS', /'a b', which cannot be a plugin's name/],
    [whole('dependencies: [3]'), 'PLUGIN_DEPENDENCY', /'dependencies' has a number/],
    [whole('placement: "moon"'), 'PLUGIN_PLACEMENT', /'placement' is 'moon'; expected 'in-process' or 'worker'/],
    [whole('config: []'), 'PLUGIN_SCHEMA', /'config' is a list; expected an object of keys/],
    [whole('config: { a: 3 }'), 'PLUGIN_SCHEMA', /config key 'a': it is a number/],
    [whole('config: { a: { type: "int" } }'), 'PLUGIN_SCHEMA', /'type' is 'int'; expected one of string, /],
    [whole('config: { a: { type: "enum" } }'), 'PLUGIN_SCHEMA', /an enum needs its 'values'/],
    [
      whole('config: { a: { type: "flag", default: "maybe" } }'),
      'PLUGIN_SCHEMA',
      /its default 'maybe' is not of its type/,
    ],
    [whole('config: { "a..b": { type: "flag" } }'), 'PLUGIN_SCHEMA', /'a\.\.b' is not a key/],
    [whole('config: { "a.$n": { type: "flag", aliases: ["b"] } }'), 'PLUGIN_SCHEMA', /has not the same \$names/],
  ]
  for (const [index, [text, code, expected]] of cases.entries()) {
    const error = await failure(file(`invalid-${index}.mjs`, text))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, expected)
    assert(error.message.includes(`invalid-${index}.mjs`))
  }
  assert.throws(
    () => checkPlugin(null, 'given to createBroker'),
    /plugin given to createBroker: the default export is null/,
  )
})

function whole(field: string): string {
  return `export default { name: 'x', setup() {}, ${field} }`
}

test('a failing setup is told with the line of the file', async () => {
  const path = file(
    'setup.mjs',
    'export default {\n  name: "setup",\n  setup() {\n    throw new Error("no table")\n  },\n}\n',
  )
  const plugin = await importPlugin(path)
  try {
    await plugin.setup({} as never)
    assert.fail('setup did not throw')
  } catch (error) {
    assert.equal(setupFailure('setup', path, error).message, `plugin setup (${path}:4): setup failed: no table`)
  }
})
