import { fileURLToPath } from 'node:url'
import type { HookPointName, HookProvider, HookSpec } from '@hookmq/api'
import { hookProviderSuite, type ProviderScript, type ProviderUnderTest, type Received } from '@hookmq/api/testing'
import { Broker } from '@hookmq/core'
import { createHookHost } from '@hookmq/core/testing'
import { createSettings } from '@hookmq/kit'
import { MemoryRetainedStore, MemoryStore } from '@hookmq/store-memory'
import { createTestLog, type LogLine } from '../../testing/log.ts'
import plugin from './far-end.testing.ts'
import { WorkerRunner } from './runner.ts'

const file = fileURLToPath(new URL('./far-end.testing.ts', import.meta.url))

/** Hooks of a plugin in a worker, as a provider: all that it is asked and told crosses to the worker and back. */
class InWorker implements HookProvider {
  readonly name = 'worker'
  readonly lines: LogLine[] = []
  readonly #script: ProviderScript
  readonly #broker: Broker
  #started: Promise<unknown> | undefined

  constructor(script: ProviderScript) {
    this.#script = script
    const store = new MemoryStore()
    this.#broker = new Broker(
      { sysInterval: 0, sysHeartbeat: 0, log: createTestLog(this.lines) },
      {
        retained: new MemoryRetainedStore(),
        store: (namespace) => store.namespace(namespace),
        settings: (one, given) => createSettings(one.config, given),
      },
    )
  }

  async load(): Promise<readonly HookSpec[]> {
    this.#started ??= this.#broker.start()
    await this.#started
    const runner = () => new WorkerRunner({ plugin, file })
    const given = { config: { script: JSON.stringify(this.#script) }, terms: {}, runner: runner(), again: runner }
    const { plugins } = this.#broker
    if (plugins.list().length === 0) await plugins.load(plugin, given)
    else await plugins.reload(plugin, given)
    return this.#script.hooks
  }

  call(point: HookPointName, args: unknown, accumulator: unknown): unknown {
    const hook = this.#broker.hooks
      .chain(point)
      .hooks()
      .find(({ owner }) => owner.name === plugin.name)
    return hook?.handler(args, accumulator, undefined)
  }

  tell(point: HookPointName, args: unknown, accumulator: unknown): Promise<void> {
    return this.call(point, args, accumulator) as Promise<void>
  }

  async unload(): Promise<void> {
    await this.#broker.plugins.unload(plugin.name)
  }

  async release(): Promise<void> {
    await this.#broker.admin
      .commands()
      .find(({ name }) => name === 'far')
      ?.run(['release'])
  }

  stop(): Promise<void> {
    return this.#broker.stop(500)
  }
}

hookProviderSuite({
  name: 'hooks of a plugin in a worker',
  async create(script): Promise<ProviderUnderTest> {
    const provider = new InWorker(script)
    const said = (what: string) => provider.lines.filter(({ message }) => message === what)
    return {
      provider,
      received: async () =>
        said('received').map(({ fields: { point, clientId, topic } }) => {
          const received = { point, clientId } as Received
          return topic === undefined ? received : { ...received, topic: String(topic) }
        }),
      release: () => provider.release(),
      loads: async () => said('loaded').length,
      unloads: async () => said('unloaded').length,
      dispose: () => provider.stop(),
    }
  },
  host: createHookHost,
})
