import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import driver from '@hookmq/provider-driver'
import { startTestBroker, type TestBroker, type TestBrokerOptions } from 'hookmq/testing'
import { until } from '../support/wait.ts'

export interface Scope {
  after(run: () => void | Promise<void>): void
}

export interface Running {
  readonly broker: TestBroker
  /** The broker's folder. */
  readonly home: string
  /** Lines that handlers have printed, in order. */
  printed(): string[]
  /** All that was logged, one line each. */
  logged(): string
  /** Waits until so many lines were printed. */
  lines(count: number): Promise<string[]>
  /** Waits until something like it was logged. */
  logs(pattern: RegExp): Promise<void>
  /** Of the driver's processes. */
  processes(driver?: string): Promise<number[]>
}

/** A folder as a broker has it, with files in it; relative to `data/extension` unless they begin with a slash. */
export function home(scope: Scope, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-driver-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'data/extension'), { recursive: true })
  for (const [name, text] of Object.entries(files)) write(folder, name, text)
  return folder
}

export function write(folder: string, name: string, text: string): void {
  const file = name.startsWith('/') ? join(folder, name) : join(folder, 'data/extension', name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** A broker in this process with the plugin, its drivers started. */
export async function start(
  scope: Scope,
  files: Readonly<Record<string, string>>,
  conf: Readonly<Record<string, string>> = {},
  options: TestBrokerOptions = {},
): Promise<Running> {
  const folder = home(scope, files)
  const broker = await startTestBroker(scope, { node: 'hookmq@127.0.0.1', allowAnonymous: true, ...options })
  await broker.load(driver, { 'exhook.working_directory': folder, ...conf }, { home: folder })
  // What was started before is attached in the next turns.
  await broker.settle()
  const printed = (): string[] =>
    broker.log.filter(({ fields }) => fields.stream !== undefined).map(({ message }) => message)
  const logged = (): string =>
    broker.log.map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`).join('\n')
  return {
    broker,
    home: folder,
    printed,
    logged,
    async lines(count) {
      await until(() => printed().length >= count, `${count} printed lines`).catch((error: Error) => {
        throw new Error(`${error.message}; there are\n${printed().join('\n')}`)
      })
      return printed()
    },
    logs: (pattern) =>
      until(() => pattern.test(logged()), `${pattern} in the log`).catch((error: Error) => {
        throw new Error(`${error.message}; there is\n${logged()}`)
      }),
    async processes(name = 'python3') {
      const { json } = await broker.ctl('exhook drivers list')
      const views = json as readonly { name: string; processIds: readonly number[] }[]
      return [...(views.find((view) => view.name === name)?.processIds ?? [])]
    },
  }
}
