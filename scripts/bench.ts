/**
 * npm run bench: every benchmark of the project, one after the other; `npm run bench -- mqtt` those whose path has this
 * word. They share the cores with nothing else of ours, so that figures of one run can be compared.
 */
import { runEach } from './check/run-each.ts'

process.exitCode = runEach('{packages,listeners,stores,plugins}/*/bench/*.ts', process.argv.slice(2), ['--expose-gc'])
