/**
 * npm run build: makes dist/npm/NAME for each package, as it is published. npm run pack: tarballs of them as well, in
 * dist/tarballs.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addJavaArchives } from './build/java.ts'
import { pack } from './build/pack.ts'
import { stage } from './build/stage.ts'

const root = join(fileURLToPath(import.meta.url), '..', '..')

const staged = stage(root, join(root, 'dist', 'npm'))
for (const { name, folder } of staged) console.log(`${name}: ${folder}`)
console.log(await addJavaArchives(staged))
if (process.argv.includes('--pack')) {
  for (const tarball of pack(staged, join(root, 'dist', 'tarballs'))) console.log(tarball)
}
