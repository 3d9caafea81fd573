import { type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { CommandResult, KeyValueStore, Plugin } from '@hookmq/api'
import { Broker, type BrokerOptions, type Clock, inProcess, type PluginRunner } from '@hookmq/core'
import { createSettings } from '@hookmq/kit'
import { MemoryRetainedStore, MemoryStore } from '@hookmq/store-memory'
import { openLink } from '../../client/link.ts'
import type { ClientOptions } from '../../client/options.ts'
import { TestClient } from '../../testing/client.ts'
import { createTestLog, type LogLine } from '../../testing/log.ts'
import type { WorkerLimits } from './limits.ts'
import { WorkerRunner } from './runner.ts'

export type Placement = 'in-process' | 'worker'

export interface Subject {
  readonly broker: Broker
  readonly plugin: Plugin
  readonly log: readonly LogLine[]
  connect(options?: ClientOptions): Promise<TestClient>
  /** The values that the plugin reported under this name so far. */
  reports(what: string): unknown[]
  /** Waits until there are so many of them. */
  reported(what: string, count?: number): Promise<unknown[]>
  /** Runs the plugin's command. */
  command(...args: string[]): Promise<CommandResult | undefined>
  /** Loads the plugin once more in its place. */
  reload(config?: Readonly<Record<string, string>>): Promise<void>
}

export interface SubjectOptions {
  readonly config?: Readonly<Record<string, string>>
  readonly options?: Partial<BrokerOptions>
  readonly limits?: Partial<WorkerLimits>
  readonly clock?: Clock
  /** Milliseconds for setup. */
  readonly patience?: number
  readonly store?: { namespace(name: string): KeyValueStore }
}

const file = fileURLToPath(new URL('./placement-subject.testing.ts', import.meta.url))

/** A broker without sockets and the plugin of `placement-subject.testing.ts` in it, which does what `config.case` names. */
export async function startSubject(
  scope: TestContext,
  placement: Placement,
  name: string,
  { config = {}, options = {}, limits, clock, patience = 30_000, store = new MemoryStore() }: SubjectOptions = {},
): Promise<Subject> {
  const lines: LogLine[] = []
  const broker = new Broker(
    { sysInterval: 0, sysHeartbeat: 0, ...options, log: createTestLog(lines) },
    {
      retained: new MemoryRetainedStore(),
      store: (namespace) => store.namespace(namespace),
      settings: (plugin, given) => createSettings(plugin.config, given),
      clock,
    },
  )
  await broker.start()
  scope.after(() => broker.stop(500))
  const { default: plugin } = (await import(pathToFileURL(file).href)) as { readonly default: Plugin }
  const runner = (): PluginRunner =>
    placement === 'worker'
      ? new WorkerRunner({ plugin, file, limits, systemTime: clock === undefined })
      : inProcess(plugin)
  const start = (given: Readonly<Record<string, string>>) => ({
    config: { case: name, ...given },
    terms: { level: { type: 'integer', value: 12n, line: 1, column: 1 } } as const,
    runner: runner(),
    again: runner,
  })
  broker.plugins.patience = { ...broker.plugins.patience, setup: patience }
  await broker.plugins.load(plugin, start(config))
  const reports = (what: string): unknown[] =>
    lines.filter(({ message }) => message === `report ${what}`).map(({ fields }) => fields.value)
  return {
    broker,
    plugin,
    log: lines,
    connect: (client = {}) => new TestClient(openLink(broker, 'link:testing'), client).connect(),
    reports,
    async reported(what, count = 1) {
      await until(() => reports(what).length >= count, `${count} reports of ${what}`)
      return reports(what)
    },
    async command(...args) {
      const command = broker.admin.commands().find((one) => one.name === 'subject')
      if (command === undefined) throw new Error('the plugin has no command')
      return command.run(args)
    },
    reload: (given = config) => broker.plugins.reload(plugin, start(given)),
  }
}

/** One test in each placement. */
export function inBothPlacements(name: string, run: (scope: TestContext, placement: Placement) => Promise<void>): void {
  for (const placement of ['in-process', 'worker'] as const)
    test(`${name} [${placement}]`, (scope) => run(scope, placement))
}

/** Resolves once `condition` holds; rejects naming `awaited` after ten seconds. */
export async function until(condition: () => boolean, awaited: string): Promise<void> {
  const end = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${awaited}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
