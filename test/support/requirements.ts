/**
 * Programs of others that a test runs: clients and servers that show whether ours talks to the world.
 *
 *     test('mosquitto_pub is acknowledged', (context) => {
 *       const program = requirement('mosquitto_pub', context)
 *       if (program === undefined) return
 *       …
 *     })
 *
 * On CI (`CI=true`) a missing program is a failure; elsewhere the test is skipped and says why.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export type Requirement = 'mosquitto' | 'mosquitto_pub' | 'mosquitto_sub' | 'openssl' | 'paho'

interface Program {
  /** Path of the program when it is there. */
  find(): string | undefined
  /** What a person does to have it. */
  readonly get: string
}

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Where .ci/run puts its Python environment. */
const ownPython = join(root, '.cache', 'python', 'bin', 'python')

const programs: Record<Requirement, Program> = {
  mosquitto: { find: () => onPath('mosquitto'), get: 'install the Debian package "mosquitto"' },
  mosquitto_pub: { find: () => onPath('mosquitto_pub'), get: 'install the Debian package "mosquitto-clients"' },
  mosquitto_sub: { find: () => onPath('mosquitto_sub'), get: 'install the Debian package "mosquitto-clients"' },
  openssl: { find: () => onPath('openssl'), get: 'install the Debian package "openssl"' },
  paho: {
    find: () => [ownPython, onPath('python3')].find((python) => python !== undefined && hasPaho(python)),
    get: 'run .ci/setup, or install "paho-mqtt" from PyPI for the python3 on the PATH',
  },
}

const found = new Map<Requirement, string | undefined>()

/**
 * @returns path of the program (for `paho`: of a Python that can import paho.mqtt); undefined when it is missing, and
 * then the test that `context` belongs to is already marked as skipped
 * @throws when it is missing and CI is set
 */
export function requirement(name: Requirement, context?: Pick<TestContext, 'skip'>): string | undefined {
  if (!found.has(name)) found.set(name, programs[name].find())
  const path = found.get(name)
  if (path !== undefined) return path
  const reason = `${name} is not on this machine: ${programs[name].get}`
  if (isCi()) throw new Error(reason)
  context?.skip(reason)
  return undefined
}

function isCi(): boolean {
  const ci = process.env.CI ?? ''
  return ci !== '' && ci !== '0' && ci !== 'false'
}

/** Servers live in sbin, which the PATH of an ordinary user leaves out. */
function onPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function hasPaho(python: string): boolean {
  return spawnSync(python, ['-c', 'import paho.mqtt.client'], { stdio: 'ignore' }).status === 0
}
