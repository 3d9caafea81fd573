import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findViolations } from './rules.ts'
import { readWorkspace } from './workspace.ts'

const workspace = readWorkspace(fileURLToPath(new URL('../../', import.meta.url)))

test('the layers hold: every import and every package.json', () => {
  const files = workspace.packages.flatMap((one) => one.files)
  assert.ok(workspace.packages.length >= 11, 'all packages are read')
  assert.ok(
    files.some(({ imports }) => imports.length > 0),
    'imports are read',
  )
  const found = findViolations(workspace)
  assert.equal(found.length, 0, `\n${found.join('\n')}\n`)
})
