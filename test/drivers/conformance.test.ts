import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@hookmq/api'
import {
  type HookProviderHarness,
  hookProviderSuite,
  type ProviderScript,
  type ProviderUnderTest,
  type Received,
} from '@hookmq/api/testing'
import { createHookHost } from '@hookmq/core/testing'
import { createSettings } from '@hookmq/kit'
import driver, { DriverProvider, readDrivers } from '@hookmq/provider-driver'
import { home } from './support.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** A driver whose handler does what the script says. */
async function create(module: string, script: ProviderScript): Promise<ProviderUnderTest> {
  // A process does one thing at a time: where something is held, another client must meet another process.
  const poolSize = Object.values(script.answers ?? {}).some((answer) => answer.do === 'hold') ? 3 : 1
  const cleanups: (() => void | Promise<void>)[] = []
  const folder = home({ after: (run) => void cleanups.push(run) }, {})
  const extension = join(folder, 'data/extension')
  for (const name of ['far_end', module])
    copyFileSync(fileURLToPath(new URL(`${name}.py`, import.meta.url)), join(extension, `${name}.py`))
  writeFileSync(join(extension, 'script.json'), JSON.stringify(script))
  const [settings] = readDrivers(
    createSettings(driver.config, {
      config: {
        'exhook.drivers': 'python3',
        'exhook.working_directory': folder,
        'exhook.drivers.python3.init_module': module,
        'exhook.drivers.python3.pool_size': String(poolSize),
        'exhook.drivers.python3.notifications_ahead': '0',
      },
    }),
  )
  if (settings === undefined) throw new Error('no driver')
  const provider = new DriverProvider({ ...settings, node: 'hookmq@127.0.0.1', log: silent, count: () => {} })
  const notes = (): unknown[] => {
    const file = join(extension, 'notes')
    if (!existsSync(file)) return []
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }
  const times = (what: string): number => notes().filter((note) => note === what).length / poolSize
  return {
    provider,
    received: async () => notes().filter((note) => typeof note === 'object') as Received[],
    release: async () => writeFileSync(join(extension, 'released'), ''),
    loads: async () => times('load'),
    unloads: async () => times('unload'),
    async dispose() {
      await provider.unload()
      for (const cleanup of cleanups) await cleanup()
    },
  }
}

const lacks: HookProviderHarness['lacks'] = {
  drop: 'EMQX 4.1: a callback can change a message, not take it away',
  reject: 'EMQX 4.1: a callback can change a message, not refuse it',
  disconnect: 'EMQX 4.1: a callback can change a message, not end a connection',
  observe: 'EMQX 4.1: whoever names a hook that is waited for is waited for',
  overtake: 'a process does one thing at a time; one that hangs is replaced, as faults.test.ts shows',
  'unknown hook names': 'EMQX 4.1: an unknown hook is accepted and never called; faults.test.ts has the warning',
}

hookProviderSuite({
  name: 'python, as for EMQX 4.1',
  create: (script) => create('far_end_compatible', script),
  host: createHookHost,
  lacks,
})

hookProviderSuite({
  name: 'python, hookmq',
  create: (script) => create('far_end_modern', script),
  host: createHookHost,
  lacks: {
    observe: 'hookmq: a handler that only looks is one that returns nothing',
  },
})
