import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import driver from '@hookmq/provider-driver'
import { findProgram } from '@hookmq/provider-driver/java'
import { startTestBroker } from 'hookmq/testing'
import { requirement } from '../support/requirements.ts'
import { projectRoot } from './copy.ts'

/** Maven's own downloads are kept; what it installs here does not get among the artifacts of whoever runs the test. */
const repository = join(projectRoot, '.cache', 'maven')

test('hookmq plugin new --lang java: tested with Maven, and run in a child process as its README says', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-template-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const main = join(projectRoot, 'packages/hookmq/src/main.ts')
  const made = spawnSync(process.execPath, [main, 'plugin', 'new', 'greeter', '--lang', 'java'], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.equal(made.status, 0, made.stderr)
  const lines = made.stdout.split('\n')
  assert.deepEqual(lines.slice(0, lines.indexOf('')).sort(), [
    'greeter/README.md',
    'greeter/etc/emqx_extension_hook.conf',
    'greeter/pom.xml',
    'greeter/src/main/java/MyHooks.java',
    'greeter/src/test/java/MyHooksTest.java',
  ])
  for (const file of lines.slice(0, lines.indexOf('')))
    assert.doesNotMatch(readFileSync(join(folder, file), 'utf8'), /my-plugin|PLUGIN_FOLDER|SDK_FOLDER/)
  assert.ok(made.stdout.includes(`mvn -f '${join(projectRoot, 'sdk/java/pom.xml')}' install`), made.stdout)

  const maven = requirement('mvn', t)
  if (maven === undefined) return
  const sdk = join(folder, 'sdk')
  cpSync(join(projectRoot, 'sdk/java'), sdk, { recursive: true, filter: (path) => basename(path) !== 'target' })
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(maven, ['-B', '-q', `-Dmaven.repo.local=${repository}`, ...args], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout + stderr)
    return stdout
  }
  run('-f', join(sdk, 'pom.xml'), 'install')
  const jar = join(sdk, 'driver/target/hookmq-driver.jar')
  const unzipped = spawnSync(findProgram('jar') ?? 'jar', ['xf', jar, 'META-INF/MANIFEST.MF'], { cwd: folder })
  assert.equal(unzipped.status, 0)
  const built = readFileSync(join(folder, 'META-INF/MANIFEST.MF'), 'utf8')
  for (const line of ['Main-Class: io.hookmq.driver.Main', 'Add-Opens: java.base/java.io', 'Class-Path: hookmq.jar'])
    assert.ok(built.includes(line), built)
  run('-f', join(folder, 'greeter/pom.xml'), 'test')
  const report = readFileSync(join(folder, 'greeter/target/surefire-reports/MyHooksTest.txt'), 'utf8')
  assert.match(report, /Tests run: 4, Failures: 0, Errors: 0, Skipped: 0/)

  const conf = readFileSync(join(folder, 'greeter/etc/emqx_extension_hook.conf'), 'utf8')
  const broker = await startTestBroker(t)
  await broker.load(driver, conf)
  await broker.settle()
  assert.deepEqual((await broker.ctl('exhook drivers list')).lines, [
    'Driver(name=java, init_module=MyHooks, hooks=[message.publish,client.disconnected,client.authorize,client.connected])',
  ])
  const client = await broker.connect({ clientId: 'ann' })
  await client.subscribe('orders/#')
  await client.publish('orders/1', 'two apples')
  assert.equal(Buffer.from((await client.message()).payload).toString(), 'two apples (from ann)')
})
