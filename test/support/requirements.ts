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

export type Requirement =
  | 'mosquitto'
  | 'mosquitto_pub'
  | 'mosquitto_sub'
  | 'openssl'
  | 'paho'
  | 'python3'
  | 'grpcio'
  | 'pytest'
  | 'go'
  | 'javac'
  | 'mvn'

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
  javac: { find: () => onPath('javac'), get: 'install the Debian package "default-jdk-headless"' },
  mvn: { find: () => onPath('mvn'), get: 'install the Debian package "maven"' },
  paho: {
    find: () => pythonWith('import paho.mqtt.client'),
    get: 'run .ci/setup, or install "paho-mqtt" from PyPI for the python3 on the PATH',
  },
  python3: {
    find: () => pythonWith('import sys; assert sys.version_info >= (3, 8)'),
    get: 'install Python 3.8 or newer',
  },
  grpcio: {
    find: () => pythonWith('import grpc, grpc_tools.protoc, google.protobuf'),
    get: 'run .ci/setup, or install "grpcio-tools" from PyPI for the python3 on the PATH',
  },
  pytest: {
    find: () => pythonWith('import pytest, mypy'),
    get: 'run .ci/setup, or install "pytest" and "mypy" from PyPI for the python3 on the PATH',
  },
  go: { find: recentGo, get: 'install Go 1.24 or newer, or run .ci/setup' },
}

const found = new Map<Requirement, string | undefined>()

/**
 * @returns path of the program (for `paho`, `python3` and `grpcio`: of a Python that has it); undefined when it is missing, and
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

/** The first Python that runs this to a good end: the project's own, else that of the machine. */
function pythonWith(program: string): string | undefined {
  return [ownPython, onPath('python3')].find(
    (python) => python !== undefined && spawnSync(python, ['-c', program], { stdio: 'ignore' }).status === 0,
  )
}

function recentGo(): string | undefined {
  return [onPath('go'), join(root, '.cache', 'python', 'bin', 'go')].find((go) => {
    if (go === undefined) return false
    const version = /^go version go(\d+)\.(\d+)/.exec(String(spawnSync(go, ['version']).stdout))
    return version !== null && (Number(version[1]) > 1 || Number(version[2]) >= 24)
  })
}
