import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { newPlugin } from './new-plugin.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'hookmq-new-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('copies the template under its new name', (t) => {
  const parent = folder(t)
  const files = newPlugin('boiler_2-watch', parent)
  assert.deepEqual(files.filter((file) => file.includes('boiler_2-watch.')).sort(), [
    'boiler_2-watch/etc/boiler_2-watch.conf',
    'boiler_2-watch/src/boiler_2-watch.test.ts',
  ])
  assert.ok(files.includes('boiler_2-watch/src/index.ts'))
  for (const file of files) assert.doesNotMatch(readFileSync(join(parent, file), 'utf8'), /my-plugin/, file)
  const manifest = JSON.parse(readFileSync(join(parent, 'boiler_2-watch/package.json'), 'utf8'))
  assert.equal(manifest.name, 'hookmq-plugin-boiler_2-watch')
})

test('writes nothing under a name that will not do, or over a folder that is there', (t) => {
  const parent = folder(t)
  for (const name of ['', 'A', '1a', 'a.b', 'a/b', '../a', 'a b', '$&', `a${'b'.repeat(63)}`])
    assert.throws(() => newPlugin(name, parent), { code: 'PLUGIN_NAME', message: /cannot be a plugin's name/ }, name)
  newPlugin('first', parent)
  const before = readFileSync(join(parent, 'first/src/index.ts'), 'utf8')
  assert.throws(() => newPlugin('first', parent), { code: 'PLUGIN_NAME', message: /is there already/ })
  assert.equal(readFileSync(join(parent, 'first/src/index.ts'), 'utf8'), before)
  assert.deepEqual(readdirSync(parent), ['first'])
  assert.equal(existsSync(join(parent, 'first/node_modules')), false)
})
