/**
 * npm run bench: every benchmark of the project, one after the other, then the broker under load from end to end.
 * `npm run bench -- mqtt` runs those whose path has this word. They share the cores with nothing else of ours, so that figures of
 * one run can be compared. `npm run bench:peers` puts other brokers beside it. `npm run bench -- soak` takes ten minutes, and every connection
 * that this machine allows: bench/soak.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runEach } from './check/run-each.ts'

const words = process.argv.slice(2)
const soak = fileURLToPath(new URL('../bench/soak/soak.ts', import.meta.url))
const endToEnd = fileURLToPath(new URL('../bench/compare.ts', import.meta.url))

const pattern = '{bench/*.bench,{packages,listeners,stores,plugins}/*/bench/*}.ts'

function run(file: string, args: readonly string[]): number {
  return spawnSync(process.execPath, [file, ...args], { stdio: 'inherit' }).status ?? 1
}

function runBenchmarks(): number {
  const alone = words.length > 0 && words.every((word) => endToEnd.includes(word))
  const failed = alone ? 0 : runEach(pattern, words, ['--expose-gc'])
  if (words.length > 0 && !alone) return failed
  console.log('\nend to end, over TCP')
  return run(endToEnd, ['--peers', 'hookmq', '--rounds', '1']) === 0 ? failed : 1
}

process.exitCode = words[0] === 'soak' ? run(soak, words.slice(1)) : runBenchmarks()
