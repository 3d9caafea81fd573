import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** A program of a Java installation: beside `java`, in JAVA_HOME, or in PATH. undefined: there is none. */
export function findProgram(
  name: 'java' | 'javac' | 'jar',
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const home = environment.JAVA_HOME
  if (home !== undefined && home !== '') folders.unshift(join(home, 'bin'))
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** 8, 11, 17 … of `java -version` or `javac -version`. Rejects when the program does not say. */
export async function majorVersion(program: string): Promise<number> {
  const { stdout, stderr } = await execute(program, ['-version'], { timeout: 30_000 })
  const match = /(?:version "|javac )(?:1\.)?(\d+)/.exec(`${stdout}\n${stderr}`)
  if (match?.[1] === undefined)
    throw new Error(`${program} -version does not say its version: ${(stderr || stdout).split('\n')[0]}`)
  return Number(match[1])
}
