import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../test-types', import.meta.url))
const compiler = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url))

/** Lines of a fixture that end in `// error`, counted from 1. */
function marked(file: string): number[] {
  const lines = readFileSync(`${folder}/${file}`, 'utf8').split('\n')
  return lines.flatMap((line, index) => (line.endsWith('// error') ? [index + 1] : []))
}

describe('the compiler, over packages/api/test-types', () => {
  const failed = new Map<string, Set<number>>()
  let output = ''

  before(() => {
    const run = spawnSync(process.execPath, [compiler, '--noEmit', '--pretty', 'false', '-p', folder], {
      encoding: 'utf8',
    })
    output = run.stdout + run.stderr
    for (const [, path, line] of output.matchAll(/^(\S+\.ts)\((\d+),\d+\): error /gm)) {
      const lines = failed.get(basename(path)) ?? new Set()
      failed.set(basename(path), lines.add(Number(line)))
    }
  })

  it('takes what is right', () => {
    assert.deepEqual([...(failed.get('good.ts') ?? [])], [], output)
  })

  for (const file of ['bad.ts', 'table.ts'])
    it(`refuses each marked line of ${file}, and no other`, () => {
      assert.deepEqual(
        [...(failed.get(file) ?? [])].sort((a, b) => a - b),
        marked(file),
        output,
      )
    })

  it('was run over these files only, and found them', () => {
    assert.deepEqual([...failed.keys()].sort(), ['bad.ts', 'table.ts'], output)
  })
})
