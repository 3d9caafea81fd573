/** Compiles every package to JavaScript, declarations and source maps. */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param root the project's folder
 * @param out gets packages/core/src/index.js and so on
 * @throws with the compiler's words when there is an error in the sources
 */
export function compile(root: string, out: string): void {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [compiler, '-p', join(root, 'scripts', 'build', 'tsconfig.json'), '--outDir', out],
    { cwd: root, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`the sources do not compile:\n${stdout}${stderr}`)
  for (const path of globSync('**/*.d.ts', { cwd: out })) {
    const file = join(out, path)
    writeFileSync(file, withJsExtensions(readFileSync(file, 'utf8')))
  }
}

/** The compiler rewrites './x.ts' to './x.js' in JavaScript, but not in declarations. */
export function withJsExtensions(declarations: string): string {
  return declarations.replace(/((?:\bfrom|\bimport)\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2')
}
