import {
  cpSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestScope } from '../support/broker.ts'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

/** An empty folder outside of the project in which its packages are found as if they were installed. */
export function emptyFolder(scope: TestScope): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-template-'))
  scope.after(() => rmSync(folder, { recursive: true }))
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Copies the template by hand, as templates/README.md says. Returns the folder. */
export function copyTemplate(into: string, name: string): string {
  const folder = join(into, name)
  cpSync(join(projectRoot, 'templates', 'plugin'), folder, { recursive: true })
  for (const path of globSync('**/*', { cwd: folder })) {
    const file = join(folder, path)
    if (!statSync(file).isFile()) continue
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('my-plugin', name))
    if (basename(file).includes('my-plugin')) {
      renameSync(file, join(dirname(file), basename(file).replaceAll('my-plugin', name)))
    }
  }
  return folder
}
