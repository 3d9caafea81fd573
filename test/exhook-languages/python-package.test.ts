import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { requirement } from '../support/requirements.ts'
import { root } from './broker.ts'

const sdk = join(root, 'sdk/python')
const folder = mkdtempSync(join(tmpdir(), 'hookmq-package-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function run(program: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: options.cwd ?? sdk,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...options.env },
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

/** Each Python 3.8 or newer of this machine, one per version. */
function pythons(): Map<string, string> {
  const found = new Map<string, string>()
  const names = ['python3', ...Array.from({ length: 12 }, (_, index) => `python3.${8 + index}`)]
  const installed = globSync('versions/*/bin/python3', {
    cwd: process.env.PYENV_ROOT ?? join(process.env.HOME ?? '', '.pyenv'),
  })
  const pyenv = process.env.PYENV_ROOT ?? join(process.env.HOME ?? '', '.pyenv')
  const paths = [
    ...installed.map((path) => join(pyenv, path)),
    ...names.flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((part) => join(part, name))),
  ]
  for (const path of paths) {
    const { status, stdout } = spawnSync(path, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
      encoding: 'utf8',
    })
    if (status !== 0) continue
    const version = stdout.trim()
    const [major, minor] = version.split('.').map(Number)
    if (major === 3 && minor >= 8 && !found.has(version)) found.set(version, path)
  }
  return found
}

test('the tests of the package pass on every Python of this machine', (t) => {
  if (requirement('python3', t) === undefined) return
  const versions = pythons()
  assert.ok(versions.size > 0)
  for (const [version, python] of versions) {
    const { status, output } = run(python, [
      '-W',
      'error',
      '-m',
      'unittest',
      'tests.test_app',
      'tests.test_compatible',
      'tests.test_driver',
    ])
    assert.equal(status, 0, `Python ${version}: ${output}`)
    assert.match(output, /^Ran (?!0 )\d+ tests/m)
  }
  t.diagnostic(`Python ${[...versions.keys()].join(', ')}`)
})

test('what a broker sees over gRPC', (t) => {
  const python = requirement('grpcio', t)
  if (python === undefined) return
  const { status, output } = run(python, ['-m', 'unittest', 'tests.test_serve'])
  assert.equal(status, 0, output)
  assert.match(output, /^Ran (?!0 )\d+ tests/m)
})

test('its types are strict', (t) => {
  const python = requirement('pytest', t)
  if (python === undefined) return
  const cache = ['--cache-dir', join(folder, 'types')]
  const { status, output } = run(python, ['-m', 'mypy', ...cache])
  assert.equal(status, 0, output)
  const lines = ['import hookmq', 'app = hookmq.App()', '@app.on_message_publish', 'def f(m: hookmq.Message) -> int:']
  const more = ['    m.replace(qos="x")', '    m.topic = "b"', '    return 5', '@app.on_client_connected']
  const last = ['def g(m: hookmq.Message) -> None: pass', '']
  writeFileSync(join(folder, 'wrong.py'), [...lines, ...more, ...last].join('\n'))
  const wrong = run(python, ['-m', 'mypy', '--strict', ...cache, 'wrong.py'], { cwd: folder, env: { MYPYPATH: sdk } })
  assert.deepEqual(
    [...wrong.output.matchAll(/^wrong\.py:(\d+): error/gm)].map(([, line]) => line),
    ['3', '5', '6', '8'],
    wrong.output,
  )
})

test('its fixture for pytest loads hooks and unloads them', (t) => {
  const python = requirement('pytest', t)
  if (python === undefined) return
  const lines = (...text: string[]): string => `${text.join('\n')}\n`
  const own = join(folder, 'fixture')
  mkdirSync(own)
  const hooks = ['import hookmq', 'app = hookmq.App()', 'calls = []']
  const load = ['@app.on_load', 'def load(broker): calls.append(broker.version)']
  const unload = ['@app.on_unload', 'async def unload(): calls.append("unload")']
  const drop = ['@app.on_message_publish', 'def drop(message): return hookmq.Drop()']
  writeFileSync(join(own, 'hooks.py'), lines(...hooks, ...load, ...unload, ...drop))
  const first = ['def test_it(play_hooks):', '    assert not play_hooks("hooks.py").publish("a").published']
  const second = ['def test_after():', '    import hooks', '    assert hooks.calls == ["5.8.0", "unload"]']
  writeFileSync(join(own, 'test_fixture.py'), lines(...first, ...second))
  const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-p', 'hookmq.testing.plugin']
  const { status, output } = run(python, args, { cwd: own, env: { PYTHONPATH: sdk } })
  assert.equal(status, 0, output)
  assert.match(output, /2 passed/)
})

