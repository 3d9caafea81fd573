import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { lockDataDir } from './lock.ts'

const module = pathToFileURL(join(import.meta.dirname, 'lock.ts')).href

test('one holder at a time, named to the second; a folder that is not there is made', (scope) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-lock-'))
  scope.after(() => rmSync(folder, { recursive: true }))
  const dataDir = join(folder, 'a', 'b')
  const lock = lockDataDir(dataDir)
  assert.equal(readFileSync(join(dataDir, 'hookmq.pid'), 'utf8'), `${process.pid}\n`)
  assert.throws(() => lockDataDir(dataDir), {
    code: 'DATA_DIR_LOCKED',
    message: `${dataDir}: another broker is using this data folder (process ${process.pid}); stop it, or give this one its own with --data-dir`,
  })
  lock.release()
  lock.release()
  assert.ok(!existsSync(join(dataDir, 'hookmq.pid')))
  lockDataDir(dataDir).release()
})

test('a killed process holds nothing, whatever its files say', async (scope) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-lock-'))
  scope.after(() => rmSync(folder, { recursive: true }))
  // It lets go of what it got, and the memory is cleaned up: that is not a release.
  const script = `const { lockDataDir } = await import(${JSON.stringify(module)}); lockDataDir(process.argv[1]); setTimeout(() => { globalThis.gc(); setImmediate(() => console.log('held')) }, 20); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script, folder])
  scope.after(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  assert.throws(() => lockDataDir(folder), {
    code: 'DATA_DIR_LOCKED',
    message: new RegExp(`\\(process ${child.pid}\\)`),
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok(existsSync(join(folder, 'hookmq.pid')))
  lockDataDir(folder).release()
})

test('a folder that cannot be one is one clear line', (scope) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-lock-'))
  scope.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => lockDataDir(join(folder, 'file')), {
    code: 'DATA_DIR',
    message: /cannot be used: .*EEXIST.*; check its owner/,
  })
})
