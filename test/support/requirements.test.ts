import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const module = new URL('./requirements.ts', import.meta.url).href

/** Asks for a program in a process of its own, with a PATH of its own: answers are remembered. */
function ask(name: string, env: Record<string, string>) {
  const code = `import { requirement } from ${JSON.stringify(module)}
    const skip = (reason) => console.log('skipped:', reason)
    console.log('path:', requirement(${JSON.stringify(name)}, { skip }))`
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' })
}

test('a program on the PATH is found; one that is missing is skipped with a reason, and a failure on CI', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-requirements-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const program = join(folder, 'mosquitto_pub')
  writeFileSync(program, '')

  const missing = ask('mosquitto_pub', { PATH: folder })
  assert.match(missing.stdout, /skipped: mosquitto_pub is not on this machine: install .*mosquitto-clients/)
  assert.match(missing.stdout, /path: undefined/)

  const onCi = ask('mosquitto_pub', { PATH: folder, CI: 'true' })
  assert.notEqual(onCi.status, 0)
  assert.match(onCi.stderr, /mosquitto_pub is not on this machine/)

  chmodSync(program, 0o755)
  assert.equal(ask('mosquitto_pub', { PATH: folder, CI: 'true' }).stdout, `path: ${program}\n`)
})
