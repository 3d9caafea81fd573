import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Staged } from './stage.ts'

/**
 * Makes a tarball of each staged package with npm.
 *
 * @param out is emptied; gets the tarballs
 * @returns their absolute paths
 */
export function pack(staged: readonly Staged[], out: string): string[] {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  return staged.map(({ name, folder }) => {
    const { status, stdout, stderr } = spawnSync('npm', ['pack', '--silent', '--pack-destination', out, folder], {
      encoding: 'utf8',
      shell: process.platform === 'win32',
    })
    const file = stdout.trim().split('\n').at(-1)
    if (status !== 0 || file === undefined) throw new Error(`npm pack of ${name} failed:\n${stdout}${stderr}`)
    return join(out, file)
  })
}
