/**
 * npm run fuzz: the long runs of the fuzz tests, one after the other; each says its seed. `npm run fuzz -- mqtt` those
 * whose path has this word.
 */
import { runEach } from './check/run-each.ts'

process.exitCode = runEach('{packages,listeners,stores,plugins}/*/fuzz/fuzz.ts', process.argv.slice(2), ['--expose-gc'])
