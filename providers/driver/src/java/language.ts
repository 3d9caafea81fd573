import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { DriverError } from '../child/errors.ts'
import type { Codec } from '../codec.ts'
import type { Language, Launch, LaunchSettings } from '../language.ts'
import { driverArchive, findArchives } from './archives.ts'
import { JavaCodec } from './codec.ts'
import { findProgram, majorVersion } from './command.ts'

const oldest = 8
const megabyte = 1024 * 1024

/** Handlers in Java, or in any language that is compiled to its classes. */
export const java: Language = {
  names: ['java'],
  defaultInitModule: 'Main',

  isSource(fileName: string): boolean {
    return /\.(java|class|jar|zip)$/i.test(fileName)
  },

  async launch(settings: LaunchSettings): Promise<Launch> {
    const { name } = settings
    for (const entry of settings.path)
      if (!existsSync(entry))
        throw new DriverError(
          `driver ${name}: there is no ${entry} (exhook.drivers.${name}.path); create it and put the handler in it`,
        )
    const command = await findJava(settings)
    let archives: string
    try {
      archives = await findArchives(settings.progress ?? (() => {}))
    } catch (error) {
      throw new DriverError(`driver ${name}: ${error instanceof Error ? error.message : error}`)
    }
    const path = [...settings.path, process.env.JAVAPATH ?? ''].filter((part) => part !== '').join(delimiter)
    const args = [...options(settings), '-jar', join(archives, driverArchive), path, settings.initModule]
    const environment: Record<string, string> = {}
    for (const [key, value] of Object.entries(process.env)) if (value !== undefined) environment[key] = value
    if (settings.maxCpuTime === undefined) return { command, args, environment }
    const limit = `ulimit -t ${Math.max(1, Math.ceil(settings.maxCpuTime))}; exec "$0" "$@"`
    return { command: '/bin/sh', args: ['-c', limit, command, ...args], environment }
  },

  codec(): Codec {
    return new JavaCodec()
  },
}

function options({ maxMemory }: LaunchSettings): string[] {
  // What handlers print is UTF-8, whatever the locale of the broker is.
  const always = ['-Dfile.encoding=UTF-8']
  return maxMemory === undefined ? always : [...always, `-Xmx${Math.max(2, Math.floor(maxMemory / megabyte))}m`]
}

async function findJava({ name, command }: LaunchSettings): Promise<string> {
  const found = command ?? findProgram('java')
  if (found === undefined)
    throw new DriverError(
      `driver ${name}: there is no 'java' in JAVA_HOME or PATH; install Java ${oldest} or newer, or set exhook.drivers.${name}.command`,
    )
  let version: number
  try {
    version = await majorVersion(found)
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new DriverError(
      missing
        ? `driver ${name}: there is no '${found}' to be found; install Java ${oldest} or newer, or set exhook.drivers.${name}.command`
        : `driver ${name}: '${found}' does not run as Java: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
    )
  }
  if (version >= oldest) return found
  throw new DriverError(
    `driver ${name}: '${found}' is Java ${version}; ${oldest} or newer is needed (exhook.drivers.${name}.command names another)`,
  )
}
