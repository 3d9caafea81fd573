import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(fileURLToPath(import.meta.url), '..', '..', '..')

/**
 * Runs the programs that a pattern finds, one after the other, each to its end.
 *
 * @param words only programs whose path has one of these; all when there are none
 * @returns 0 when all exited with 0, else 1
 */
export function runEach(pattern: string, words: readonly string[], nodeOptions: readonly string[]): number {
  const programs = globSync(pattern, { cwd: root })
    .sort()
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  if (programs.length === 0) {
    console.error(`nothing to run: ${pattern} ${words.join(' ')}`)
    return 1
  }
  const failed = programs.filter((path, index) => {
    console.log(`\n[${index + 1}/${programs.length}] ${path}`)
    const started = performance.now()
    const { status } = spawnSync(process.execPath, [...nodeOptions, join(root, path)], { cwd: root, stdio: 'inherit' })
    console.log(
      `[${index + 1}/${programs.length}] ${path}: exit code ${status}, ${((performance.now() - started) / 1000).toFixed(0)} s`,
    )
    return status !== 0
  })
  for (const path of failed) console.error(`FAILED: ${path}`)
  return failed.length === 0 ? 0 : 1
}
