import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { databaseFile, openStore } from './folder.testing.ts'

const program = fileURLToPath(new URL('./limited.testing.ts', import.meta.url))
const skip = process.platform === 'win32' ? 'has no such limit' : false

test('a disk that takes no more: one refusal that says so, the rest is readable, then and later', {
  skip,
}, async (t) => {
  const file = databaseFile(t)
  // Half a megabyte for each file, and an error instead of the signal that goes with it.
  const script = `trap '' XFSZ; ulimit -f 1024; exec "$0" "$@"`
  const { stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, program, file], { encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  const { stored, readable, code, message } = JSON.parse(stdout) as Record<string, unknown>
  assert.equal(code, 'STORE_IO')
  assert.match(String(message), /hookmq\.db: the disk failed to read or write; look at the log of the system/)
  assert.ok(Number(stored) > 0)
  assert.equal(readable, stored)
  const store = await openStore(t, { file })
  const values = store.namespace('plugin')
  let count = 0
  for await (const [key, value] of values.list()) {
    assert.equal(value, 'x'.repeat(10_000), key)
    count++
  }
  assert.equal(count, stored, 'the refused one is not there')
  await values.put('more', 1)
})
