/** Puts the compiled archives of the Java driver beside their sources in the package that ships them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compileArchives, findProgram } from '@hookmq/provider-driver/java'
import type { Staged } from './stage.ts'

/** Without a JDK the package goes without: then it compiles them where it is first used. Returns a line for whoever builds. */
export async function addJavaArchives(staged: readonly Staged[]): Promise<string> {
  const folder = staged.map((one) => join(one.folder, 'java')).find((one) => existsSync(join(one, 'driver')))
  if (folder === undefined) throw new Error('no package brings sdk/java')
  const compiler = findProgram('javac')
  const archiver = findProgram('jar')
  if (compiler === undefined || archiver === undefined)
    return 'no JDK here: the Java driver goes as sources, which are compiled where they are first used'
  await compileArchives(folder, folder, { compiler, archiver })
  return `hookmq-driver.jar, hookmq.jar: ${folder}`
}
