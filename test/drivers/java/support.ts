import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import driver from '@hookmq/provider-driver'
import { findArchives } from '@hookmq/provider-driver/java'
import { startTestBroker, type TestBroker, type TestBrokerOptions } from 'hookmq/testing'
import { requirement } from '../../support/requirements.ts'
import { until } from '../../support/wait.ts'

const execute = promisify(execFile)

/** A folder that is gone after the test. */
export function folder(scope: Pick<TestContext, 'after'>): string {
  const made = mkdtempSync(join(tmpdir(), 'hookmq-java-test-'))
  scope.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Compiles sources, by their file names, into a folder. `release`: of Java; 8 is what handlers for EMQX 4.1 were compiled for. */
export async function compile(
  javac: string,
  into: string,
  sources: Readonly<Record<string, string>>,
  release: 8 | 17 = 8,
): Promise<void> {
  const archives = await findArchives()
  const files = Object.entries(sources).map(([name, text]) => {
    const file = join(into, 'src', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  })
  const path = ['hookmq-driver.jar', 'hookmq.jar'].map((name) => join(archives, name)).join(':')
  const options = ['--release', String(release), '-Xlint:-options', '-parameters', '-cp', path, '-d', into]
  await execute(javac, [...options, ...files])
}

/** Compiles once for a file of tests. Resolves to the folder; undefined without a compiler, and then the test is marked as skipped. */
export function compiled(
  sources: Readonly<Record<string, string>>,
  release: 8 | 17 = 8,
): (scope: Pick<TestContext, 'skip'>) => Promise<string | undefined> {
  let made: Promise<string> | undefined
  return async (scope) => {
    const javac = requirement('javac', scope)
    if (javac === undefined) return undefined
    made ??= (async () => {
      const into = mkdtempSync(join(tmpdir(), 'hookmq-java-test-'))
      process.on('exit', () => rmSync(into, { recursive: true, force: true }))
      await compile(javac, into, sources, release)
      return into
    })()
    return made
  }
}

/** Every Java on this machine, by its `java`: the one in PATH first. HOOKMQ_TEST_JAVA adds some, separated by ':'. */
export function runtimes(): string[] {
  const named = (process.env.HOOKMQ_TEST_JAVA ?? '').split(':').filter((path) => path !== '')
  const inPath = requirementOrNone('java')
  const installed = globSync('/usr/lib/jvm/*/bin/java')
  const all = [...inPath, ...installed, ...named].map((path) => realpathSync(path))
  return [...new Set(all)]
}

function requirementOrNone(name: string): string[] {
  const folders = (process.env.PATH ?? '').split(':').filter((part) => part !== '')
  return folders.flatMap((part) => globSync(join(part, name))).slice(0, 1)
}

export interface Running {
  readonly broker: TestBroker
  /** What the handler has printed, line by line. */
  printed(): string[]
  /** All that was logged, one line each. */
  logged(): string
  /** Waits until a line like it was printed. */
  prints(pattern: RegExp | string): Promise<string>
  /** Waits until something like it was logged. */
  logs(pattern: RegExp): Promise<void>
  /** Of the driver's processes. */
  processes(): Promise<readonly number[]>
}

/** A broker in this process with the plugin and the driver java; `conf` without `exhook.drivers.java.`. */
export async function start(
  scope: Pick<TestContext, 'after'>,
  classes: string,
  conf: Readonly<Record<string, string>> = {},
  options: TestBrokerOptions = {},
): Promise<Running> {
  const broker = await startTestBroker(scope, { node: 'hookmq@127.0.0.1', allowAnonymous: true, ...options })
  const keys = Object.entries({ path: classes, ...conf }).map(([key, value]) => [
    key.startsWith('exhook.') ? key : `exhook.drivers.java.${key}`,
    value,
  ])
  await broker.load(driver, {
    'exhook.drivers': 'java',
    'exhook.working_directory': classes,
    ...Object.fromEntries(keys),
  })
  // What was started before is attached in the next turns.
  await broker.settle()
  const printed = (): string[] =>
    broker.log.filter(({ fields }) => fields.stream !== undefined).map(({ message }) => message)
  const logged = (): string =>
    broker.log.map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`).join('\n')
  return {
    broker,
    printed,
    logged,
    async prints(pattern) {
      const find = (): string | undefined =>
        printed().find((line) => (typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line)))
      await until(() => find() !== undefined, `a line like ${pattern}; printed:\n${printed().join('\n')}`).catch(() => {
        throw new Error(`no line like ${pattern} among\n${printed().join('\n')}\nlog:\n${logged()}`)
      })
      return find() ?? ''
    },
    async logs(pattern) {
      await until(() => pattern.test(logged()), `${pattern}`).catch(() => {
        throw new Error(`nothing like ${pattern} in\n${logged()}`)
      })
    },
    async processes() {
      const { json } = await broker.ctl('exhook drivers list')
      return (json as readonly { processIds: readonly number[] }[]).flatMap(({ processIds }) => processIds)
    },
  }
}
