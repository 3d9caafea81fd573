/**
 * npm run bench: every benchmark of the project, one after the other, then the broker under load from end to end.
 * `npm run bench -- mqtt` runs those whose path has this word. They share the cores with nothing else of ours, so that figures of
 * one run can be compared. `npm run bench:peers` puts other brokers beside it.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runEach } from './check/run-each.ts'

const words = process.argv.slice(2)
const endToEnd = fileURLToPath(new URL('../bench/compare.ts', import.meta.url))

const pattern = '{bench/*.bench,{packages,listeners,stores,plugins}/*/bench/*}.ts'
const alone = words.length > 0 && words.every((word) => endToEnd.includes(word))
let failed = alone ? 0 : runEach(pattern, words, ['--expose-gc'])
if (words.length === 0 || alone) {
  console.log('\nend to end, over TCP')
  const { status } = spawnSync(process.execPath, [endToEnd, '--peers', 'hookmq', '--rounds', '1'], { stdio: 'inherit' })
  if (status !== 0) failed = 1
}
process.exitCode = failed
