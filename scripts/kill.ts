/**
 * npm run kill: kills a broker with SIGKILL at random moments while clients publish and subscribe, and looks whether anything that was
 * acknowledged is lost.
 *
 *     npm run kill                          200 times
 *     npm run kill -- 1000 --seed 7         as often as said, with the decisions of an earlier run
 *     npm run kill -- 200 --workers 2       a broker of several processes
 */
import { parseArgs } from 'node:util'
import { runKills } from '../test/durability/kills/run.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, workers: { type: 'string' }, longest: { type: 'string' } },
})
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
const kills = Number(positionals[0] ?? 200)
console.log(`${kills} kills, seed ${seed}`)
const report = await runKills({
  kills,
  seed,
  longest: Number(values.longest ?? 1500),
  workers: Number(values.workers ?? 1),
  log: console.log,
})
const { violations, ...figures } = report
console.log(figures)
for (const line of violations) console.error(line)
console.log(violations.length === 0 ? 'nothing that was promised is missing' : `FAILED: repeat with --seed ${seed}`)
process.exitCode = violations.length === 0 ? 0 : 1
