import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { errorPages } from './error-pages.ts'
import { errorCodes } from './errors.ts'

const folder = fileURLToPath(new URL('../../../docs/errors', import.meta.url))

test('every code has its page in docs/errors, as the table says, and there is no other', () => {
  const pages = errorPages()
  assert.deepEqual(
    [...pages.keys()].sort(),
    [...Object.keys(errorCodes).map((code) => `${code}.md`), 'README.md'].sort(),
  )
  assert.deepEqual(readdirSync(folder).sort(), [...pages.keys()].sort())
  for (const [name, text] of pages)
    assert.equal(readFileSync(join(folder, name), 'utf8'), text, `${name} is old; run: npm run docs`)
})

test('a code is raised somewhere, or its page is about nothing', () => {
  const sources = readdirSync(fileURLToPath(new URL('.', import.meta.url)), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.includes('.test.'))
    .filter(({ name }) => name !== 'errors.ts' && name !== 'error-pages.ts')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
  const unused = Object.keys(errorCodes).filter((code) => !sources.includes(`'${code}'`))
  assert.deepEqual(unused, [])
})
