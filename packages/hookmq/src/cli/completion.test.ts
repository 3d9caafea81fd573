import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '../client/client.ts'
import { openStream } from '../client/stream.ts'
import { runCommand, type Scope, startCommand } from '../testing/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-completion-'))
const dataDir = join(folder, 'data')
const main = fileURLToPath(new URL('../main.ts', import.meta.url))

function has(program: string): boolean {
  return spawnSync(program, ['-c', 'true']).status === 0
}

/** What bash offers for a line with the cursor at its end: readline's own division into words, then the function. */
const driver = `
source "$1"
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
COMP_LINE=$2
COMP_POINT=\${#COMP_LINE}
shift 2
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { echo "compopt $*"; }
_hookmq
printf '%s\\n' "\${COMPREPLY[@]}"
`

describe('completion', () => {
  const cleanup: (() => void | Promise<void>)[] = []
  const scope: Scope = { after: (run) => void cleanup.push(run) }

  before(async () => {
    // The commands as they are installed, on this broker.
    for (const [name, words] of [
      ['hookmq', ''],
      ['emqctl', 'ctl'],
    ]) {
      const file = join(folder, name)
      writeFileSync(
        file,
        `#!/bin/sh\nHOOKMQ_NODE__DATA_DIR='${dataDir}' exec '${process.execPath}' '${main}' ${words} "$@"\n`,
      )
      chmodSync(file, 0o755)
    }
    const { port } = await startCommand(scope, ['--data-dir', dataDir])
    for (const clientId of ['boiler room 1', 'boiler:2', '$(touch /nowhere)']) {
      const client = new Client(await openStream({ protocol: 'mqtt', host: '127.0.0.1', port, path: '' }), { clientId })
      await client.connect()
      scope.after(() => client.destroy())
    }
  })

  after(async () => {
    for (const run of cleanup.reverse()) await run()
    rmSync(folder, { recursive: true })
  })

  describe('bash', { skip: has('bash') ? false : 'there is no bash on this machine' }, () => {
    const script = join(folder, 'completion.bash')

    before(async () => {
      writeFileSync(script, (await runCommand(scope, ['completion', 'bash'])).stdout)
    })

    /** `words`: as readline divides the line, which it does at ':' and '=' as well. */
    function offered(line: string, words: readonly string[] = line.split(' ')): string[] {
      const { stdout, stderr, status } = spawnSync('bash', ['-c', driver, 'bash', script, line, ...words], {
        encoding: 'utf8',
        env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
      })
      assert.equal(status, 0, stderr)
      assert.equal(stderr, '')
      return stdout.split('\n').filter((text) => text !== '')
    }

    test('commands and options of the program, without the broker', () => {
      assert.deepEqual(offered('hookmq st'), ['start', 'store'])
      assert.deepEqual(offered('hookmq c'), ['check-config', 'ctl', 'completion'])
      assert.deepEqual(offered('hookmq start --data'), ['--data-dir'])
      assert.deepEqual(offered('hookmq ctl --j'), ['--json'])
      assert.deepEqual(offered('hookmq completion '), ['bash', 'zsh'])
      assert.deepEqual(offered('hookmq start '), ['compopt -o default'])
      assert.ok(!offered('hookmq ctl --').includes('--complete'))
    })

    test('commands of the running broker and their words', () => {
      assert.deepEqual(offered('hookmq ctl clie'), ['clients'])
      assert.deepEqual(offered('emqctl clie'), ['clients'])
      assert.deepEqual(offered('emqctl clients '), ['list', 'show', 'kick'])
      assert.deepEqual(offered(`hookmq ctl --data-dir ${dataDir} plugins unl`), ['unload'])
      assert.ok(offered('emqctl plugins unload ').includes('acl-file'))
    })

    test('names of clients are quoted, and are never run', () => {
      assert.deepEqual(offered('emqctl clients show boiler\\ ', ['emqctl', 'clients', 'show', 'boiler\\ ']), [
        'boiler\\ room\\ 1',
      ])
      assert.deepEqual(offered('emqctl clients show "boiler r', ['emqctl', 'clients', 'show', '"boiler r']), [
        'boiler room 1',
      ])
      assert.deepEqual(offered('emqctl clients show $', ['emqctl', 'clients', 'show', '$']), [
        '\\$\\(touch\\ /nowhere\\)',
      ])
    })

    test('what stands before a colon is not repeated', () => {
      assert.deepEqual(offered('emqctl clients show boiler:', ['emqctl', 'clients', 'show', 'boiler', ':']), ['2'])
      assert.deepEqual(
        offered('emqctl listeners stop mqtt:tcp:e', ['emqctl', 'listeners', 'stop', 'mqtt', ':', 'tcp', ':', 'e']),
        ['external'],
      )
    })

    test('without a broker there is nothing to offer, and no noise', () => {
      assert.deepEqual(offered(`hookmq ctl --data-dir ${folder} cl`), ['compopt -o default'])
    })
  })

  test('zsh takes the script', { skip: has('zsh') ? false : 'there is no zsh on this machine' }, async () => {
    const script = join(folder, '_hookmq')
    writeFileSync(script, (await runCommand(scope, ['completion', 'zsh'])).stdout)
    const { status, stderr } = spawnSync(
      'zsh',
      [
        '-f',
        '-c',
        `autoload -U compinit; compinit -u -d "$1/dump"; source "$2"; whence -w _hookmq`,
        'zsh',
        folder,
        script,
      ],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0, stderr)
    assert.equal(stderr, '')
  })

  test('any other shell is refused by name', async () => {
    const { code, stderr } = await runCommand(scope, ['completion', 'fish'])
    assert.equal(code, 1)
    assert.match(stderr, /fish.*bash, zsh/s)
  })
})
