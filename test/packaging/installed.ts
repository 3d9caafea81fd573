/** An empty folder of somebody who installs HookMQ: nothing of this checkout is in reach from there. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pack } from '../../scripts/build/pack.ts'
import { stage } from '../../scripts/build/stage.ts'

export const projectRoot = fileURLToPath(new URL('../../', import.meta.url))

export interface InstalledFolder {
  readonly path: string
  /** Runs a program with the right Node first on the PATH, as an installation of Node 24 has it. */
  run(program: string, args: readonly string[]): { status: number | null; output: string }
  readonly env: NodeJS.ProcessEnv
  remove(): void
}

/** Builds the packages, makes tarballs, and installs them into a new folder. */
export function installIntoEmptyFolder(others: readonly string[]): InstalledFolder {
  const work = mkdtempSync(join(tmpdir(), 'hookmq-packaging-'))
  const path = join(work, 'project')
  mkdirSync(path)
  const tarballs = pack(stage(projectRoot, join(work, 'staged')), join(work, 'tarballs'))
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: 'somebody', private: true, type: 'module' }))
  const env = cleanEnvironment()
  const folder: InstalledFolder = {
    path,
    env,
    run(program, args) {
      const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: path, env, encoding: 'utf8' })
      return { status, output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` }
    },
    remove: () => rmSync(work, { recursive: true, force: true, maxRetries: 3 }),
  }
  const { status, output } = folder.run('npm', [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    ...tarballs,
    ...others,
  ])
  if (status !== 0) throw new Error(`npm install of the tarballs failed:\n${output}`)
  return folder
}

/**
 * "npm test" puts this checkout's programs on the PATH and tells its own settings; a user has neither.
 *
 * @param first folders to look for programs in first
 */
export function cleanEnvironment(first: readonly string[] = [dirname(process.execPath)]): NodeJS.ProcessEnv {
  const settings = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_(cache|registry|userconfig))|INIT_CWD|NODE_TEST_|NODE_OPTIONS|HOOKMQ_)/i.test(name),
  )
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  return { ...Object.fromEntries(settings), PATH: [...first, ...folders].join(delimiter) }
}
