import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Language, Launch, LaunchSettings } from '../language.ts'
import { searchFolders } from '../search-path.ts'
import { PythonCodec } from './codec.ts'

const oldest = [3, 8] as const

/** Beside the published package; in a checkout, where it is developed. */
const shipped = ['../../python', '../../../../sdk/python'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

export const python: Language = {
  names: ['python3', 'python'],
  defaultInitModule: 'main',
  isSource: (name) => name.endsWith('.py'),
  codec: () => new PythonCodec(),
  async launch(settings) {
    const command = await findInterpreter(settings)
    const folders = searchFolders(settings)
    return { command, args: ['-m', 'hookmq_driver'], environment: environment(settings, folders) } satisfies Launch
  },
}

function environment(settings: LaunchSettings, folders: readonly string[]): Record<string, string> {
  const { PYTHONPATH, ...inherited } = process.env
  const path = [sdkFolder(), ...folders, ...(PYTHONPATH === undefined || PYTHONPATH === '' ? [] : [PYTHONPATH])]
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(inherited)) if (value !== undefined) environment[name] = value
  environment.PYTHONPATH = path.join(delimiter)
  // Beside the operator's files, or ours that may be read-only, nothing is written.
  environment.PYTHONDONTWRITEBYTECODE ??= '1'
  if (settings.maxMemory !== undefined) environment.HOOKMQ_MAX_MEMORY = String(settings.maxMemory)
  if (settings.maxCpuTime !== undefined) environment.HOOKMQ_MAX_CPU_TIME = String(settings.maxCpuTime)
  return environment
}

/** Where `hookmq_driver`, `emqx_extension` and `erlport` are. */
function sdkFolder(): string {
  const found = shipped.find((folder) => existsSync(`${folder}/hookmq_driver/__main__.py`))
  if (found === undefined) throw new Error(`the Python part of the driver is missing; looked for ${shipped.join(', ')}`)
  return found
}

async function findInterpreter({ name, command }: LaunchSettings): Promise<string> {
  const candidates = command !== undefined ? [command] : name === 'python' ? ['python3', 'python'] : ['python3']
  for (const candidate of candidates) {
    const version = await versionOf(candidate, name)
    if (version === undefined) continue
    const [major = 0, minor = 0] = version.split('.').map(Number)
    if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return candidate
    throw new Error(
      `driver ${name}: '${candidate}' is Python ${version}; ${oldest.join('.')} or newer is needed (exhook.drivers.${name}.command names another)`,
    )
  }
  throw new Error(
    `driver ${name}: there is no '${candidates.join("' or '")}' to be found; install Python ${oldest.join('.')} or newer, or set exhook.drivers.${name}.command`,
  )
}

// A version that was good enough once is asked for no more: each restart of the process would.
const known = new Map<string, string>()

async function versionOf(command: string, driver: string): Promise<string | undefined> {
  const version = known.get(command) ?? (await askVersion(command, driver))
  if (version !== undefined) known.set(command, version)
  return version
}

/** undefined: there is no such program. */
function askVersion(command: string, driver: string): Promise<string | undefined> {
  const code = 'import sys; print("%d.%d.%d" % sys.version_info[:3])'
  return new Promise((resolve, reject) => {
    execFile(command, ['-c', code], { timeout: 10_000 }, (error, stdout, stderr) => {
      const version = /^\d+\.\d+\.\d+/.exec(stdout)?.[0]
      if (version !== undefined) resolve(version)
      else if (error !== null && 'code' in error && error.code === 'ENOENT') resolve(undefined)
      else {
        const why = stderr.trim().split('\n').at(-1) || (error?.message ?? 'it printed no version')
        reject(new Error(`driver ${driver}: '${command}' does not run as Python: ${why}`))
      }
    })
  })
}