test('its descriptors are what the .proto files say (npm run proto writes them)', () => {
  const { status, output } = run(process.execPath, [join(root, 'scripts/proto.ts'), join(folder, 'proto')])
  assert.equal(status, 0, output)
  const descriptors = 'hookmq/_exhook/_descriptors.py'
  assert.equal(readFileSync(join(sdk, descriptors), 'utf8'), readFileSync(join(folder, 'proto', descriptors), 'utf8'))
})

test('pip installs it from the folder, with its types and its command', (t) => {
  const python = requirement('grpcio', t)
  if (python === undefined) return
  // From a copy: setuptools leaves things behind where it builds.
  const copy = join(folder, 'source')
  mkdirSync(copy)
  for (const file of globSync(['{hookmq,hookmq_driver,emqx_extension,erlport}/**/*.{py,typed}', '*.{toml,md}'], {
    cwd: sdk,
  })) {
    mkdirSync(join(copy, file, '..'), { recursive: true })
    copyFileSync(join(sdk, file), join(copy, file))
  }
  const target = join(folder, 'installed')
  const pip = run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', target, copy], { cwd: folder })
  assert.equal(pip.status, 0, pip.output)
  assert.deepEqual(globSync('hookmq/{py.typed,_exhook/_descriptors.py,testing/plugin.py}', { cwd: target }).length, 3)
  assert.match(
    readFileSync(join(target, globSync('hookmq-*.dist-info/METADATA', { cwd: target })[0]), 'utf8'),
    /Provides-Extra: exhook/,
  )
  const hooks = join(folder, 'hooks.py')
  writeFileSync(hooks, 'import hookmq\napp = hookmq.App()\n@app.on_client_connected\ndef seen(client):\n    pass\n')
  const check = run(python, ['-m', 'hookmq', 'check', hooks], { cwd: folder, env: { PYTHONPATH: target } })
  assert.equal(check.output, 'client.connected -> hooks.py:3: seen\n')
})

test('mistakes in a hooks file are said in a line, not in a traceback', (t) => {
  const python = requirement('python3', t)
  if (python === undefined) return
  for (const [text, expected] of [
    [
      'import hookmq\napp = hookmq.App()\n@app.hook("message.publsh")\ndef f(m): pass\n',
      /hooks\.py:3: unknown hook 'message\.publsh'; did you mean 'message\.publish'\?/,
    ],
    [
      'import hookmq\napp = hookmq.App()\n@app.on_message_publsh\ndef f(m): pass\n',
      /did you mean @app\.on_message_publish\?/,
    ],
    [
      'import hookmq\napp = hookmq.App()\n@app.on_message_publish\ndef f(): pass\n',
      /hooks\.py:3: f: cannot be called with \(message: Message\)/,
    ],
    ['def f(:\n', /hooks\.py:1: .*\n {4}def f\(:/],
    ['import nowhere_to_be_found\n', /No module named 'nowhere_to_be_found'/],
    ['x = 1\n', /has no hookmq\.App; expected a line like: app = hookmq\.App\(\)/],
    ['import hookmq\na = hookmq.App()\nb = hookmq.App()\n', /more than one hookmq\.App \(a, b\)/],
  ] as const) {
    writeFileSync(join(folder, 'hooks.py'), text)
    const { status, output } = run(python, ['-m', 'hookmq', 'check', 'hooks.py'], {
      cwd: folder,
      env: { PYTHONPATH: sdk },
    })
    assert.equal(status, 2, output)
    assert.match(output, expected)
    assert.doesNotMatch(output, /Traceback/)
  }
  const missing = run(python, ['-m', 'hookmq', 'check', 'not-there.py'], { cwd: folder, env: { PYTHONPATH: sdk } })
  assert.deepEqual([missing.status, missing.output], [2, 'hookmq: not-there.py: no such file\n'])
})
